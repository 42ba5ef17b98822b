package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"net/http"
	"slices"
	"strings"

	"github.com/swan-ws/websocket/autobahn"
	"github.com/swan-ws/websocket/autobahn/report"
)

type fuzzingClientFlags struct {
	suiteFlags
	url, agent string
	header     header
	insecure   bool
	origin     string
	protocols  list
}

func (f *fuzzingClientFlags) set() *flag.FlagSet {
	fs := flag.NewFlagSet("autobahn fuzzingclient", flag.ContinueOnError)
	f.add(fs)
	fs.StringVar(&f.agent, "agent", "", "")
	fs.Var(f.header, "H", "")
	fs.BoolVar(&f.insecure, "insecure", false, "")
	fs.StringVar(&f.origin, "o", "", "")
	fs.Var(&f.protocols, "s", "")
	fs.StringVar(&f.url, "url", "", "")
	return fs
}

// fuzzingClient tests servers, one after the other.
func fuzzingClient(ctx context.Context, args []string, std stdio) int {
	f := fuzzingClientFlags{header: header{}}
	if code, goOn := parseMode(f.set(), args, fuzzingClientUsage, std); !goOn {
		return code
	}
	const hint = "ws autobahn fuzzingclient -url ws://localhost:8080/echo"
	spec, err := f.readSpec()
	switch {
	case err != nil:
		return std.fail(exitCannot, hint, "autobahn fuzzingclient: -spec: %v", err)
	case f.url == "" && f.spec == "":
		return std.fail(exitCannot, hint, "autobahn fuzzingclient: which server? Give its -url, or a -spec")
	case f.url == "" && len(spec.Servers) == 0:
		return std.fail(exitCannot, "ws autobahn fuzzingserver -spec "+f.spec, "autobahn fuzzingclient: the spec names no servers to test: it is one of a fuzzing server")
	case f.url != "":
		spec.Servers = []report.SpecServer{{URL: f.url}}
	}
	o, err := newOutcome(&f.suiteFlags, std)
	if err != nil {
		return std.fail(exitCannot, "", "autobahn fuzzingclient: %v", err)
	}
	code := exitOK
	urls := map[string]string{} // by agent
	for _, server := range spec.Servers {
		before := len(o.all)
		code = max(code, f.test(ctx, server, spec, o))
		for _, r := range o.all[before:] {
			urls[r.Agent] = server.URL
		}
	}
	if code == exitCannot && len(o.all) == 0 {
		return code
	}
	return max(code, o.finish(func(r *autobahn.Result) string { return f.again(urls[r.Agent], r.ID) }))
}

// test tests one server.
func (f *fuzzingClientFlags) test(ctx context.Context, server report.SpecServer, spec *report.Spec, o *outcome) int {
	std := o.std
	agent := cmp.Or(f.agent, server.Agent)
	cases, err := f.choose(autobahn.ForServer, spec.ExcludedFor(cmp.Or(agent, "UnknownServer")))
	if err != nil {
		return std.fail(exitCannot, "ws autobahn fuzzingclient -cases '1.*,6.4.*'", "autobahn fuzzingclient: %v", err)
	}
	name := ""
	if len(spec.Servers) > 1 {
		name = cmp.Or(agent, server.URL)
	}
	progress := report.NewProgress(std.err, isTerminal(std.err), name, len(cases))
	c := &autobahn.FuzzingClient{Options: autobahn.Options{
		Cases: cases, Agent: agent, Parallel: f.parallel, Messages: f.messages, Largest: f.largest, Patience: f.patience,
		Header: http.Header(f.header), Host: server.Host, Origin: cmp.Or(f.origin, server.Origin),
		Protocols: slices.Concat(f.protocols, server.Protocols),
		OnStart:   progress.Start,
		OnResult: func(r autobahn.Result) {
			o.add(r)
			progress.Done(&r)
		},
	}}
	if f.insecure {
		std.note("WARNING: -insecure: the server's certificate is not checked")
		c.TLS = &tls.Config{InsecureSkipVerify: true}
	}
	before := len(o.all)
	_, err = c.Run(ctx, server.URL)
	progress.Clear()
	switch {
	case ctx.Err() != nil:
		std.note("interrupted: %d of %d cases ran", len(o.all)-before, len(cases))
		return exitFailed
	case err != nil:
		hint := ""
		if _, untrusted := errors.AsType[*tls.CertificateVerificationError](err); untrusted {
			hint = "-insecure, for a test"
		}
		return std.fail(exitCannot, hint, "autobahn fuzzingclient: %v", err)
	}
	return exitOK
}

// again is the command that runs one case against one server.
func (f *fuzzingClientFlags) again(url, id string) string {
	words := []string{"ws autobahn fuzzingclient -url", quoted(url), "-cases", id}
	if f.insecure {
		words = append(words, "-insecure")
	}
	if f.origin != "" {
		words = append(words, "-o", quoted(f.origin))
	}
	for _, protocol := range f.protocols {
		words = append(words, "-s", quoted(protocol))
	}
	for name := range f.header {
		words = append(words, "-H", quoted(name+": …")) // it may be a secret
	}
	return strings.Join(words, " ")
}

// quoted is a word as a shell reads it.
func quoted(word string) string {
	const safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:/._-"
	if strings.Trim(word, safe) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
