package server_test

import (
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/server"
)

// caller is a listener with one client, and the client's connection: it sends its
// handshake, reads the answer, and goes.
type caller struct {
	net.Conn
	calls, gone chan struct{}
	head        []byte
}

func (c *caller) Accept() (net.Conn, error) {
	if _, ok := <-c.calls; !ok {
		return nil, net.ErrClosed
	}
	c.head = callersHead
	return c, nil
}

var callersHead = []byte(request("Origin: http://example.test"))

func (c *caller) Read(p []byte) (int, error) {
	if len(c.head) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.head)
	c.head = c.head[n:]
	return n, nil
}

func (c *caller) Write(p []byte) (int, error)      { return len(p), nil }
func (c *caller) Close() error                     { c.gone <- struct{}{}; return nil }
func (c *caller) Addr() net.Addr                   { return &net.TCPAddr{} }
func (c *caller) LocalAddr() net.Addr              { return c.addr() }
func (c *caller) RemoteAddr() net.Addr             { return c.addr() }
func (c *caller) SetDeadline(time.Time) error      { return nil }
func (c *caller) SetReadDeadline(time.Time) error  { return nil }
func (c *caller) SetWriteDeadline(time.Time) error { return nil }

func (c *caller) addr() net.Addr { return callersAddr }

var callersAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1000}

// lastCall is the listener, which nobody hangs up.
type lastCall struct{ *caller }

func (lastCall) Close() error { return nil }

// calls serves h and returns how to call it once, until the test ends.
func calls(t testing.TB, h http.Handler) (once func()) {
	l := &caller{calls: make(chan struct{}), gone: make(chan struct{})}
	t.Cleanup(func() { close(l.calls) }) // when it is served no more
	s := &server.Server{Handler: h, Logger: quiet()}
	runOn(t, s, func() error { return s.Serve(lastCall{l}) })
	return func() {
		l.calls <- struct{}{}
		<-l.gone
	}
}

// byCallbacks and byHand are the two ways to serve: the second has another read the
// request.
var (
	byCallbacks = &server.Service{Logger: quiet(), OnError: func(*conn.Conn, error) {}}
	byHand      = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := server.Accept(w, r, nil); err == nil {
			go drain(c)
		}
	})
)

// What the server does for a connection that comes and goes: the client costs nothing.
func BenchmarkServerUpgrade(b *testing.B) {
	for name, h := range map[string]http.Handler{"Service": byCallbacks, "Accept": byHand} {
		b.Run(name, func(b *testing.B) {
			once := calls(b, h)
			b.ReportAllocs()
			for b.Loop() {
				once()
			}
		})
	}
}

// Most of it is the connection itself: the handshake has one string, that of its head.
func TestServer_AConnectionThatComesAndGoes_AllocatesLittle(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for name, h := range map[string]http.Handler{"Service": byCallbacks, "Accept": byHand} {
		if n := testing.AllocsPerRun(1000, calls(t, h)); n > 20 {
			t.Errorf("%s: %v allocations, want 20 at the most", name, n)
		}
	}
}
