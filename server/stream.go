package server

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/swan-ws/websocket/handshake"
)

// StreamHandler returns a handler that calls h, and returns when the connections are
// over that h has accepted over HTTP/2 (RFC 8441): net/http ends their streams then.
// It is for handlers that call Accept under an http.Server, which over HTTP/2 refuses
// with 500 without it. A Service, an Upgrade and the Handler of a Server need none.
//
// Connections come over HTTP/2 only in programs that import package http2 of this
// module, or run with GODEBUG=http2xconnect=1.
func StreamHandler(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isConnect(r) || streamsOf(r) != nil {
			h.ServeHTTP(w, r)
			return
		}
		open := new(sync.WaitGroup)
		defer open.Wait()
		h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), openStreams{}, open)))
	})
}

// isConnect reports whether r may ask for a stream of HTTP/2.
func isConnect(r *http.Request) bool { return r.ProtoMajor == 2 && r.Method == http.MethodConnect }

type openStreams struct{}

// streamsOf returns who waits for the streams of r, nil if nobody does.
func streamsOf(r *http.Request) *sync.WaitGroup {
	open, _ := r.Context().Value(openStreams{}).(*sync.WaitGroup)
	return open
}

// An http2Stream is what a connection runs on. What net/http lends to a handler
// may not be used when that has returned: open waits for Close, and for all calls.
type http2Stream struct {
	body io.Reader
	w    http.ResponseWriter
	c    *http.ResponseController
	open *sync.WaitGroup

	mu      sync.Mutex
	calls   int // under way, and one for the stream until it is closed
	writing bool
	closed  bool
}

// takeStream takes the stream of r, below whatever a middleware has made of w, as
// Hijack does over HTTP/1.1.
func takeStream(w http.ResponseWriter, r *http.Request) (*http2Stream, error) {
	const status, section = http.StatusInternalServerError, "RFC 8441 §5"
	open := streamsOf(r)
	if open == nil {
		return nil, &handshake.Error{Status: status, Section: section,
			Reason: "over HTTP/2 a connection ends with the handler: wrap the handler in a StreamHandler, or use a Service"}
	}
	for {
		below, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			break
		}
		w = below.Unwrap()
	}
	s := &http2Stream{body: r.Body, w: w, c: http.NewResponseController(w), open: open, calls: 1}
	// Those of the http.Server were for a request.
	if s.c.SetReadDeadline(time.Time{}) != nil || s.c.SetWriteDeadline(time.Time{}) != nil {
		return nil, &handshake.Error{Status: status, Section: section,
			Reason: fmt.Sprintf("http.ResponseWriter is a %T, which gives no access to the stream: does a middleware lack an Unwrap method?", w)}
	}
	open.Add(1)
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
		s.open.Done()
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
func (s *http2Stream) Write(p []byte) (int, error) {
	if err := s.begin(true); err != nil {
		return 0, err
	}
	defer s.end(true)
	n, err := s.w.Write(p)
	if err == nil {
		err = s.c.Flush()
	}
	return n, err
}

// Close ends the stream, in order unless a Write is under way, which waits for the
// client to take something: then it is reset.
func (s *http2Stream) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	writing := s.writing
	s.mu.Unlock()
	past := time.Unix(1, 0)
	s.c.SetReadDeadline(past)
	if writing {
		s.c.SetWriteDeadline(past)
	}
	s.end(false)
	return nil
}

// CloseWrite is Close: the end of the one direction is sent when the handler returns,
// and with it goes the other. Unlike TCP's it takes nothing from the client that has
// been sent to it (RFC 9113 §8.1).
func (s *http2Stream) CloseWrite() error { return s.Close() }

// addrsOf returns the addresses of the connection that r came by.
func addrsOf(r *http.Request) (local, remote net.Addr) {
	local, _ = r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		remote = net.TCPAddrFromAddrPort(at)
	}
	return local, remote
}
