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

	"github.com/swan-ws/websocket/conn"
)

// What the zero Server stands for.
const (
	DefaultHandshakeTimeout  = 10 * time.Second
	DefaultMaxHandshakeBytes = 16 << 10
	DefaultMaxURIBytes       = 8 << 10
)

// Over HTTP/2 what has come and is not read yet is limited for each stream, and for all
// on a TCP connection together, which is to be no matter of one of them.
const (
	frameSize    = 16 << 10 // there are clients that keep room for one, for each stream
	streamWindow = 128 << 10
	connWindow   = 4<<20 - 1 // the most that net/http takes
)

// A Server listens for HTTP requests and keeps an eye on the WebSocket
// connections that its Handler accepts, by Service or Accept. It is an
// http.Server with limits that the open internet needs, and a Shutdown that
// includes those connections. Handshakes that come over TCP in the usual form it reads
// itself, for speed: the Handler sees no difference, but whatever it answers instead of
// accepting is the last response on that connection, and what it hijacks need not be a
// *net.TCPConn. The zero value is safe; set fields before use.
type Server struct {
	// Addr is the TCP address to listen on, host:port; port 0 takes a free one,
	// which Listen tells.
	Addr string
	// Handler answers the requests, those for WebSocket and all others. nil:
	// http.DefaultServeMux. A Mux is one that can be changed while it serves.
	Handler http.Handler
	// TLSConfig is for ListenAndServeTLS. TLSFiles make one for clients that have
	// certificates.
	TLSConfig *tls.Config
	// Name is what the Server header of the responses says (RFC 9110 §10.2.4). "":
	// there is none.
	Name string

	// HandshakeTimeout is how long a client may take over its request, from its
	// first byte to its last, however steadily it sends, and as long again for TLS
	// before that. 0: DefaultHandshakeTimeout. Negative: no limit.
	HandshakeTimeout time.Duration
	// MaxHandshakeBytes is how long a request's header may be; longer ones are
	// refused with 431. 0: DefaultMaxHandshakeBytes. Negative:
	// http.DefaultMaxHeaderBytes.
	MaxHandshakeBytes int
	// MaxURIBytes is how long a request's path and query may be, as they are sent;
	// longer ones are refused with 414. 0: DefaultMaxURIBytes. Negative:
	// MaxHandshakeBytes alone limits them.
	MaxURIBytes int
	// MaxConns is the most WebSocket connections at a time; handshakes beyond it
	// are refused with 503. 0: no limit.
	MaxConns int
	// MaxConnsPerAddr is the most TCP connections at a time, of all kinds, from one IPv4
	// address or one /64 of IPv6, which is what one household has. Requests on
	// further ones are refused with 429; from twice as many on they are closed at
	// once. 0: no limit, which is right behind a proxy, from whose address all come.
	MaxConnsPerAddr int

	// Observer is that of the connections whose Options.Conn have none, and is told of
	// the requests that are refused before they come to a Service: see Authenticate and
	// the limits above. nil: nobody is.
	Observer *conn.Observer
	// Logger gets what goes wrong on the listener. nil: slog.Default.
	Logger *slog.Logger

	once     sync.Once
	http     http.Server
	group    Group
	crowd    *crowd // nil without MaxConnsPerAddr
	streams  streams
	handlers tally

	mu       sync.Mutex
	listener net.Listener // of Listen
	served   bool         // somebody serves it, and closes it
	stopped  bool
}

func (s *Server) init() {
	s.once.Do(func() {
		s.group.Max = s.MaxConns
		timeout := cmp.Or(s.HandshakeTimeout, DefaultHandshakeTimeout)
		s.http.Handler = http.HandlerFunc(s.handle)
		s.http.ReadHeaderTimeout = timeout
		s.http.IdleTimeout = max(timeout, 0)
		s.http.HTTP2 = &http.HTTP2Config{
			MaxReadFrameSize:              frameSize,
			MaxReceiveBufferPerStream:     streamWindow,
			MaxReceiveBufferPerConnection: connWindow,
			WriteByteTimeout:              conn.DefaultWriteTimeout,
		}
		s.http.MaxHeaderBytes = cmp.Or(s.MaxHandshakeBytes, DefaultMaxHandshakeBytes)
		log := s.Logger
		if log == nil {
			log = slog.Default()
		}
		s.http.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelWarn)
		s.http.BaseContext = func(net.Listener) context.Context {
			return withObserver(withLogger(withGroup(context.Background(), &s.group), log), s.Observer)
		}
		s.http.ConnState = s.streams.state
		if s.MaxConnsPerAddr > 0 {
			s.crowd = newCrowd(s.MaxConnsPerAddr, log)
			s.http.ConnContext = s.crowd.context
			s.http.ConnState = func(nc net.Conn, state http.ConnState) {
				s.streams.state(nc, state)
				s.crowd.state(nc, state)
			}
		}
	})
}

