package autobahn

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// startEcho serves on a port of this machine until the test ends.
func startEcho(t *testing.T, h habit) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { serve(conn, h) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	return l.Addr().String()
}

func chosen(t *testing.T, patterns ...string) []Case {
	t.Helper()
	cases, err := Select(Cases(), patterns, nil)
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

func TestFuzzingClient_Runs_Cases(t *testing.T) {
	address := startEcho(t, wellBehaved)
	var started, finished []string
	f := FuzzingClient{Options{Cases: chosen(t, "1.*", "9.7.*"), Messages: 5,
		OnStart:  func(id string) { started = append(started, id) },
		OnResult: func(r Result) { finished = append(finished, r.ID) }}}
	results, err := f.Run(t.Context(), "ws://"+address)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for i, r := range results {
		ids = append(ids, r.ID)
		if r.Case != i+1 || r.Agent != "echo" || r.IsServer {
			t.Errorf("%s: number %d, agent %q", r.ID, r.Case, r.Agent)
		}
		wantVerdict(t, r, "OK/OK")
	}
	if !slices.IsSortedFunc(ids, compareIDs) || len(ids) != 22 {
		t.Errorf("%v", ids)
	}
	slices.SortFunc(started, compareIDs)
	slices.SortFunc(finished, compareIDs)
	if !slices.Equal(started, ids) || !slices.Equal(finished, ids) {
		t.Errorf("started %v, finished %v", started, finished)
	}
	if r := results[len(results)-1]; !strings.Contains(r.Description, "5") {
		t.Errorf("the number of messages is not in %q", r.Description)
	}
}

func TestFuzzingClient_Names_ItsAgent(t *testing.T) {
	f := FuzzingClient{Options{Cases: chosen(t, "1.1.1"), Agent: "swan", Parallel: 1}}
	results, err := f.Run(t.Context(), "ws://"+startEcho(t, wellBehaved)+"/x")
	if err != nil || results[0].Agent != "swan" || !strings.HasPrefix(results[0].HTTPRequest, "GET /x HTTP/1.1\r\n") {
		t.Error(results, err)
	}
}

// Whoever cannot begin says why, and what to do.
func TestFuzzingClient_Says_WhatToDo(t *testing.T) {
	plain := httptest.NewServer(nil)
	defer plain.Close()
	secure := httptest.NewUnstartedServer(nil)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	hostOf := func(s *httptest.Server) string { return s.Listener.Addr().String() }
	tests := []struct{ name, url, want string }{
		{"no URL", "://", "is no URL: write ws://host:port/path"},
		{"no ws", "http://x", "does not begin with ws:// or wss://"},
		{"no host", "ws:///x", "has no host"},
		{"fragment", "ws://x/#a", "leave out what begins with #"},
		{"nobody", "ws://127.0.0.1:1", "start the server first"},
		{"no such host", "ws://swan.invalid", `there is no host "swan.invalid"`},
		{"no TLS", "wss://" + hostOf(plain), "write ws:// instead of wss://"},
		{"unknown authority", "wss://" + hostOf(secure), "name its authority"},
		{"TLS", "ws://" + hostOf(secure), "name the path of a WebSocket echo"},
		{"no WebSocket", "ws://" + hostOf(plain), `answered "HTTP/1.1 404 Not Found": name the path`},
		{"refused", "ws://" + startEcho(t, refuses), "403"},
		{"hung up", "ws://" + startEcho(t, hangsUp), "is it a WebSocket server, and is it ws that it speaks?"},
		{"no HTTP", "ws://" + startEcho(t, noHTTP), "does not open a WebSocket"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := FuzzingClient{Options{Cases: chosen(t, "1.1.1")}}
			_, err := f.Run(t.Context(), tt.url)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
	for _, side := range []string{"for client\nbytewise\n< open\nend us 1000"} {
		f := FuzzingClient{Options{Cases: []Case{parse(t, beginning+side)}}}
		if _, err := f.Run(t.Context(), "ws://127.0.0.1:1"); err == nil || !strings.Contains(err.Error(), "none of those chosen is for servers") {
			t.Error(err)
		}
	}
}

func TestFuzzingClient_Speaks_TLS(t *testing.T) {
	ours, theirs := certificates(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	secure := tls.NewListener(l, theirs)
	var all sync.WaitGroup
	defer all.Wait()
	defer l.Close()
	all.Go(func() {
		for {
			conn, err := secure.Accept()
			if err != nil {
				return
			}
			all.Go(func() { serve(conn, wellBehaved) })
		}
	})
	wrapped := 0
	f := FuzzingClient{Options{Cases: chosen(t, "1.1.*", "5.*"), TLS: ours, Parallel: 1, Wrap: func(c net.Conn) net.Conn { wrapped++; return c }}}
	results, err := f.Run(t.Context(), "wss://"+l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		wantVerdict(t, r, "OK/OK")
	}
	if wrapped != len(results)+1 {
		t.Errorf("%d connections were wrapped", wrapped)
	}
}

// certificates returns what a client and a server of this machine need.
func certificates(t *testing.T) (client, server *tls.Config) {
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	t.Cleanup(s.Close)
	client = s.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	return client, s.TLS
}

// A server that goes away in the midst of it fails the cases, and not the run.
func TestFuzzingClient_Outlives_TheServer(t *testing.T) {
	n := 0
	f := FuzzingClient{Options{Cases: chosen(t, "1.1.*"), Parallel: 1, Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		if n++; n > 3 {
			return nil, errors.New("nobody there")
		}
		ours, theirs := net.Pipe()
		go serve(theirs, wellBehaved)
		return ours, nil
	}}}
	results, err := f.Run(t.Context(), "ws://swan.example")
	if err != nil {
		t.Fatal(err)
	}
	wantVerdict(t, results[1], "OK/OK")
	wantVerdict(t, results[2], "FAILED/FAILED")
	if !strings.Contains(results[2].Result, "nobody there") || results[2].HTTPRequest != "?" {
		t.Error(results[2].story())
	}
}

func TestFuzzingClient_Stops_WithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	address := startEcho(t, wellBehaved)
	f := FuzzingClient{Options{Cases: chosen(t, "1.1.*"), Parallel: 1, OnResult: func(r Result) { cancel() }}}
	results, err := f.Run(ctx, "ws://"+address)
	if !errors.Is(err, context.Canceled) || len(results) != 1 {
		t.Errorf("%d results, %v", len(results), err)
	}
	if _, err := f.Run(ctx, "ws://"+address); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
