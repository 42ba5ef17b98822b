package server_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/server"
)

// A Check that takes its time, panics or ends its goroutine is its own connection's
// affair.
func TestEventLoop_SurvivesWhatACheckDoes(t *testing.T) {
	release := make(chan struct{})
	set := func(_ *server.Server, s *server.Service) {
		s.Check = func(r *http.Request) error {
			switch r.URL.Path {
			case "/slow":
				<-release
			case "/panic":
				panic("in Check")
			case "/exit":
				runtime.Goexit()
			case "/no":
				return &server.Rejection{Status: http.StatusTeapot}
			}
			return nil
		}
	}
	ask := func(path string) string { return strings.Replace(request(), "GET /", "GET "+path, 1) }
	listenInLoop(t, set, func(t *testing.T, _ *server.Server, open func() net.Conn) {
		release = make(chan struct{})
		var slow []net.Conn
		for range 5 {
			nc := open()
			send(t, nc, ask("/slow"))
			slow = append(slow, nc)
		}
		for _, path := range []string{"/panic", "/exit"} {
			nc := open()
			send(t, nc, ask(path))
			if p, err := io.ReadAll(nc); len(p) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%s: %q, %v", path, p, err)
			}
		}
		refused := open()
		send(t, refused, ask("/no"))
		if resp, _ := receive(t, refused); resp.StatusCode != http.StatusTeapot {
			t.Errorf("%s", resp.Status)
		}
		well := open()
		send(t, well, ask("/")+frameX)
		receiveHead(t, well)
		expect(t, well, echoX)
		close(release)
		for _, nc := range slow {
			receiveHead(t, nc)
		}
	})
}

// Frames that come with the handshake have callbacks of any length: others are accepted
// meanwhile.
func TestEventLoop_ACallbackForWhatCameWithTheHandshake_HoldsUpNobody(t *testing.T) {
	var release chan struct{}
	set := func(_ *server.Server, s *server.Service) {
		release = make(chan struct{})
		waitWhenTold(s, release)
	}
	listenInLoop(t, set, func(t *testing.T, _ *server.Server, open func() net.Conn) {
		var slow []net.Conn
		for range 10 {
			nc := open()
			send(t, nc, request()+"\x81\x84\x00\x00\x00\x00wait")
			slow = append(slow, nc)
		}
		well := open()
		send(t, well, request()+frameX)
		receiveHead(t, well)
		expect(t, well, echoX)
		close(release)
		for _, nc := range slow {
			receiveHead(t, nc)
			expect(t, nc, []byte("\x81\x04wait"))
		}
	})
}

// An Observer that ends its goroutine ends one connection, be it that goroutine which
// accepts them.
func TestEventLoop_AcceptsOn_WhateverAnObserverDoes(t *testing.T) {
	for name, come := range map[string]bool{"before": true, "later": false} {
		t.Run(name, func(t *testing.T) {
			var doomed atomic.Value // the address of a peer
			s := echo()
			s.EventLoop = true
			s.Conn.Observer = &conn.Observer{Opened: func(c *conn.Conn) {
				if c.RemoteAddr().String() == doomed.Load() {
					runtime.Goexit()
				}
			}}
			srv := &server.Server{Addr: "127.0.0.1:0", Handler: s, Logger: quiet()}
			at, err := srv.Listen()
			if err != nil {
				t.Fatal(err)
			}
			ended := dialTCP(t, at)
			doomed.Store(ended.LocalAddr().String())
			if come { // it is there when the connection is accepted
				send(t, ended, request())
			}
			runOn(t, srv, srv.ListenAndServe)
			if !come {
				send(t, ended, request())
			}
			receiveHead(t, ended)
			if _, err := io.ReadAll(ended); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("a connection that nobody has is left open")
			}
			rawTCP(t, at) // others are served
		})
	}
}
