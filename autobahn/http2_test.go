package autobahn_test

//lint:file-ignore SA1019 net/http's Transport does not take ":protocol".

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/swan-ws/websocket/autobahn"
	"github.com/swan-ws/websocket/autobahn/testee"
	"github.com/swan-ws/websocket/handshake"
	_ "github.com/swan-ws/websocket/http2" // serveHTTP2 needs it
	"github.com/swan-ws/websocket/server"
)

// overHTTP2 leaves out what is about the opening handshake as HTTP/1.1 writes it, which
// is the bridge's matter: sections 20 and 21. All else is to hold "using the HTTP/2
// stream as if it were the TCP connection" (RFC 8441 §5), what is agreed on in the
// fields of extensions and subprotocols, too.
var overHTTP2 = setting{
	name: "HTTP/2", options: autobahn.Options{Patience: 5, Messages: 3, Largest: 1 << 18},
	without: []string{"20.", "21."},
}

// endings are the sections about how connections end, where a stream is least like TCP.
var endings = []string{"7.", "31."}

// Our server and client do the best that a case knows of over HTTP/2, too. The suite
// speaks HTTP/1.1, with a bridge; behind that all connections share one of TCP.
func TestSelf_PassesEverything_OverHTTP2(t *testing.T) {
	s := overHTTP2
	switch {
	case testing.Short():
		s.only = endings
	case *full:
		s.options.Messages, s.options.Largest = 0, 0
	}
	t.Run("server", func(t *testing.T) {
		t.Parallel()
		s.testServerOverHTTP2(t, server.StreamHandler(testee.Handler()))
	})
	t.Run("client", func(t *testing.T) {
		t.Parallel()
		s.testClientOverHTTP2(t)
	})
	t.Run("service", func(t *testing.T) {
		t.Parallel()
		s := s
		s.only = endings
		s.testServerOverHTTP2(t, testee.Service())
	})
}

func (s setting) testServerOverHTTP2(t *testing.T, h http.Handler) {
	bridge := serve(t, &http.Server{Handler: toHTTP2(transport(t), serveHTTP2(t, h))})
	s.options.Cases = s.cases("server")
	results, err := (&autobahn.FuzzingClient{Options: s.options}).Run(t.Context(), "ws://"+bridge)
	if err != nil {
		t.Fatal(err)
	}
	s.judge(t, "server", results)
}

func (s setting) testClientOverHTTP2(t *testing.T) {
	// net/http ends both directions of a stream at once: the answer to a Close that comes
	// with the end is late.
	s.nonStrict = []string{"31.4.13"}
	l, o := listen(t), testee.Options{HTTP2: transport(t)}
	bridge := serveHTTP2(t, toHTTP1(l.Addr().String()))
	s.options.Cases = s.cases("client")
	s.judge(t, "client", runClient(t, l, bridge, s.options, func(at string) { o.Echo(t.Context(), "ws://"+at) }))
}

// serve runs s until the end of the test, and returns its address.
func serve(t *testing.T, s *http.Server) string {
	l := listen(t)
	s.ErrorLog = log.New(io.Discard, "", 0)
	during(t, s.Close, func() error { return s.Serve(l) })
	return l.Addr().String()
}

// serveHTTP2 runs a server that speaks HTTP/2 in the clear.
func serveHTTP2(t *testing.T, h http.Handler) string {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	return serve(t, &http.Server{Handler: h, Protocols: protocols})
}

// transport returns what speaks it, and may dial once.
func transport(t *testing.T) *http2.Transport {
	var dials atomic.Int32
	via := &http2.Transport{AllowHTTP: true, DialTLSContext: func(ctx context.Context, network, addr string, _ *tls.Config) (net.Conn, error) {
		dials.Add(1)
		return new(net.Dialer).DialContext(ctx, network, addr)
	}}
	t.Cleanup(func() {
		via.CloseIdleConnections()
		if n := dials.Load(); n != 1 {
			t.Errorf("%d TCP connections for all streams, want 1", n)
		}
	})
	return via
}

