package server_test

//lint:file-ignore SA1019 net/http's Transport does not take ":protocol".

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
	_ "github.com/swan-ws/websocket/http2" // serveHTTP2 needs it
	deflate "github.com/swan-ws/websocket/permessage-deflate"
	"github.com/swan-ws/websocket/server"
)

// serveHTTP2 runs an http.Server with h that speaks HTTP/2 in the clear, and returns
// what takes requests to it.
func serveHTTP2(t testing.TB, h http.Handler) *http2.Transport {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	return transportTo(t, serveOn(t, &http.Server{Handler: h, Protocols: protocols, ReadTimeout: time.Minute, WriteTimeout: time.Minute}))
}

func transportTo(t testing.TB, l *pipes) *http2.Transport {
	return closing(t, &http2.Transport{AllowHTTP: true, DialTLSContext: func(ctx context.Context, network, addr string, _ *tls.Config) (net.Conn, error) {
		return l.dial(ctx, network, addr)
	}})
}

func closing(t testing.TB, transport *http2.Transport) *http2.Transport {
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

func dialHTTP2(t testing.TB, via http.RoundTripper, o client.Options) (*conn.Conn, *http.Response) {
	t.Helper()
	o.HTTP2 = via
	c, resp, err := client.Dial(t.Context(), "ws://example.test/socket?x=1", &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow() })
	return c, resp
}

// dials counts the TCP connections that a transport opens.
func dials(via *http2.Transport) *atomic.Int32 {
	n, dial := new(atomic.Int32), via.DialTLSContext
	via.DialTLSContext = func(ctx context.Context, network, addr string, c *tls.Config) (net.Conn, error) {
		n.Add(1)
		return dial(ctx, network, addr, c)
	}
	return n
}

// RFC 8441 §5
func TestService_TakesConnectionsOverHTTP2(t *testing.T) {
	s := echo()
	s.Subprotocols = []string{"swan"}
	s.Conn.Compression = deflate.Options{Mode: deflate.Takeover}
	s.Header = http.Header{"Set-Cookie": {"who=swan"}}
	requests, ended := make(chan *http.Request, 1), make(chan error, 1)
	s.OnOpen = func(c *conn.Conn, r *http.Request) error { requests <- r; return nil }
	s.OnClose = func(c *conn.Conn, err error) { ended <- err }
	c, resp := dialHTTP2(t, serveHTTP2(t, s), client.Options{
		Subprotocols: []string{"goose", "swan"},
		Conn:         conn.Options{Compression: deflate.Options{Mode: deflate.Takeover}},
	})
	r := <-requests
	if r.ProtoMajor != 2 || r.URL.RequestURI() != "/socket?x=1" || r.Host != "example.test" {
		t.Errorf("request %s %s %s", r.Proto, r.Host, r.URL)
	}
	if r.Body != http.NoBody {
		t.Error("OnOpen could read frames")
	}
	if resp.StatusCode != 200 || resp.Header.Get("Set-Cookie") != "who=swan" || resp.Header["Sec-Websocket-Accept"] != nil {
		t.Errorf("response %s %v", resp.Status, resp.Header)
	}
	if c.Subprotocol() != "swan" || !strings.HasPrefix(resp.Header.Get("Sec-WebSocket-Extensions"), "permessage-deflate") {
		t.Errorf("agreed on %q, %v", c.Subprotocol(), resp.Header)
	}
	for _, text := range []string{"", "swan", strings.Repeat("swan", 1<<17)} {
		roundTrip(t, c, text)
	}
	if err := c.Close(3000, "enough"); err != nil {
		t.Error(err)
	}
	if err := <-ended; conn.CloseStatus(err) != 3000 {
		t.Error(err)
	}
}