// handle is the Handler behind the limits that net/http does not have.
func (s *Server) handle(w http.ResponseWriter, r *http.Request) {
	s.handlers.add(1)
	defer s.handlers.add(-1)
	if s.Name != "" {
		w.Header().Set("Server", s.Name)
	}
	longest := cmp.Or(s.MaxURIBytes, DefaultMaxURIBytes)
	switch p := placeOf(r); {
	case p != nil && p.over:
		refuse(w, r, s.Observer, errCrowded)
	case longest > 0 && len(r.RequestURI) > longest:
		refuse(w, r, s.Observer, errLongURI)
	default:
		s.handler(r).ServeHTTP(w, r)
	}
}

// handler returns the Handler, or what it is without one, for a request like r.
func (s *Server) handler(r *http.Request) http.Handler {
	h := s.Handler
	if h == nil {
		h = http.DefaultServeMux
	}
	if isConnect(r) {
		h = StreamHandler(h)
	}
	return h
}

var errLongURI = &Rejection{Status: http.StatusRequestURITooLong}

// Conns returns the group of the connections accepted by the Handler.
func (s *Server) Conns() *Group { return &s.group }

// Listen takes Addr, unless that has been done, and returns the address with the
// port it got. ListenAndServe does so by itself: call Listen before it, or beside
// it, to know the port, or to know early that it is taken. Who connects from now
// on waits to be served.
func (s *Server) Listen() (net.Addr, error) {
	l, err := s.listen(false)
	if err != nil {
		return nil, err
	}
	return l.Addr(), nil
}

// listen returns the listener of Addr. Who is going to serve it closes it.
func (s *Server) listen(serve bool) (net.Listener, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil, http.ErrServerClosed
	}
	if s.listener == nil {
		l, err := listenTCP(s.Addr)
		if err != nil {
			return nil, err
		}
		s.listener = l
	}
	s.served = s.served || serve
	return s.listener, nil
}

func (s *Server) listenAnd(serve func(net.Listener) error) error {
	l, err := s.listen(true)
	if err != nil {
		return err
	}
	defer func() { // the next one takes the address anew
		s.mu.Lock()
		defer s.mu.Unlock()
		s.listener, s.served = nil, false
	}()
	return serve(l)
}

// stop closes a listener that nobody serves, and has Listen refuse.
func (s *Server) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	if s.listener != nil && !s.served {
		s.listener.Close()
	}
}

// ListenAndServe listens on Addr and serves until Shutdown or Close, after which
// it returns http.ErrServerClosed.
func (s *Server) ListenAndServe() error {
	return s.listenAnd(func(l net.Listener) error { return s.Serve(s.looped(l)) })
}

// ListenAndServeTLS is ListenAndServe over TLS, with the certificate and key in
// the PEM files named, or those in TLSConfig if the names are empty. The files are
// read again when they have changed, as those of TLSFiles are.
func (s *Server) ListenAndServeTLS(certFile, keyFile string) error {
	return s.listenAnd(func(l net.Listener) error { return s.ServeTLS(l, certFile, keyFile) })
}

// Serve is ListenAndServe on a listener of the caller's, which it closes.
func (s *Server) Serve(l net.Listener) error {
	s.init()
	if loopAlways {
		l = s.looped(l)
	}
	return s.http.Serve(newFront(s, s.limited(l)))
}

// ServeTLS is ListenAndServeTLS on a listener of the caller's, which it closes.
func (s *Server) ServeTLS(l net.Listener, certFile, keyFile string) error {
	s.init()
	config, err := s.tlsConfig(certFile, keyFile)
	if err != nil {
		l.Close()
		return err
	}
	return s.http.Serve(tls.NewListener(s.limited(l), config))
}

// Shutdown stops listening, closes all connections with 1001, and waits until
// they and all other requests are over, handlers that have used Accept included. When
// ctx ends first, it cuts what is left and returns ctx's error.
func (s *Server) Shutdown(ctx context.Context) error {
	s.init()
	s.stop()
	groups := make(chan error, 1)
	go func() { groups <- s.group.Shutdown(ctx) }()
	defer time.AfterFunc(silentTime, s.streams.closeSilent).Stop()
	err := cmp.Or(s.http.Shutdown(ctx), <-groups, s.handlers.wait(ctx))
	if err != nil {
		s.closeHTTP()
	}
	return err
}

// Close ends everything at once; peers see 1006. Prefer Shutdown.
func (s *Server) Close() error {
	s.init()
	s.stop()
	s.group.cut()
	return s.closeHTTP()
}

func (s *Server) closeHTTP() error {
	defer s.streams.close(true)
	return s.http.Close()
}
