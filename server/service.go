package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/swan-ws/websocket/conn"
)

// A Handler answers a message, whose Data is valid until it returns.
//
// reply is sent to the peer: nil is nothing, a string text, a []byte binary, a
// conn.Message itself, a frame.CloseCode or a CloseFrame the end of the connection,
// an iter.Seq or an iter.Seq2 with an error a message for each of its values, anything
// else what conn.Conn.WriteValue makes of it, which is JSON. It has been sent before
// the next callback is called, but for a Seq, which runs beside them: it must not use
// what is theirs, nor m.Data. See Send.
//
// err ends the connection: with 1011 and no further word, or with the CloseFrame that
// errors.As finds in it, or with what its method CloseWith() (frame.CloseCode, string)
// says, if it has one. A *conn.BindError does so with 1003, and only if the Service has
// no OnError.
type Handler func(c *conn.Conn, m conn.Message) (reply any, err error)

// DefaultWaiting is how many messages may wait for a slow callback if Service.Waiting
// is 0.
const DefaultWaiting = 16

// A Service is an http.Handler that accepts connections and calls back with what
// happens on them. Any callback may be nil.
//
// For each connection OnOpen is called first, then the handlers of messages in the
// order in which they were sent, then OnClose, exactly once, whatever ended the
// connection: one after the other, though in an event loop not always on the same
// goroutine. OnIdleTimeout never runs beside them. Connections run side by side.
//
// A callback that is slow holds up the messages behind it and nothing else: after 100
// milliseconds at the latest somebody else reads, answers Pings, calls OnPing and
// OnPong, sees the peer's Close, and puts messages aside, up to Waiting. Then nothing
// more is read, and the peer has to wait. OnPing and OnPong themselves must be quick:
// they hold up whoever reads.
//
// A callback may call everything on the connection, from itself or from other
// goroutines later on, but for the reads. c.Context is for what it does on behalf
// of the connection. One that panics closes its connection with 1011, and no
// other.
type Service struct {
	Options

	// OnOpen is called when the connection is accepted. r is the handshake; its
	// context lasts as long as the connection. An error is as that of a Handler.
	OnOpen func(c *conn.Conn, r *http.Request) error
	// OnText and OnBinary are called with a message of that type; OnMessage is with
	// both, and excludes the two. A message for which there is no callback closes
	// the connection with 1003.
	OnMessage, OnText, OnBinary Handler
	// OnPing is called with the payload of a Ping, which is valid until it returns,
	// and says what the Pong is to hold, 125 bytes at the most: nil is the same
	// payload, which is what §5.5.3 wants.
	OnPing func(c *conn.Conn, payload []byte) (pong []byte)
	// OnPong is told of the peer's Pongs; payload is valid until it returns.
	OnPong func(c *conn.Conn, payload []byte)
	// OnIdleTimeout is called whenever Options.Conn.IdleTimeout has passed without a
	// message, instead of closing the connection. An error is as that of a Handler.
	OnIdleTimeout func(c *conn.Conn) error
	// OnError is told of what went wrong, before OnClose is: a fault in the peer's
	// bytes (errors.As finds a *frame.ProtocolError), a message that is not what a
	// Handler wanted (a *conn.BindError, after which the connection goes on), an
	// error that a callback returned, or a panic in one (a *PanicError). It runs
	// where that happened: for OnPing and OnPong that may be beside a slow callback.
	// A CloseFrame is no error, unless another one wraps it.
	OnError func(c *conn.Conn, err error)
	// OnClose is told why the connection ended: c.Err. It is closed already.
	OnClose func(c *conn.Conn, err error)

	// Waiting is how many messages may wait while a callback is slow, of
	// Options.Conn.MaxMessage each at the most. 0: DefaultWaiting. Negative: nothing
	// is read while a callback runs, which also holds up Pings and the peer's Close.
	Waiting int
	// EventLoop has a few goroutines serve all connections, instead of one each: a
	// connection that waits has neither goroutine nor buffer. Callbacks may be slow
	// all the same. It is for TCP on Linux; other connections, those over TLS too, are
	// served as without it. A Server that has such a Service for its Handler, and listens
	// by itself, takes the handshakes in the same way.
	EventLoop bool
	// Logger gets one line for each handshake refused, fault, error and panic. nil:
	// slog.Default.
	Logger *slog.Logger
}

