package server

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/swan-ws/websocket/handshake"
)

// StreamHandler returns a handler that calls h, and if that accepts a connection over
// HTTP/2 (RFC 8441) returns when it is closed: net/http ends the stream then. It is for
// handlers that call Accept under an http.Server, which over HTTP/2 refuses with 500
// without it. A Service, an Upgrade and the Handler of a Server need none. Put it around
// middleware, not into it, above all if that may return before its handler.
//
// A peer sees the end of a connection when h has returned. If h panics, the connection
// is closed. Connections come over HTTP/2 only in programs that import package http2 of
// this module.
func StreamHandler(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isConnect(r) || lentFor(r) != nil {
			h.ServeHTTP(w, r)
			return
		}
		l := &lent{ResponseWriter: w, body: r.Body}
		defer l.await()
		h.ServeHTTP(l, r.WithContext(context.WithValue(r.Context(), lentKey{}, l)))
		l.returned = true
	})
}

// isConnect reports whether r may ask for a stream of HTTP/2.
func isConnect(r *http.Request) bool { return r.ProtoMajor == 2 && r.Method == http.MethodConnect }

// A lent is what net/http lends to a handler, which may not be used when that has
// returned. To h it is the http.ResponseWriter, until a connection has the stream.
type lent struct {
	http.ResponseWriter
	body     io.Reader // before a middleware limits it as if it were a request's
	stream   atomic.Pointer[http2Stream]
	returned bool // h has, instead of a panic
}

type lentKey struct{}

// lentFor returns what a StreamHandler has for r, nil if there is none.
func lentFor(r *http.Request) *lent {
	l, _ := r.Context().Value(lentKey{}).(*lent)
	return l
}

// await waits for the connection to be closed, as it is if h has panicked.
func (l *lent) await() {
	s := l.stream.Load()
	if s == nil {
		return
	}
	if !l.returned {
		s.Close()
	}
	<-s.over
}

func (l *lent) taken() bool { return l.stream.Load() != nil }

// Write does, once there is a connection, what it does over HTTP/1.1: nothing.
func (l *lent) Write(p []byte) (int, error) {
	if l.taken() {
		return 0, http.ErrHijacked
	}
	return l.ResponseWriter.Write(p)
}

// WriteHeader does nothing then either.
func (l *lent) WriteHeader(status int) {
	if !l.taken() {
		l.ResponseWriter.WriteHeader(status)
	}
}

// FlushError is what http.ResponseController calls.
func (l *lent) FlushError() error {
	if l.taken() {
		return http.ErrHijacked
	}
	return http.NewResponseController(l.ResponseWriter).Flush()
}

// Flush is for who asks for an http.Flusher.
func (l *lent) Flush() { l.FlushError() }

// Unwrap leads to the rest of what net/http's has.
func (l *lent) Unwrap() http.ResponseWriter { return l.ResponseWriter }

// An http2Stream is what a connection over HTTP/2 runs on.
type http2Stream struct {
	body io.Reader
	w    http.ResponseWriter
	c    *http.ResponseController
	over chan struct{} // closed when it is, and nobody uses what net/http has lent

	mu      sync.Mutex
	calls   int // under way, and one for the stream until it is closed
	writing bool
	closed  bool
}

// takeStream takes the stream of r, below whatever middleware has made of it, as Hijack
// does over HTTP/1.1.
func takeStream(r *http.Request) (*http2Stream, error) {
	const status, section = http.StatusInternalServerError, "RFC 8441 §5"
	l := lentFor(r)
	if l == nil {
		return nil, &handshake.Error{Status: status, Section: section,
			Reason: "over HTTP/2 a connection ends with the handler: wrap the handler in a StreamHandler, or use a Service"}
	}
	w := l.ResponseWriter
	for {
		below, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			break
		}
		w = below.Unwrap()
	}
	s := &http2Stream{body: l.body, w: w, c: http.NewResponseController(w), over: make(chan struct{}), calls: 1}
	// Those of the http.Server were for a request.
	if s.c.SetReadDeadline(time.Time{}) != nil || s.c.SetWriteDeadline(time.Time{}) != nil {
		return nil, &handshake.Error{Status: status, Section: section,
			Reason: fmt.Sprintf("http.ResponseWriter is a %T, which gives no access to the stream: does a middleware lack an Unwrap method?", w)}
	}
	if !l.stream.CompareAndSwap(nil, s) {
		return nil, &handshake.Error{Status: status, Section: section, Reason: "the request has become a connection already"}
	}
	return s, nil
}

// answer sends the response, after which the stream is the connection's.
func (s *http2Stream) answer(header http.Header) error {
	h := s.w.Header()
	clear(h)
	for name, values := range header {
		h[name] = values
	}
	s.w.WriteHeader(http.StatusOK)
	return s.c.Flush()
}

// begin is the beginning of a call that uses what net/http has lent.
func (s *http2Stream) begin(writing bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	s.calls++
	s.writing = s.writing || writing
	return nil
}

func (s *http2Stream) end(writing bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls--
	if writing {
		s.writing = false
	}
	if s.calls == 0 {
		close(s.over)
	}
}

// Read reads what the client sends, until the end of its direction.
func (s *http2Stream) Read(p []byte) (int, error) {
	if err := s.begin(false); err != nil {
		return 0, err
	}
	defer s.end(false)
	return s.body.Read(p)
}

// Write sends p at once. There is one at a time.
func (s *http2Stream) Write(p []byte) (n int, err error) {
	if err := s.begin(true); err != nil {
		return 0, err
	}
	defer s.end(true)
	defer tookBack(&err)
	if n, err = s.w.Write(p); err == nil {
		err = s.c.Flush()
	}
	return n, err
}

// tookBack is deferred where net/http panics if it has back what it had lent: when a
// middleware has not waited for its handler.
func tookBack(err *error) {
	if recover() != nil {
		*err = net.ErrClosed
	}
}

// Close ends the stream, in order unless a Write is under way, which waits for the
// client to take something: then it is reset.
func (s *http2Stream) Close() (err error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	writing := s.writing
	s.mu.Unlock()
	defer s.end(false)
	defer tookBack(&err)
	past := time.Unix(1, 0)
	s.c.SetReadDeadline(past)
	if writing {
		s.c.SetWriteDeadline(past)
	}
	return nil
}

// CloseWrite is Close: the end of the one direction is sent when the handler returns,
// and with it goes the other. A client loses nothing by it that it has been sent, as it
// may over TCP (RFC 9113 §8.1).
func (s *http2Stream) CloseWrite() error { return s.Close() }

// addrsOf returns the addresses of the connection that r came by.
func addrsOf(r *http.Request) (local, remote net.Addr) {
	local, _ = r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		remote = net.TCPAddrFromAddrPort(at)
	}
	return local, remote
}
