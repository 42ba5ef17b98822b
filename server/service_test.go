package server_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
	"github.com/swan-ws/websocket/server"
)

// serveRaw runs s for a connection whose peer is played by hand. ended is closed
// when Serve has returned, or its goroutine has ended.
func serveRaw(s *server.Service) (peer *conntest.Conn, ended chan struct{}) {
	peer, there := conntest.Pipe()
	return peer, serveStream(s, there)
}

func serveStream(s *server.Service, nc net.Conn) (ended chan struct{}) {
	c := conn.New(nc, conn.Config{Options: s.ConnOptions(), Role: machine.Server})
	ended = make(chan struct{})
	go func() {
		defer close(ended)
		s.Serve(c, nil)
	}()
	return ended
}

// recorded is a Service that notes every callback in j.
func recorded(j *journal) *server.Service {
	noteMessage := func(_ *conn.Conn, m conn.Message) (any, error) { j.note("%v %s", m.Type, m.Data); return nil, nil }
	return &server.Service{
		OnOpen:   func(*conn.Conn, *http.Request) error { j.note("open"); return nil },
		OnText:   noteMessage,
		OnBinary: noteMessage,
		OnPing:   func(_ *conn.Conn, p []byte) []byte { j.note("ping %s", p); return nil },
		OnPong:   func(_ *conn.Conn, p []byte) { j.note("pong %s", p) },
		OnError:  func(_ *conn.Conn, err error) { j.note("error %v", err) },
		OnClose:  func(_ *conn.Conn, err error) { j.note("close %d", conn.CloseStatus(err)) },
		Logger:   quiet(),
	}
}

func TestService_CallsBackInTheOrderOfTheWire(t *testing.T) {
	wire := conntest.Hex(`
		89 81 00000000 "a"          ; Ping
		81 81 00000000 "b"
		8a 81 00000000 "c"          ; Pong
		82 81 00000000 "d"
		01 81 00000000 "e"          ; a message with a Ping and a Pong inside
		89 81 00000000 "f"
		00 81 00000000 "g"
		8a 80 00000000
		80 81 00000000 "h"
		81 80 00000000
		88 82 00000000 03e8         ; Close
		81 81 00000000 "z"          ; too late`)
	want := []string{"open", "ping a", "text b", "pong c", "binary d", "ping f", "pong ", "text egh", "text ", "close 1000"}
	for _, size := range []int{1, 2, 7, len(wire)} {
		j := new(journal)
		peer, there := conntest.Pipe()
		ended := serveStream(recorded(j), conntest.Chop(there, size))
		if _, err := peer.Write(wire); err != nil {
			t.Fatal(err)
		}
		<-ended
		if diff := cmp.Diff(want, j.all()); diff != "" {
			t.Errorf("in pieces of %d: %s", size, diff)
		}
		peer.Close()
	}
}

func TestService_NeedsNoCallback(t *testing.T) {
	peer, ended := serveRaw(&server.Service{Logger: quiet()})
	peer.Write(conntest.Hex(`8980 00000000 8a80 00000000 8882 00000000 03e8`))
	<-ended
	expect(t, peer, conntest.Hex(`8a00 8802 03e8`))
	expectEnd(t, peer)
}