// Validate says what is wrong with the Service, if anything is: OnMessage beside
// OnText or OnBinary, OnIdleTimeout without an Options.Conn.IdleTimeout. Its
// handshakes are refused with 500 then, and Serve closes with 1011.
func (s *Service) Validate() error {
	switch {
	case s.OnMessage != nil && (s.OnText != nil || s.OnBinary != nil):
		return errors.New("websocket: Service has OnMessage, which gets all messages, and OnText or OnBinary: remove one or the other")
	case s.OnIdleTimeout != nil && s.Conn.IdleTimeout <= 0:
		return errors.New("websocket: Service has OnIdleTimeout, but no time: set Options.Conn.IdleTimeout")
	}
	return nil
}

// ServeHTTP accepts the connection and returns: it is served by a goroutine of its
// own, so that nothing of what net/http holds for a request is kept. Over HTTP/2 it
// returns when the connection is over.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if isConnect(r) && lentFor(r) == nil {
		StreamHandler(s).ServeHTTP(w, r)
		return
	}
	o := s.Options
	o.Conn = s.ConnOptions()
	o.eventLoop = s.EventLoop || loopAlways
	ss := &session{Service: s}
	ss.groups.find(r, &o)
	c, err := s.accept(w, r, &o, &ss.groups)
	if err != nil {
		s.logRefusal(r, err)
		return
	}
	ss.on(c)
	switch r = ss.outlive(r); {
	case !o.eventLoop:
		go ss.run(r)
	case isQuietCaller(w): // which is in the loop already
		ss.attach(r)
	default:
		go ss.attachOrRun(r)
	}
}

func (ss *session) attachOrRun(r *http.Request) {
	if !ss.attach(r) {
		ss.run(r)
	}
}

// loopAlways is set by tests, which hold with EventLoop as without.
var loopAlways bool

func (s *Service) accept(w http.ResponseWriter, r *http.Request, o *Options, groups *seats) (*conn.Conn, error) {
	if err := s.Validate(); err != nil {
		return nil, refuse(w, r, observerOf(r, o), fmt.Errorf("%w: %w", err, &Rejection{Status: http.StatusInternalServerError}))
	}
	return acceptHeld(w, r, o, groups, 2)
}

// ConnOptions returns Options.Conn with the Service's callbacks in it, for
// connections that are made elsewhere and given to Serve.
func (s *Service) ConnOptions() conn.Options {
	o := s.Options.Conn
	if s.OnPing != nil {
		o.AnswerPing = s.onPing
	}
	if s.OnPong != nil {
		o.OnPong = s.onPong
	}
	if s.OnIdleTimeout != nil {
		o.OnIdle = s.onIdle
	}
	return o
}

// Serve calls back for a connection that has been accepted already, until it
// ends: one from client.Dial, for a client with callbacks, one of a test (see
// package conntest), one over a transport of one's own. r is handed to OnOpen and
// may be nil.
//
// It returns when all callbacks have, and all replies that are streams have ended.
func (s *Service) Serve(c *conn.Conn, r *http.Request) {
	ss := &session{Service: s}
	ss.on(c)
	if err := s.Validate(); err != nil {
		ss.fail(err)
		return
	}
	ss.run(r)
}

func (s *Service) log() *slog.Logger {
	if s.Logger != nil {
		return s.Logger
	}
	return slog.Default()
}

func (s *Service) logRefusal(r *http.Request, err error) {
	log := s.log().With("remote", r.RemoteAddr, "path", r.URL.Path)
	if e, ok := errors.AsType[*PanicError](err); ok {
		log.Error("websocket: upgrade panicked", "panic", e.Value, "stack", string(e.Stack))
		return
	}
	log.Info("websocket: handshake refused", "error", err)
}
