package autobahn

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"runtime"
	"slices"
	"sync"
	"time"
)

// A FuzzingClient tests a server.
type FuzzingClient struct{ Options }

// Run runs the cases against the server at url, ws://… or wss://…, and returns their
// results in numeric order. Its error says why it could not even begin, and what to
// do, or that ctx ended; then the results are those of the cases that were finished.
func (f *FuzzingClient) Run(ctx context.Context, url string) ([]Result, error) {
	u, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	cases := f.casesFor(ForServer)
	if len(cases) == 0 {
		return nil, errors.New("there is no case to run: none of those chosen is for servers")
	}
	agent, err := f.probe(ctx, u)
	if err != nil {
		return nil, err
	}
	results := make([]Result, len(cases))
	done := make([]bool, len(cases))
	report := reporter{o: &f.Options}
	f.inParallel(cases, func(i int) {
		if ctx.Err() != nil {
			return
		}
		report.start(cases[i].ID)
		r := f.runCase(ctx, cases[i], u)
		if ctx.Err() != nil {
			return
		}
		r.Case, r.Agent = i+1, agent
		results[i], done[i] = r, true
		report.finish(r)
	})
	finished := results[:0]
	for i, r := range results {
		if done[i] {
			finished = append(finished, r)
		}
	}
	return finished, ctx.Err()
}

// parseURL takes ws and wss.
func parseURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%q is no URL: write ws://host:port/path", short(s))
	case u.Scheme != "ws" && u.Scheme != "wss":
		return nil, fmt.Errorf("%q does not begin with ws:// or wss://: write ws://host:port/path", short(s))
	case u.Hostname() == "":
		return nil, fmt.Errorf("%q has no host: write ws://host:port/path", short(s))
	case u.Fragment != "":
		return nil, fmt.Errorf("%q has a fragment, which URLs of WebSockets have not: leave out what begins with #", short(s))
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u, nil
}

// casesFor returns the cases that a side is tested with.
func (o *Options) casesFor(side Side) (cases []Case) {
	all := o.Cases
	if all == nil {
		all = Cases()
	}
	for _, c := range all {
		if c.Side == Both || c.Side == side {
			cases = append(cases, o.smaller(c))
		}
	}
	return cases
}

// inParallel calls run for each case: first for those that are quick, as long as
// they wait for something many at once, and then for those that need the processor.
// If time of day decides, it is not for the latter to take it from the former.
func (o *Options) inParallel(cases []Case, run func(i int)) {
	for _, heavy := range []bool{false, true} {
		n := o.Parallel
		switch {
		case n > 0:
		case heavy:
			n = 2 * runtime.GOMAXPROCS(0)
		default:
			n = 8 * runtime.GOMAXPROCS(0)
		}
		next := make(chan int)
		var all sync.WaitGroup
		for range n {
			all.Go(func() {
				for i := range next {
					run(i)
				}
			})
		}
		for i, c := range cases {
			if c.heavy() == heavy {
				next <- i
			}
		}
		close(next)
		all.Wait()
	}
}

// heavy reports whether a case needs the processor more than patience.
func (c *Case) heavy() bool {
	if c.series != nil {
		return true
	}
	return slices.ContainsFunc(c.steps, func(s step) bool {
		f, ok := s.(sendFrame)
		return ok && f.chop == 0 && f.payload.Len()*int64(f.times) > heavySize
	})
}

// heavySize is what is much to send.
const heavySize = 1 << 18

// A reporter calls OnStart and OnResult, one at a time.
type reporter struct {
	o *Options
	sync.Mutex
}

func (r *reporter) start(id string) {
	if r.o.OnStart != nil {
		r.Lock()
		defer r.Unlock()
		r.o.OnStart(id)
	}
}

func (r *reporter) finish(result Result) {
	if r.o.OnResult != nil {
		r.Lock()
		defer r.Unlock()
		r.o.OnResult(result)
	}
}

