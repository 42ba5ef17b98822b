package client_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
)

// host is a server over TCP that can be started again, each time at a new port.
type host struct {
	t       *testing.T
	starts  int
	l       net.Listener
	streams chan net.Conn
	addr    atomic.Value
}

func newHost(t *testing.T) (*host, *client.Options) {
	h := &host{t: t}
	h.addr.Store(refusedAddress(t))
	return h, &client.Options{
		Retry: &client.Retry{Interval: time.Millisecond, MaxInterval: 5 * time.Millisecond},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, h.addr.Load().(string))
		},
	}
}

// start greets whoever comes with "Connected" and the number of the start.
func (h *host) start() {
	var err error
	if h.l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		h.t.Fatal(err)
	}
	h.starts++
	greeting := fmt.Sprint("Connected ", h.starts)
	h.streams = make(chan net.Conn, 10)
	h.addr.Store(h.l.Addr().String())
	l, streams := h.l, h.streams
	go func() {
		defer close(streams)
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			streams <- nc
			r, err := readRequest(nc)
			if err != nil {
				return
			}
			respond(nc, r, accepted)
			nc.Write(frame.Header{Fin: true, Opcode: frame.OpText, Length: uint64(len(greeting))}.Append(nil))
			io.WriteString(nc, greeting)
		}
	}()
}

// stop ends the server and its connections.
func (h *host) stop() {
	h.l.Close()
	for nc := range h.streams {
		nc.Close()
	}
}

func TestKeep_OverTCP_OutlivesItsServers(t *testing.T) {
	h, o := newHost(t)
	retries := 0
	o.Retry.OnRetry = func(error, int, time.Duration) {
		if retries++; retries%3 == 0 { // it is down at first, and after each stop
			h.start()
		}
	}
	var got []string
	err := client.Keep(t.Context(), "ws://example.test/", o, func(ctx context.Context, c *conn.Conn) error {
		for m, err := range c.Messages(ctx) {
			if err != nil {
				return err
			}
			got = append(got, string(m.Data))
			h.stop() // while the client reads
			if len(got) == 3 {
				break
			}
		}
		return nil
	})
	if want := []string{"Connected 1", "Connected 2", "Connected 3"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
}
