package autobahn

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// TestServer runs the cases against the server at url, and reports each as a subtest.
// A verdict that is a fault of the server's fails its subtest, with the reason, the
// RFC's sentence and the end of the wire log. With go test's -run only those cases
// are run whose subtests it names.
func TestServer(t *testing.T, url string, opts ...Options) {
	t.Helper()
	f := FuzzingClient{Options: only(opts)}
	f.Cases = named(t, f.casesFor(ForServer))
	if len(f.Cases) == 0 {
		return
	}
	results := make(chan Result)
	onResult := f.OnResult
	f.OnResult = func(r Result) {
		if onResult != nil {
			onResult(r)
		}
		results <- r
	}
	var err error
	go func() {
		defer close(results)
		_, err = f.Run(t.Context(), url)
	}()
	for r := range results {
		t.Run(r.ID, func(t *testing.T) { report(t, r) })
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestClient runs the cases against a client, and reports each as a subtest like
// TestServer: echo dials url, sends every message back until the connection ends,
// and returns. What it returns counts only if it never came to the case.
func TestClient(t *testing.T, echo func(ctx context.Context, url string) error, opts ...Options) {
	t.Helper()
	f := &FuzzingServer{Options: only(opts)}
	f.Cases = named(t, f.casesFor(ForClient))
	if len(f.Cases) == 0 {
		return
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := "ws://" + l.Addr().String()
	if f.TLS != nil {
		at = "wss://" + l.Addr().String()
		l = tls.NewListener(l, f.TLS)
	}
	f.init()
	var serving sync.WaitGroup
	serving.Go(func() { f.Serve(l) })
	defer serving.Wait()
	defer f.Close()
	type outcome struct {
		id  string
		r   Result
		err error
	}
	outcomes := make(chan outcome)
	go func() {
		defer close(outcomes)
		f.inParallel(f.Cases, func(i int) {
			id := f.Cases[i].ID
			err := echo(t.Context(), at+"/runCase?"+url.Values{"casetuple": {id}, "agent": {"client"}}.Encode())
			r, err := f.outcome(t.Context(), id, err)
			outcomes <- outcome{id, r, err}
		})
	}()
	for o := range outcomes {
		t.Run(o.id, func(t *testing.T) {
			if o.err != nil {
				t.Fatal(o.err)
			}
			report(t, o.r)
		})
	}
}

func only(opts []Options) Options {
	if len(opts) > 1 {
		panic("autobahn: there are several Options: write them into one")
	}
	if len(opts) == 0 {
		return Options{}
	}
	return opts[0]
}

// outcome waits for the result of a case that the client came back from. There is
// none if it never asked for the case.
func (f *FuzzingServer) outcome(ctx context.Context, id string, echoed error) (Result, error) {
	wait, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, ok := f.await(wait, "client", id)
	if !ok {
		return r, fmt.Errorf("the client did not run the case; echo returned: %v", echoed)
	}
	return r, nil
}

// named returns the cases whose subtests are to be run.
func named(t *testing.T, cases []Case) (chosen []Case) {
	pattern := runPattern(t.Name())
	for _, c := range cases {
		if pattern.MatchString(c.ID) {
			chosen = append(chosen, c)
		}
	}
	return chosen
}

// report says what a case came to.
func report(t *testing.T, r Result) {
	t.Helper()
	switch good := r.BehaviorClose.Good(); {
	case r.Behavior == OK && good:
	case r.Behavior.Good() && good:
		t.Logf("%s: %s", r.Behavior, r.Result)
	case r.Behavior == Unimplemented && good:
		t.Skip(r.Result)
	default:
		t.Error(r.story())
	}
}

// story tells a result to someone who wants to know what went wrong.
func (r *Result) story() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\nend %s: %s\ndoes: %s\nwants: %s\n", r.Behavior, r.Result, r.BehaviorClose, r.ResultClose, r.Description, r.Expectation)
	if r.Source != "" {
		fmt.Fprintf(&b, "RFC: %s\n", r.Source)
	}
	b.WriteString("the end of the wire log:\n")
	const last = 20
	for _, row := range r.Wirelog[max(0, len(r.Wirelog)-last):] {
		fmt.Fprintf(&b, "   %v\n", []any(row))
	}
	return b.String()
}
