package main

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"log/slog"
	"net"

	"github.com/swan-ws/websocket"
	"github.com/swan-ws/websocket/autobahn/testee"
)

type testeeServerFlags struct{ addr string }

func (f *testeeServerFlags) set() *flag.FlagSet {
	fs := flag.NewFlagSet("autobahn testeeserver", flag.ContinueOnError)
	fs.StringVar(&f.addr, "addr", "localhost:9001", "")
	return fs
}

// testeeServer is the server to test with a fuzzing client.
func testeeServer(ctx context.Context, args []string, std stdio) int {
	var f testeeServerFlags
	if code, goOn := parseMode(f.set(), args, testeeServerUsage, std); !goOn {
		return code
	}
	l, err := net.Listen("tcp", f.addr)
	if err != nil {
		return std.fail(exitCannot, "ws autobahn testeeserver -addr localhost:0, which takes a free port", "autobahn testeeserver: %v", err)
	}
	fmt.Fprintf(std.out, "listening on %s for a fuzzing client\n", webSocketURL(f.addr, l.Addr()))
	srv := &websocket.Server{Handler: testee.Handler(), Logger: slog.New(slog.DiscardHandler)} // odd requests are what it is for
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	select {
	case err := <-served:
		srv.Close()
		return std.fail(exitCannot, "ws autobahn testeeserver again", "autobahn testeeserver: %v", err)
	case <-ctx.Done():
		srv.Close()
		<-served
	}
	return exitOK
}

// webSocketURL is where a listener can be reached.
func webSocketURL(asked string, actual net.Addr) string {
	host, _, _ := net.SplitHostPort(asked)
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	_, port, _ := net.SplitHostPort(actual.String())
	return "ws://" + net.JoinHostPort(host, port)
}

type testeeClientFlags struct {
	url, agent string
	insecure   bool
}

func (f *testeeClientFlags) set() *flag.FlagSet {
	fs := flag.NewFlagSet("autobahn testeeclient", flag.ContinueOnError)
	fs.StringVar(&f.agent, "agent", testee.Agent, "")
	fs.BoolVar(&f.insecure, "insecure", false, "")
	fs.StringVar(&f.url, "url", "", "")
	return fs
}

// testeeClient is the client to test with a fuzzing server.
func testeeClient(ctx context.Context, args []string, std stdio) int {
	var f testeeClientFlags
	if code, goOn := parseMode(f.set(), args, testeeClientUsage, std); !goOn {
		return code
	}
	const hint = "ws autobahn testeeclient -url ws://localhost:9001"
	if f.url == "" {
		return std.fail(exitCannot, hint, "autobahn testeeclient: which fuzzing server? Give its -url")
	}
	live, ran := isTerminal(std.err), 0
	o := testee.Options{OnCase: func(number, all int) {
		ran = number
		if live {
			fmt.Fprintf(std.err, "\rcase %d of %d", number, all)
		}
	}}
	if f.insecure {
		o.TLS = &tls.Config{InsecureSkipVerify: true}
	}
	err := testee.Client(ctx, f.url, f.agent, o)
	if live && ran > 0 {
		fmt.Fprintln(std.err)
	}
	switch {
	case ctx.Err() != nil:
		std.note("interrupted in case %d: the report is not whole", ran)
		return exitFailed
	case err != nil:
		return std.fail(exitCannot, hint, "autobahn testeeclient: %v", withoutPrefix(err))
	}
	std.note("done: %d cases. How they went, the fuzzing server says", ran)
	return exitOK
}
