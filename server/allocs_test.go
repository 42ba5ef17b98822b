package server_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	deflate "github.com/swan-ws/websocket/permessage-deflate"
	"github.com/swan-ws/websocket/server"
)

// echoes are the ways in which a callback sends a message back.
var echoes = []struct {
	name   string
	allocs float64
	back   server.Handler
}{
	{"Write", 0, func(c *conn.Conn, m conn.Message) (any, error) { return nil, c.Write(c.Context(), m.Type, m.Data) }},
	{"a Prepared", 0, nil}, // made beforehand
	// What is returned by value is put into an any.
	{"the message", 1, func(_ *conn.Conn, m conn.Message) (any, error) { return m, nil }},
	{"bytes", 1, func(_ *conn.Conn, m conn.Message) (any, error) { return m.Data, nil }},
}

func TestService_CallsBackAndReplies_WithoutAllocating(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates, and makes pools forget")
	}
	for _, eventLoop := range []bool{false, true} {
		for _, mode := range []deflate.Mode{deflate.Off, deflate.NoTakeover, deflate.Takeover} {
			for _, e := range echoes {
				t.Run(fmt.Sprintf("%s, %v, loop %v", e.name, mode, eventLoop), func(t *testing.T) {
					for _, size := range []int{16, 125, 126, 1 << 10, 16 << 10, 64 << 10} {
						message := []byte(strings.Repeat("a swan on a lake ", size/17+1))[:size]
						prepared := conn.Prepare(conn.Text, message)
						back := e.back
						if back == nil {
							back = func(*conn.Conn, conn.Message) (any, error) { return prepared, nil }
						}
						s := &server.Service{OnMessage: back, EventLoop: eventLoop, Logger: quiet()}
						s.Conn.Compression.Mode = mode
						c := dialWith(t, s, mode)
						if n := allocsOfRoundTrip(t, c, message); n > e.allocs {
							t.Errorf("%d bytes: %v allocations", size, n)
						}
						c.CloseNow()
					}
				})
			}
		}
	}
}

// dialWith connects over TCP to s, and agrees to compress as it does.
func dialWith(t *testing.T, s *server.Service, mode deflate.Mode) *conn.Conn {
	srv, l := &server.Server{Handler: s, Logger: quiet()}, listenTCP(t)
	runOn(t, srv, func() error { return srv.Serve(l) })
	o := &client.Options{Proxy: noProxy}
	o.Conn.Compression.Mode = mode
	c, _, err := client.Dial(t.Context(), "ws://"+l.Addr().String()+"/", o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func allocsOfRoundTrip(t *testing.T, c *conn.Conn, message []byte) float64 {
	ctx, buf := context.Background(), make([]byte, 0, len(message))
	return testing.AllocsPerRun(100, func() {
		if err := c.Write(ctx, conn.Text, message); err != nil {
			t.Fatal(err)
		}
		if m, err := c.ReadInto(ctx, buf); err != nil || len(m.Data) != len(message) {
			t.Fatal(len(m.Data), err)
		}
	})
}