// What else goes over the TCP connection must not suffer.
func TestService_RefusesOverHTTP2_ThisStreamAlone(t *testing.T) {
	full := new(server.Group)
	full.Shutdown(t.Context())
	mux := http.NewServeMux()
	mux.Handle("/", echo())
	mux.Handle("/full", &server.Service{Options: server.Options{Group: full}, Logger: quiet()})
	mux.Handle("/upgrade", server.Upgrade(func(*http.Request) (*server.Service, error) { return echo(), nil }))
	via := serveHTTP2(t, mux)
	n := dials(via)
	field := func(name, value string) http.Header {
		return http.Header{":protocol": {"websocket"}, "Sec-Websocket-Version": {"13"}, name: {value}}
	}
	for _, tt := range []struct {
		path   string
		header http.Header
		want   int
	}{
		{"/", field("Origin", "https://elsewhere.test"), 403},
		{"/", field("Sec-Websocket-Version", "8"), 400},
		{"/", field(":protocol", "connect-udp"), 501},
		{"/", field("Sec-Websocket-Protocol", "a b"), 400},
		{"/full", field("X", "y"), 503},
		{"/upgrade", field("Sec-Websocket-Version", "8"), 400},
		{"/upgrade", field("Origin", "http://example.test"), 200},
	} {
		body, out := io.Pipe()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodConnect, "http://example.test"+tt.path, body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = tt.header
		resp, err := via.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != tt.want || resp.Header["Connection"] != nil {
			t.Errorf("%s %v: %s %v, want %d", tt.path, tt.header, resp.Status, resp.Header, tt.want)
		}
		out.Close()
		resp.Body.Close()
	}
	c, _ := dialHTTP2(t, via, client.Options{})
	roundTrip(t, c, "swan")
	if n.Load() != 1 {
		t.Errorf("%d TCP connections, want 1", n.Load())
	}
}

// The end of a stream without a Close is 1006 on both sides (RFC 8441 §5).
func TestService_OverHTTP2_SeesTheClientGo(t *testing.T) {
	ended := make(chan error, 1)
	s := echo()
	s.OnClose = func(c *conn.Conn, err error) { ended <- err }
	c, _ := dialHTTP2(t, serveHTTP2(t, s), client.Options{})
	roundTrip(t, c, "swan")
	c.CloseNow()
	if err := <-ended; conn.CloseStatus(err) != frame.CloseAbnormal {
		t.Error(err)
	}
}

// rawStream opens a connection by hand.
func rawStream(t *testing.T, via http.RoundTripper) (in io.Reader, out io.WriteCloser) {
	t.Helper()
	body, pipe := io.Pipe()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodConnect, "http://example.test/", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{":protocol": {"websocket"}, "Sec-Websocket-Version": {"13"}}
	resp, err := via.RoundTrip(r)
	if err != nil || resp.StatusCode != 200 {
		t.Fatal(resp, err)
	}
	t.Cleanup(func() { resp.Body.Close(); pipe.Close() })
	return resp.Body, pipe
}

// Frames are masked over HTTP/2 too, and who breaks a rule reads why.
func TestService_OverHTTP2_ClosesForAFault(t *testing.T) {
	ended := make(chan error, 1)
	s := echo()
	s.OnClose = func(c *conn.Conn, err error) { ended <- err }
	in, out := rawStream(t, serveHTTP2(t, s))
	if _, err := out.Write([]byte{0x81, 1, 'x'}); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(in)
	if err != nil || len(got) < 4 || got[0] != 0x88 || got[2] != 1002>>8 || got[3] != 1002&0xff {
		t.Errorf("%x, %v, want a Close with 1002", got, err)
	}
	if err := <-ended; conn.CloseStatus(err) != frame.CloseProtocolError {
		t.Error(err)
	}
}

// A client that takes nothing loses its connection, and no other on the same TCP
// connection waits for it.
func TestService_OverHTTP2_EndsWritesThatWaitForever(t *testing.T) {
	ended := make(chan error, 1)
	mux := http.NewServeMux()
	mux.Handle("/echo", echo())
	mux.Handle("/", &server.Service{
		Options: server.Options{Conn: conn.Options{WriteTimeout: 300 * time.Millisecond}},
		OnText: func(c *conn.Conn, m conn.Message) (any, error) {
			return strings.Repeat("swan", 1<<20), nil
		},
		OnClose: func(c *conn.Conn, err error) { ended <- err },
		Logger:  quiet(),
	})
	via := serveHTTP2(t, mux)
	_, out := rawStream(t, via)
	if _, err := out.Write([]byte{0x81, 0x80, 0, 0, 0, 0}); err != nil {
		t.Fatal(err)
	}
	c, _, err := client.Dial(t.Context(), "ws://example.test/echo", &client.Options{HTTP2: via})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	for over := false; !over; {
		roundTrip(t, c, "swan")
		select {
		case err := <-ended:
			over = true
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error(err)
			}
		default:
		}
	}
	roundTrip(t, c, "swan")
}

// An idle connection times out, as over HTTP/1.1: nothing of net/http's ends it before.
func TestService_OverHTTP2_TimesOutWhenIdle(t *testing.T) {
	s := echo()
	s.Conn.IdleTimeout = 100 * time.Millisecond
	c, _ := dialHTTP2(t, serveHTTP2(t, s), client.Options{})
	if err := drain(c); conn.CloseStatus(err) != frame.CloseGoingAway && conn.CloseStatus(err) != frame.CloseNormal {
		t.Error(err)
	}
}
