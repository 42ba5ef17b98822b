package server_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/server"
)

// The callbacks by name, with the client's bytes that lead to each.
var callbacks = []struct {
	name    string
	trigger string
}{
	{"OnOpen", ``},
	{"OnMessage", `8181 00000000 "x"`},
	{"OnText", `8181 00000000 "x"`},
	{"OnBinary", `8281 00000000 "x"`},
	{"OnPing", `8981 00000000 "x"`},
	{"OnPong", `8a81 00000000 "x"`},
	{"OnPing in a message", `0181 00000000 "x" 8980 00000000`},
	{"OnIdleTimeout", ``},
	{"OnError", `8100`},
	{"OnClose", `8882 00000000 03e8`},
}

// doIn makes the callback of that name call f, and all of them take notes.
func doIn(name string, j *journal, f func(c *conn.Conn)) *server.Service {
	return failIn(name, j, func(c *conn.Conn) error { f(c); return nil })
}

// failIn is doIn for an f whose error the callback returns, if it can.
func failIn(name string, j *journal, f func(c *conn.Conn) error) *server.Service {
	name, _, _ = strings.Cut(name, " ")
	s := recorded(j)
	in := func(own string, c *conn.Conn) error {
		if own == name {
			return f(c)
		}
		return nil
	}
	handler := func(own string) server.Handler {
		return func(c *conn.Conn, m conn.Message) (any, error) {
			j.note("%v %s", m.Type, m.Data)
			return nil, in(own, c)
		}
	}
	if name == "OnMessage" {
		s.OnMessage, s.OnText, s.OnBinary = handler("OnMessage"), nil, nil
	} else {
		s.OnText, s.OnBinary = handler("OnText"), handler("OnBinary")
	}
	if name == "OnIdleTimeout" {
		s.Conn.IdleTimeout = time.Second
		s.OnIdleTimeout = func(c *conn.Conn) error { j.note("idle"); return in("OnIdleTimeout", c) }
	}
	s.OnOpen = func(c *conn.Conn, _ *http.Request) error { j.note("open"); return in("OnOpen", c) }
	s.OnPing = func(c *conn.Conn, p []byte) []byte { j.note("ping %s", p); in("OnPing", c); return nil }
	s.OnPong = func(c *conn.Conn, p []byte) { j.note("pong %s", p); in("OnPong", c) }
	s.OnError = func(c *conn.Conn, err error) { j.note("error %T", err); in("OnError", c) }
	s.OnClose = func(c *conn.Conn, err error) { j.note("close"); in("OnClose", c) }
	return s
}

// trigger makes the peer do what leads to a callback, in a bubble of synctest.
func trigger(peer net.Conn, name, wire string) {
	peer.Write(conntest.Hex(wire))
	synctest.Wait()
	if name == "OnIdleTimeout" {
		<-time.After(time.Second)
		synctest.Wait()
	}
}

// A callback may call what it likes on its connection: none of it waits for the
// goroutine that the callback itself holds up.
func TestService_CallbacksMayUseTheConnection(t *testing.T) {
	short := func() (context.Context, context.CancelFunc) {
		return context.WithTimeout(context.Background(), 3*time.Second)
	}
	operations := map[string]func(*conn.Conn){
		"Close":         func(c *conn.Conn) { c.Close(1000, "") },
		"Close twice":   func(c *conn.Conn) { c.Close(1000, ""); c.Close(1001, "") },
		"CloseNow":      func(c *conn.Conn) { c.CloseNow() },
		"Write":         func(c *conn.Conn) { c.Write(context.Background(), conn.Text, []byte("x")) },
		"Write 200 KiB": func(c *conn.Conn) { c.Write(context.Background(), conn.Binary, make([]byte, 200<<10)) },
		"Ping":          func(c *conn.Conn) { ctx, cancel := short(); defer cancel(); c.Ping(ctx) },
		"Read":          func(c *conn.Conn) { ctx, cancel := short(); defer cancel(); c.Read(ctx) },
		"Writer": func(c *conn.Conn) {
			w, _ := c.Writer(context.Background(), conn.Text)
			if w != nil {
				io.WriteString(w, "x")
				w.Close()
			}
		},
		"Write, Close":                    func(c *conn.Conn) { c.WriteText(context.Background(), "x"); c.Close(4000, "bye") },
		"Close in a new goroutine, Write": func(c *conn.Conn) { go c.Close(1000, ""); c.WriteText(context.Background(), "x") },
	}
	for _, cb := range callbacks {
		for name, operation := range operations {
			for _, polite := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s/%s/polite=%v", cb.name, name, polite), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						j := new(journal)
						peer, ended := serveRaw(doIn(cb.name, j, operation))
						trigger(peer, cb.name, cb.trigger)
						go playPeer(peer, polite)
						select {
						case <-ended:
						case <-time.After(5 * time.Minute):
							t.Errorf("still there after 5 minutes: %q", j.all())
						}
						peer.Close()
						lines := j.all()
						if n := j.count("close"); n != 1 || lines[len(lines)-1] != "close" {
							t.Errorf("OnClose should come once, and last: %q", lines)
						}
					})
				})
			}
		}
	}
}

// playPeer reads everything, and then, after a minute, closes; a polite peer
// answers with a Close frame as soon as it is sent one.
func playPeer(nc net.Conn, polite bool) {
	if polite {
		c := conn.New(nc, conn.Config{Role: machine.Client})
		defer c.CloseNow()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		for {
			if _, err := c.Read(ctx); err != nil {
				return
			}
		}
	}
	nc.SetReadDeadline(time.Now().Add(time.Minute))
	io.Copy(io.Discard, nc)
	nc.Close()
}
