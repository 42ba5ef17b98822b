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
	request     string
	unread      string // of it
}

func (c *caller) Accept() (net.Conn, error) {
	if _, ok := <-c.calls; !ok {
		return nil, net.ErrClosed
	}
	c.unread = c.request
	return c, nil
}

func (c *caller) Read(p []byte) (int, error) {
	if c.unread == "" {
		return 0, io.EOF
	}
	n := copy(p, c.unread)
	c.unread = c.unread[n:]
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

// calls serves h and returns how to call it once with request, until the test ends.
func calls(t testing.TB, h http.Handler, request string) (once func()) {
	l := &caller{calls: make(chan struct{}), gone: make(chan struct{}), request: request}
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

// upgrades are what there is to measure: how it is served, and what is asked for.
var upgrades = []struct {
	name    string
	handler http.Handler
	request string
	allocs  float64
}{
	{"Service", byCallbacks, request("Origin: http://example.test"), 12},
	{"Accept", byHand, request("Origin: http://example.test"), 12},
	{"Service and browser", byCallbacks, request("Origin: http://example.test", offerOfBrowsers), 17},
}

const offerOfBrowsers = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"

// What the server does for a connection that comes and goes: the client costs nothing.
func BenchmarkServerUpgrade(b *testing.B) {
	for _, u := range upgrades {
		b.Run(u.name, func(b *testing.B) {
			once := calls(b, u.handler, u.request)
			b.ReportAllocs()
			for b.Loop() {
				once()
			}
		})
	}
}

// Most of it is the connection itself: the handshake has one string, that of its head,
// and what is said of extensions.
func TestServer_AConnectionThatComesAndGoes_AllocatesLittle(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, u := range upgrades {
		if n := testing.AllocsPerRun(1000, calls(t, u.handler, u.request)); n > u.allocs {
			t.Errorf("%s: %v allocations, want %v at the most", u.name, n, u.allocs)
		}
	}
}
