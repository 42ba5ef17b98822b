package server

import (
	"cmp"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// What the zero Server stands for.
const (
	DefaultHandshakeTimeout  = 10 * time.Second
	DefaultMaxHandshakeBytes = 16 << 10
)

// A Server listens for HTTP requests and keeps an eye on the WebSocket
// connections that its Handler accepts, by Service or Accept. It is an
// http.Server with limits that the open internet needs, and a Shutdown that
// includes those connections. The zero value is safe; set fields before use.
type Server struct {
	// Addr is the TCP address to listen on, host:port; ":0" takes a free port.
	Addr string
	// Handler answers the requests, those for WebSocket and all others. nil:
	// http.DefaultServeMux.
	Handler http.Handler
	// TLSConfig is for ListenAndServeTLS.
	TLSConfig *tls.Config

	// HandshakeTimeout is how long a client may take over its request, from its
	// first byte to its last, however steadily it sends. 0:
	// DefaultHandshakeTimeout. Negative: no limit.
	HandshakeTimeout time.Duration
	// MaxHandshakeBytes is how long a request's header may be. 0:
	// DefaultMaxHandshakeBytes.
	MaxHandshakeBytes int
	// MaxConns is the most WebSocket connections at a time; handshakes beyond it
	// are refused with 503. 0: no limit.
	MaxConns int

	// Logger gets what goes wrong on the listener. nil: slog.Default.
	Logger *slog.Logger

	once  sync.Once
	http  http.Server
	group Group
}

func (s *Server) init() {
	s.once.Do(func() {
		s.group.Max = s.MaxConns
		timeout := cmp.Or(s.HandshakeTimeout, DefaultHandshakeTimeout)
		s.http.Handler = s.Handler
		s.http.TLSConfig = s.TLSConfig
		s.http.ReadHeaderTimeout = timeout
		s.http.IdleTimeout = max(timeout, 0)
		s.http.MaxHeaderBytes = cmp.Or(s.MaxHandshakeBytes, DefaultMaxHandshakeBytes)
		log := s.Logger
		if log == nil {
			log = slog.Default()
		}
		s.http.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelWarn)
		s.http.BaseContext = func(net.Listener) context.Context {
			return withGroup(context.Background(), &s.group)
		}
	})
}

// Conns returns the group of the connections accepted by the Handler.
func (s *Server) Conns() *Group { return &s.group }

// ListenAndServe listens on Addr and serves until Shutdown or Close, after which
// it returns http.ErrServerClosed.
func (s *Server) ListenAndServe() error {
	l, err := net.Listen("tcp", s.Addr)
	if err != nil {
		return err
	}
	return s.Serve(l)
}

// ListenAndServeTLS is ListenAndServe over TLS, with the certificate and key in
// the PEM files named, or those in TLSConfig if the names are empty.
func (s *Server) ListenAndServeTLS(certFile, keyFile string) error {
	l, err := net.Listen("tcp", s.Addr)
	if err != nil {
		return err
	}
	return s.ServeTLS(l, certFile, keyFile)
}

// Serve is ListenAndServe on a listener of the caller's, which it closes.
func (s *Server) Serve(l net.Listener) error {
	s.init()
	return s.http.Serve(l)
}

// ServeTLS is ListenAndServeTLS on a listener of the caller's, which it closes.
func (s *Server) ServeTLS(l net.Listener, certFile, keyFile string) error {
	s.init()
	return s.http.ServeTLS(l, certFile, keyFile)
}

// Shutdown stops listening, closes all connections with 1001, and waits until
// they and all other requests are over. When ctx ends first, it cuts what is left
// and returns ctx's error.
func (s *Server) Shutdown(ctx context.Context) error {
	s.init()
	groups := make(chan error, 1)
	go func() { groups <- s.group.Shutdown(ctx) }()
	err := s.http.Shutdown(ctx)
	if err != nil {
		s.http.Close()
	}
	return cmp.Or(err, <-groups)
}

// Close ends everything at once; peers see 1006. Prefer Shutdown.
func (s *Server) Close() error {
	s.init()
	s.group.cut()
	return s.http.Close()
}
