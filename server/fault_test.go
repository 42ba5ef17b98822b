package server_test

import (
	"context"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/server"
)

// faultyListener is a listener whose connections go through wrap.
type faultyListener struct {
	*pipes
	wrap func(net.Conn) net.Conn
}

func (l faultyListener) Accept() (net.Conn, error) {
	nc, err := l.pipes.Accept()
	if err != nil {
		return nil, err
	}
	return l.wrap(nc), nil
}

// Whatever operation of a connection's life at a server fails, from the first
// byte of the handshake to the last of the shutdown: it ends in bounded time, OnOpen
// and OnClose keep their promise, and nothing is left behind (or the bubble would
// not end).
func TestServer_EndsInOrder_WhicheverOperationFails(t *testing.T) {
	for name, fail := range map[string]func(net.Conn, int, error) *conntest.Faulty{
		"any operation": conntest.FailAt,
		"read":          conntest.FailReadAt,
		"write":         conntest.FailWriteAt,
		"short write":   conntest.ShortWriteAt,
	} {
		t.Run(name, func(t *testing.T) {
			for n := 1; ; n++ {
				ops := 0
				synctest.Test(t, func(t *testing.T) { ops = liveOneLife(t, n, fail) })
				if ops >= n {
					continue // the n-th was reached, and failed
				}
				if ops < 4 {
					t.Errorf("a whole life had only %d operations", ops)
				}
				break
			}
		})
	}
}

// liveOneLife accepts, echoes, pings and shuts down with the n-th operation of the
// server's failing, and returns how many there were.
func liveOneLife(t *testing.T, n int, fail func(net.Conn, int, error) *conntest.Faulty) int {
	var faulty *conntest.Faulty
	l := faultyListener{listenPipes(), func(nc net.Conn) net.Conn {
		faulty = fail(nc, n, nil)
		return faulty
	}}
	opened, closed := 0, 0
	srv := &server.Server{Logger: quiet(), Handler: &server.Service{
		Logger:  quiet(),
		OnOpen:  func(*conn.Conn, *http.Request) error { opened++; return nil },
		OnText:  func(_ *conn.Conn, m conn.Message) (any, error) { return m, nil },
		OnClose: func(*conn.Conn, error) { closed++ },
	}}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()

	start := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, _, err := client.Dial(ctx, "ws://example.test/", &client.Options{DialContext: l.dial, Proxy: noProxy})
	if err == nil {
		c.WriteText(ctx, "hello")
		c.Read(ctx)
		go drain(c)
		c.Ping(ctx)
	}
	if err := srv.Shutdown(ctx); err != nil {
		t.Errorf("operation %d: Shutdown: %v", n, err)
	}
	<-served
	if c != nil {
		c.CloseNow()
	}
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("operation %d: over after %v", n, took)
	}
	if opened != closed {
		t.Errorf("operation %d: OnOpen ran %d times, OnClose %d", n, opened, closed)
	}
	return faulty.Ops()
}

// A handshake that ends, is reset or stops at any of its bytes opens nothing and
// costs nothing when its time is over.
func TestServer_OpensNothing_WhereverTheHandshakeStops(t *testing.T) {
	whole := request("Origin: http://example.test")
	for name, stop := range map[string]func(nc *conntest.Conn){
		"end":   func(nc *conntest.Conn) { nc.CloseWrite() },
		"reset": func(nc *conntest.Conn) { nc.Reset() },
		"stall": func(*conntest.Conn) {},
	} {
		t.Run(name, func(t *testing.T) {
			for i := range len(whole) {
				synctest.Test(t, func(t *testing.T) {
					l := run(t, &server.Server{Handler: &server.Service{
						OnOpen: func(*conn.Conn, *http.Request) error { t.Errorf("opened after %d bytes", i); return nil },
						Logger: quiet(),
					}, Logger: quiet()})
					nc, err := l.dial(t.Context(), "", "")
					if err != nil {
						t.Fatal(err)
					}
					defer nc.Close()
					nc.Write([]byte(whole[:i]))
					stop(nc.(*conntest.Conn))
					start := time.Now()
					for err == nil { // what comes may be a 400
						_, err = nc.Read(make([]byte, 512))
					}
					if took := time.Since(start); took > server.DefaultHandshakeTimeout+time.Second {
						t.Errorf("after %d bytes: the server let go after %v", i, took)
					}
				})
			}
		})
	}
}