// "1003 indicates that an endpoint is terminating the connection because it has
// received a type of data it cannot accept" (§7.4.1).
func TestService_RefusesATypeWithoutCallback(t *testing.T) {
	for _, tt := range []struct {
		name    string
		send    string
		handles string
	}{
		{"text", `8181 00000000 "x"`, "binary"},
		{"binary", `8281 00000000 "x"`, "text"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := new(journal)
			s := recorded(j)
			if s.OnBinary = nil; tt.handles == "binary" {
				s.OnText, s.OnBinary = nil, recorded(j).OnBinary
			}
			peer, ended := serveRaw(s)
			peer.Write(conntest.Hex(tt.send))
			reason := frame.AppendClose(nil, frame.CloseUnsupportedData, "no "+tt.name+" messages here")
			expect(t, peer, append([]byte{0x88, byte(len(reason))}, reason...))
			peer.Write(conntest.Hex(`8882 00000000 03eb`))
			<-ended
			if diff := cmp.Diff([]string{"open", "close 1003"}, j.all()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// However a connection ends, OnClose is called once, after everything else, on
// a connection that is closed.
func TestService_CallsOnCloseOnce_WhateverTheEnd(t *testing.T) {
	closeFrame := conntest.Hex(`8882 00000000 03e8`)
	for _, tt := range []struct {
		name string
		onX  func(c *conn.Conn) // what the callback for "x" does
		peer func(nc *conntest.Conn)
		want frame.CloseCode
	}{
		{"peer closes", nil, func(nc *conntest.Conn) { nc.Write(closeFrame) }, 1000},
		{"peer closes without a code", nil, func(nc *conntest.Conn) { nc.Write(conntest.Hex(`8880 00000000`)) }, 1005},
		{"own Close", func(c *conn.Conn) { c.Close(4001, "enough") }, func(nc *conntest.Conn) { nc.Write(closeFrame) }, 4001},
		{"own Close, no answer", func(c *conn.Conn) { c.Close(4001, "enough") }, func(*conntest.Conn) {}, 4001},
		{"own Close from elsewhere", func(c *conn.Conn) { go c.Close(4001, "") }, func(nc *conntest.Conn) { nc.Write(closeFrame) }, 4001},
		{"CloseNow", func(c *conn.Conn) { c.CloseNow() }, func(*conntest.Conn) {}, 1006},
		{"CloseNow from elsewhere", func(c *conn.Conn) { go c.CloseNow() }, func(*conntest.Conn) {}, 1006},
		{"lost", nil, func(nc *conntest.Conn) { nc.Close() }, 1006},
		{"reset", nil, func(nc *conntest.Conn) { nc.Reset() }, 1006},
		{"lost in a frame", nil, func(nc *conntest.Conn) { nc.Write([]byte{0x81}); nc.Close() }, 1006},
		{"fault", nil, func(nc *conntest.Conn) { nc.Write(conntest.Hex(`8100`)); nc.Close() }, 1002},
		{"silence", nil, func(*conntest.Conn) {}, 1006},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := new(journal)
				s := recorded(j)
				s.OnError = nil
				s.OnText = func(c *conn.Conn, _ conn.Message) (any, error) {
					if tt.onX != nil {
						tt.onX(c)
					}
					return nil, nil
				}
				s.OnClose = func(c *conn.Conn, err error) {
					j.note("close %d %v", conn.CloseStatus(err), c.Phase())
					if !errors.Is(err, net.ErrClosed) || err != c.Err() {
						t.Errorf("OnClose got %v", err)
					}
				}
				peer, ended := serveRaw(s)
				peer.Write(conntest.Hex(`8181 00000000 "x"`))
				synctest.Wait()
				tt.peer(peer)
				<-ended
				peer.Close()
				if diff := cmp.Diff([]string{"open", fmt.Sprintf("close %d closed", tt.want)}, j.all()); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestService_ReportsAFault(t *testing.T) {
	j := new(journal)
	s := recorded(j)
	s.OnError = func(c *conn.Conn, err error) {
		if _, ok := errors.AsType[*frame.ProtocolError](err); !ok {
			t.Errorf("want a *frame.ProtocolError, got %v", err)
		}
		j.note("error %d", conn.CloseStatus(err))
	}
	peer, ended := serveRaw(s)
	peer.Write(conntest.Hex(`8182 00000000 c328`)) // not UTF-8
	expect(t, peer, conntest.Hex(`88`))
	peer.Close()
	<-ended
	if want := []string{"open", "error 1007", "close 1007"}; !slices.Equal(j.all(), want) {
		t.Errorf("got %q, want %q", j.all(), want)
	}
}

// The peer's orderly end and a lost connection are no errors of anybody's.
func TestService_LogsNothingInOrdinaryLife(t *testing.T) {
	for _, end := range []func(*conntest.Conn){
		func(nc *conntest.Conn) { nc.Write(conntest.Hex(`8882 00000000 03e8`)) },
		func(nc *conntest.Conn) { nc.Reset() },
	} {
		log, lines := logbook()
		s := echo()
		s.Logger = log
		s.OnError = func(_ *conn.Conn, err error) { t.Errorf("OnError(%v)", err) }
		peer, ended := serveRaw(s)
		peer.Write(conntest.Hex(`8181 00000000 "x"`))
		expect(t, peer, conntest.Hex(`8101 "x"`))
		end(peer)
		<-ended
		if got := lines.lines(); len(got) != 1 || got[0] != "" {
			t.Errorf("logged %q", got)
		}
		peer.Close()
	}
}

func TestService_KeepsTheOptionsHooks(t *testing.T) {
	var own, given journal
	s := &server.Service{
		Options: server.Options{Conn: conn.Options{
			MaxMessage: 7,
			OnPing:     func(*conn.Conn, []byte) { given.note("ping") },
			OnPong:     func(*conn.Conn, []byte) { given.note("pong") },
		}},
		OnPong: func(*conn.Conn, []byte) { own.note("pong") },
	}
	o := s.ConnOptions()
	c, peer := conntest.Pair(conn.Options{}, conn.Options{})
	defer c.CloseNow()
	defer peer.CloseNow()
	o.OnPing(c, nil)
	o.OnPong(c, nil)
	if o.MaxMessage != 7 || !slices.Equal(given.all(), []string{"ping"}) || !slices.Equal(own.all(), []string{"pong"}) {
		t.Errorf("MaxMessage %d, Options' hooks saw %q, the Service's %q", o.MaxMessage, given.all(), own.all())
	}
}