// toHTTP2 is a bridge: it opens a stream for each upgrade of HTTP/1.1.
func toHTTP2(via http.RoundTripper, to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		// r.Context ends with one direction, a stream with both.
		ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
		defer cancel()
		body, out := io.Pipe()
		connect, err := http.NewRequestWithContext(ctx, http.MethodConnect, "http://"+to+r.RequestURI, body)
		if err != nil {
			panic(err)
		}
		connect.Host = r.Host
		handOn(connect.Header, r.Header)
		connect.Header[":protocol"] = []string{"websocket"}
		resp, err := via.RoundTrip(connect)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		if refused(w, resp, http.StatusOK) {
			return
		}
		w.Header().Set("Upgrade", "websocket")
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Sec-WebSocket-Accept", handshake.AcceptKey(r.Header.Get("Sec-WebSocket-Key")))
		w.WriteHeader(http.StatusSwitchingProtocols)
		here, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer here.Close()
		stream{Reader: resp.Body, Writer: out, end: func() { out.Close() }, abort: cancel}.join(here.(*net.TCPConn), buffered)
	}
}

// toHTTP1 is the bridge the other way: it asks for an upgrade for each stream.
func toHTTP1(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		there, err := new(net.Dialer).DialContext(r.Context(), "tcp", to)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer there.Close()
		upgrade, err := http.NewRequest(http.MethodGet, "http://"+to+r.RequestURI, nil)
		if err != nil {
			panic(err)
		}
		upgrade.Host = r.Host
		handOn(upgrade.Header, r.Header)
		upgrade.Header.Set("Upgrade", "websocket")
		upgrade.Header.Set("Connection", "Upgrade")
		upgrade.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
		upgrade.Write(there)
		buffered := bufio.NewReader(there)
		resp, err := http.ReadResponse(buffered, upgrade)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		if refused(w, resp, http.StatusSwitchingProtocols) {
			return
		}
		w.WriteHeader(http.StatusOK)
		c := http.NewResponseController(w)
		c.Flush()
		past := time.Unix(1, 0)
		end := func() { c.SetReadDeadline(past) } // the stream does when this handler returns
		abort := func() { c.SetWriteDeadline(past); end() }
		stream{Reader: r.Body, Writer: flushing{w, c}, end: end, abort: abort}.join(there.(*net.TCPConn), buffered)
	}
}

// handOn copies the fields that are not about one connection of HTTP/1.1, or one stream.
func handOn(to, from http.Header) {
	maps.Copy(to, from)
	for _, name := range []string{":protocol", "Connection", "Upgrade", "Sec-Websocket-Key", "Sec-Websocket-Accept"} {
		delete(to, name)
	}
}

// refused hands on the fields of an answer, and all of it unless its status is want.
func refused(w http.ResponseWriter, resp *http.Response, want int) bool {
	handOn(w.Header(), resp.Header)
	if resp.StatusCode == want {
		return false
	}
	w.WriteHeader(resp.StatusCode)
	io.Copy(w, resp.Body)
	return true
}

// flushing sends at once what is written.
type flushing struct {
	http.ResponseWriter
	c *http.ResponseController
}

func (f flushing) Write(p []byte) (int, error) {
	n, err := f.ResponseWriter.Write(p)
	return n, errors.Join(err, f.c.Flush())
}

// A stream of HTTP/2 as a bridge has it.
type stream struct {
	io.Reader
	io.Writer
	end   func() // of what is written
	abort func() // all of it
}

// join hands on octets to a connection of TCP and back, unchanged, and each end of them
// by itself. What breaks on one side is reset on the other.
func (s stream) join(tcp *net.TCPConn, buffered io.Reader) {
	reset := func() {
		tcp.SetLinger(0)
		tcp.Close()
		s.abort()
	}
	var ways sync.WaitGroup
	ways.Go(func() {
		switch _, err := io.Copy(s, buffered); {
		case err == nil:
			s.end()
		case errors.Is(err, io.ErrClosedPipe): // the server wants no more
			io.Copy(io.Discard, buffered)
		default:
			reset()
		}
	})
	ways.Go(func() {
		if _, err := io.Copy(tcp, s); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			tcp.CloseWrite()
		} else {
			reset()
		}
	})
	ways.Wait()
}
