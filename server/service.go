package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
)

// A Service is an http.Handler that accepts connections and calls back with what
// happens on them. Any callback may be nil.
//
// For each connection the callbacks run one after the other, on one goroutine:
// OnOpen first, then OnText, OnBinary, OnPing and OnPong in the order in which
// the peer sent, then OnClose, exactly once, whatever ended the connection.
// Connections run side by side. While a callback runs nothing is read: Pings,
// Closes and further messages wait, and in the end the peer does.
//
// A callback may call everything on the connection, from itself or from other
// goroutines later on, but for what needs a reader other than the Service: the
// reads, and Ping, which waits for its Pong. c.Context is for what it does on
// behalf of the connection. One that panics closes its connection with 1011, and no
// other.
type Service struct {
	Options

	// OnOpen is called when the connection is accepted. r is the handshake; its
	// context lasts as long as the connection.
	OnOpen func(c *conn.Conn, r *http.Request)
	// OnText and OnBinary are called with a message, which is valid until they
	// return. A message for which there is no callback closes the connection with
	// 1003.
	OnText, OnBinary func(c *conn.Conn, message []byte)
	// OnPing and OnPong are told of the peer's Pings, which are answered in any
	// case, and Pongs; payload is valid until they return.
	OnPing, OnPong func(c *conn.Conn, payload []byte)
	// OnError is told of what went wrong before OnClose is: a fault in the peer's
	// bytes (errors.As finds a *frame.ProtocolError) or a panic in a callback (a
	// *PanicError).
	OnError func(c *conn.Conn, err error)
	// OnClose is told why the connection ended: c.Err. It is closed already.
	OnClose func(c *conn.Conn, err error)

	// Logger gets one line for each handshake refused, fault and panic. nil:
	// slog.Default.
	Logger *slog.Logger
}

// A PanicError is what a callback panicked with.
type PanicError struct {
	Value any
	Stack []byte // as of debug.Stack
}

// Error returns the panic's value, without the stack.
func (e *PanicError) Error() string {
	return fmt.Sprintf("websocket: panic in a callback: %v", e.Value)
}

// ServeHTTP accepts the connection and serves it until it ends.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o := s.Options
	o.Conn = s.ConnOptions()
	c, err := acceptHeld(w, r, &o, 2)
	if err != nil {
		s.log().Info("websocket handshake refused", "remote", r.RemoteAddr, "path", r.URL.Path, "error", err)
		return
	}
	defer groupsOf(r, &o).letGo(c)
	s.Serve(c, r)
}

// ConnOptions returns Options.Conn with the Service's OnPing and OnPong in it, for
// connections that are made elsewhere and given to Serve.
func (s *Service) ConnOptions() conn.Options {
	o := s.Options.Conn
	if s.OnPing != nil {
		o.OnPing = s.OnPing
	}
	if s.OnPong != nil {
		o.OnPong = s.OnPong
	}
	return o
}

// Serve calls back for a connection that has been accepted already, until it
// ends: one from client.Dial, for a client with callbacks, one of a test (see
// package conntest), one over a transport of one's own. r is handed to OnOpen and
// may be nil.
func (s *Service) Serve(c *conn.Conn, r *http.Request) {
	defer s.finish(c)
	defer s.catch(c)
	if s.OnOpen != nil {
		s.OnOpen(c, r)
	}
	for m, err := range c.Messages(context.Background()) {
		if err != nil {
			if _, ok := errors.AsType[*frame.ProtocolError](err); ok || c.Err() == nil {
				s.report(c, err)
			}
			return
		}
		s.dispatch(c, m)
	}
}

func (s *Service) dispatch(c *conn.Conn, m conn.Message) {
	call := s.OnText
	if m.Type == conn.Binary {
		call = s.OnBinary
	}
	if call == nil {
		c.Close(frame.CloseUnsupportedData, "no "+m.Type.String()+" messages here")
		return
	}
	call(c, m.Data)
}

// catch is deferred around callbacks: it makes a panic the connection's end
// instead of the program's.
func (s *Service) catch(c *conn.Conn) {
	if v := recover(); v != nil {
		s.report(c, &PanicError{Value: v, Stack: debug.Stack()})
	}
}

// finish closes what is still open after a panic or runtime.Goexit in a callback,
// and says so to OnClose.
func (s *Service) finish(c *conn.Conn) {
	c.Close(frame.CloseInternalError, "")
	if s.OnClose != nil {
		defer s.catch(c)
		s.OnClose(c, c.Err())
	}
}

func (s *Service) report(c *conn.Conn, err error) {
	switch e, ok := err.(*PanicError); {
	case ok:
		s.log().Error("websocket callback panicked", "remote", c.RemoteAddr(), "panic", e.Value, "stack", string(e.Stack))
	case c.Err() == nil:
		s.log().Error("websocket service cannot read", "remote", c.RemoteAddr(), "error", err)
	default:
		s.log().Warn("websocket peer broke the protocol", "remote", c.RemoteAddr(), "error", err)
	}
	if s.OnError == nil {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			s.log().Error("websocket OnError panicked", "remote", c.RemoteAddr(), "panic", v)
		}
	}()
	s.OnError(c, err)
}

func (s *Service) log() *slog.Logger {
	if s.Logger != nil {
		return s.Logger
	}
	return slog.Default()
}
