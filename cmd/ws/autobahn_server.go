package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/url"
	"sync"

	"github.com/swan-ws/websocket/autobahn"
	"github.com/swan-ws/websocket/autobahn/report"
)

type fuzzingServerFlags struct {
	suiteFlags
	addr string
}

func (f *fuzzingServerFlags) set() *flag.FlagSet {
	fs := flag.NewFlagSet("autobahn fuzzingserver", flag.ContinueOnError)
	f.add(fs)
	fs.StringVar(&f.addr, "addr", "localhost:9001", "")
	return fs
}

// fuzzingServer tests the clients that come.
func fuzzingServer(ctx context.Context, args []string, std stdio) int {
	var f fuzzingServerFlags
	fs := f.set()
	if code, goOn := parseMode(fs, args, fuzzingServerUsage, std); !goOn {
		return code
	}
	spec, err := f.readSpec()
	if err == nil {
		err = f.listenAt(spec, fs)
	}
	if err != nil {
		return std.fail(exitCannot, "ws autobahn fuzzingserver -addr localhost:9001", "autobahn fuzzingserver: -spec: %v", err)
	}
	cases, err := f.choose(autobahn.ForClient, spec.Exclude)
	if err != nil {
		return std.fail(exitCannot, "ws autobahn fuzzingserver -cases '1.*,6.4.*'", "autobahn fuzzingserver: %v", err)
	}
	o, err := newOutcome(&f.suiteFlags, std)
	if err != nil {
		return std.fail(exitCannot, "", "autobahn fuzzingserver: %v", err)
	}
	l, err := net.Listen("tcp", f.addr)
	if err != nil {
		return std.fail(exitCannot, "ws autobahn fuzzingserver -addr localhost:0, which takes a free port", "autobahn fuzzingserver: %v", err)
	}
	screen := std.out
	if f.json {
		screen = std.err
	}
	fmt.Fprintf(screen, "listening on %s for clients, %d cases\n", webSocketURL(f.addr, l.Addr()), len(cases))
	code := f.serve(ctx, l, cases, spec, o)
	return max(code, o.finish(func(r *autobahn.Result) string {
		return fmt.Sprintf("ws autobahn fuzzingserver -addr %s -cases %s, and the client", quoted(f.addr), r.ID)
	}))
}

// listenAt has the address from the spec, if it is not on the command line.
func (f *fuzzingServerFlags) listenAt(spec *report.Spec, fs *flag.FlagSet) error {
	if len(spec.Servers) > 0 {
		return fmt.Errorf("%s names servers to test: it is for ws autobahn fuzzingclient", f.spec)
	}
	given := false
	fs.Visit(func(g *flag.Flag) { given = given || g.Name == "addr" })
	if spec.URL == "" || given {
		return nil
	}
	u, err := url.Parse(spec.URL)
	if err != nil || u.Scheme != "ws" || u.Hostname() == "" {
		return fmt.Errorf("%s: the \"url\" is %.128q: want one such as ws://127.0.0.1:9001", f.spec, spec.URL)
	}
	f.addr = net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "80"))
	return nil
}

// serve tests clients until ctx ends or one of them asks to stop.
func (f *fuzzingServerFlags) serve(ctx context.Context, l net.Listener, cases []autobahn.Case, spec *report.Spec, o *outcome) int {
	std := o.std
	var mu sync.Mutex // over o and progress
	progress := map[string]*report.Progress{}
	s := &autobahn.FuzzingServer{
		Options: autobahn.Options{
			Cases: cases, Parallel: f.parallel, Messages: f.messages, Largest: f.largest, Patience: f.patience, Protocols: spec.Protocols,
			OnResult: func(r autobahn.Result) {
				mu.Lock()
				defer mu.Unlock()
				o.add(r)
				if progress[r.Agent] == nil {
					n := len(cases) - len(excluded(cases, spec.ExcludedFor(r.Agent)))
					progress[r.Agent] = report.NewProgress(std.err, isTerminal(std.err), r.Agent, n)
				}
				progress[r.Agent].Done(&r)
			},
		},
		Reports: func([]autobahn.Result) error {
			mu.Lock()
			defer mu.Unlock()
			for _, p := range progress {
				p.Clear()
			}
			err := o.write()
			std.note("%s", cmp.Or(wrote(err, o), "done: "+report.Sum(o.all)))
			return err
		},
		Exclude: func(agent string) func(id string) bool {
			ids := excluded(cases, spec.ExcludedFor(agent))
			return func(id string) bool { return ids[id] }
		},
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	var err error
	select {
	case err = <-served:
	case <-ctx.Done():
		s.Close()
		<-served
	}
	for _, p := range progress {
		p.Clear()
	}
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return std.fail(exitCannot, "ws autobahn fuzzingserver again", "autobahn fuzzingserver: %v", err)
	}
	return exitOK
}

// wrote says what became of a report that a client asked for, if anything is to
// be said.
func wrote(err error, o *outcome) string {
	switch {
	case err != nil:
		return fmt.Sprintf("ws: autobahn fuzzingserver: %v", err)
	case o.flags.outDir != "":
		return fmt.Sprintf("report: %s: %s", report.Page(o.flags.outDir), report.Sum(o.all))
	}
	return ""
}