// runCase runs one case on a connection of its own.
func (f *FuzzingClient) runCase(ctx context.Context, c Case, u *url.URL) Result {
	conn, err := f.dial(ctx, u)
	if err != nil {
		r := newRun(&c, &f.Options, nil, false)
		r.trace.opening = openingOutcome{kind: openingBroken, fault: err.Error()}
		r.trace.notClean = err.Error()
		return r.result()
	}
	r := newRun(&c, &f.Options, conn, false)
	r.key = newKey()
	r.begin(ctx, f.request(&c, u, r.key), nil)
	result := r.result()
	if c.alive && ctx.Err() == nil {
		if after := f.runCase(ctx, aliveCase, u); !after.Behavior.Good() {
			result.Behavior, result.Result = Failed, "Afterwards, the server does not work any more: "+after.Result
		}
	}
	return result
}

// aliveCase looks whether a server works.
var aliveCase = Case{ID: "0", timer: timer{time: openTimeout}, end: ending{byUs: true, codes: []int{1000}},
	steps: []step{sendFrame{opcode: opcodes["text"], times: 1, payload: text("alive")}},
	wants: []want{{verdict: OK, events: []wanted{{kind: Message, data: text("alive"), least: 1, most: 1}}}}}

// dial connects to the server, with TLS if the URL says so.
func (o *Options) dial(ctx context.Context, u *url.URL) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	dial := o.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"ws": "80", "wss": "443"}[u.Scheme]
	}
	conn, err := dial(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return nil, err
	}
	if u.Scheme == "wss" {
		config := o.TLS.Clone()
		if config == nil {
			config = new(tls.Config)
		}
		if config.ServerName == "" {
			config.ServerName = u.Hostname()
		}
		secure := tls.Client(conn, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, err
		}
		conn = secure
	}
	if o.Wrap != nil {
		conn = o.Wrap(conn)
	}
	return conn, nil
}

// probe looks whether there is a WebSocket server, and what it calls itself.
func (f *FuzzingClient) probe(ctx context.Context, u *url.URL) (agent string, err error) {
	conn, err := f.dial(ctx, u)
	if err != nil {
		return "", explainDial(u, err)
	}
	c := probeCase
	r := newRun(&c, &f.Options, conn, false)
	r.key = newKey()
	r.begin(ctx, f.request(&c, u, r.key), nil)
	if err := ctx.Err(); err != nil {
		return "", err
	}
	switch o := r.trace.opening; {
	case o.kind == openingDone:
	case o.kind == openingRefused && o.status == 0 && len(r.head) == 0:
		return "", fmt.Errorf("%s ended the connection without an answer: is it a WebSocket server, and is it %s that it speaks?", u.Host, u.Scheme)
	case o.kind == openingRefused && o.status == 0:
		return "", fmt.Errorf("%s answered %q and no more, which is no HTTP: name the address of a WebSocket server", u.Host, short(string(r.head)))
	case o.kind == openingRefused:
		return "", fmt.Errorf("%s answered %q: name the path of a WebSocket echo in the URL", u, short(o.head.first))
	default:
		return "", fmt.Errorf("%s does not open a WebSocket: %s", u, o.fault)
	}
	if f.Agent != "" {
		return f.Agent, nil
	}
	if server := r.trace.opening.head.get("Server"); server != "" {
		return server, nil
	}
	return "UnknownServer", nil
}

// probeCase opens a connection and closes it.
var probeCase = Case{ID: "0", timer: timer{kill: true, time: 2 * time.Second}, end: ending{byUs: true}, shake: new(shake),
	wants: []want{{verdict: OK, opening: &openingWant{kind: openingDone}, events: []wanted{{kind: Handshake, least: 1, most: 1}}}}}

// explainDial says what to do about a connection that there is none of.
func explainDial(u *url.URL, err error) error {
	var (
		dns  *net.DNSError
		cert *tls.CertificateVerificationError
		rec  tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &dns):
		return fmt.Errorf("there is no host %q: look at the URL (%w)", u.Hostname(), err)
	case errors.As(err, &cert):
		return fmt.Errorf("the certificate of %s is not to be trusted: name its authority (%w)", u.Host, err)
	case errors.As(err, &rec):
		return fmt.Errorf("%s speaks no TLS: write ws:// instead of wss:// (%w)", u.Host, err)
	}
	return fmt.Errorf("nobody answers at %s: start the server first, or look at the URL (%w)", u.Host, err)
}
