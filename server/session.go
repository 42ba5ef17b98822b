package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
)

// A PanicError is what a callback panicked with.
type PanicError struct {
	Value any
	Stack []byte // as of debug.Stack
}

// Error returns the panic's value, without the stack.
func (e *PanicError) Error() string {
	return fmt.Sprintf("websocket: panic in a callback: %v", e.Value)
}

// session is a Service at work on one connection.
type session struct {
	*Service
	c       *conn.Conn
	groups  seats       // which wait for the callbacks
	streams *besides    // nil: there has been none
	turn    turn        // of the callback that runs
	failed  atomic.Bool // a callback has: what the peer has still sent is not handled
	opened  bool        // OnOpen has returned
	closed  bool        // OnClose has
}

// besides are the replies that run beside the callbacks: streams.
type besides struct {
	sync.WaitGroup
	running atomic.Int32
}

// A turn is a lock on which package testing/synctest sees a goroutine block. It is
// handed over to those who wait.
type turn struct {
	wanted atomic.Int32 // by how many: who has it, and those who wait
	mu     sync.Mutex
	next   chan struct{} // mu's; nil: nobody has had to wait
}

func (t *turn) take() {
	if t.wanted.Add(1) > 1 {
		<-t.handover()
	}
}

func (t *turn) end() {
	if t.wanted.Add(-1) > 0 {
		t.handover() <- struct{}{} // which has room: the one before has been met
	}
}

func (t *turn) tryTake() bool { return t.wanted.CompareAndSwap(0, 1) }

func (t *turn) handover() chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.next == nil {
		t.next = make(chan struct{}, 1)
	}
	return t.next
}

type sessionKey struct{}

// on makes ss the session of c.
func (ss *session) on(c *conn.Conn) {
	ss.c, ss.opened = c, ss.OnOpen == nil
	if ss.OnPing != nil || ss.OnPong != nil || ss.OnIdleTimeout != nil {
		c.Set(sessionKey{}, ss)
	}
}

// run serves the connection until it ends.
func (ss *session) run(r *http.Request) {
	defer ss.end()
	ss.ended(ss.c.Handle(ss.waiting(), ss.begin(r), ss.messages()))
}

// attach has an event loop serve it, and reports whether one can.
func (ss *session) attach(r *http.Request) bool {
	return ss.c.Attach(ss.waiting(), ss.begin(r), ss.messages(), ss.over)
}

func (ss *session) over(err error) {
	defer ss.end()
	ss.ended(err)
}

func (ss *session) waiting() int {
	if ss.Waiting == 0 {
		return DefaultWaiting
	}
	return ss.Waiting
}

//go:noinline
func (ss *session) begin(r *http.Request) func() bool {
	if ss.OnOpen == nil {
		return nil
	}
	return func() bool { return ss.open(r) }
}

// outlive returns r, for OnOpen, with a context that ends with the connection, and not
// when net/http is done with r.
func (ss *session) outlive(r *http.Request) *http.Request {
	if ss.OnOpen == nil {
		return nil
	}
	r = r.WithContext(lasting{ss.c.Context(), r.Context()})
	r.Body = http.NoBody // over HTTP/2 it is the connection's
	return r
}

type lasting struct {
	context.Context
	values context.Context
}

func (l lasting) Value(key any) any { return l.values.Value(key) }

// ended is told why there are no more messages.
func (ss *session) ended(err error) {
	if err == nil { // a callback has ended its goroutine
		return
	}
	if _, ok := errors.AsType[*frame.ProtocolError](err); ok || ss.c.Err() == nil {
		ss.report(err)
	}
}

func (ss *session) end() {
	defer ss.groups.letGo(ss.c)
	ss.finish()
	if ss.streams != nil {
		ss.streams.Wait()
	}
}

func (ss *session) open(r *http.Request) (goOn bool) {
	ss.turn.take()
	defer ss.endTurn()
	err := ss.OnOpen(ss.c, r)
	ss.opened = true
	return err == nil || ss.fail(err)
}

// messages returns what calls the handler of a message, sends its reply and reports
// whether there may be another. Each goroutine that serves a connection has it on its
// stack: what is rare is elsewhere, and a method as a value would be one call more.
//
//go:noinline
func (ss *session) messages() func(m conn.Message) (goOn bool) {
	return func(m conn.Message) (goOn bool) {
		ss.turn.take()
		defer ss.endTurn()
		if ss.failed.Load() {
			return false
		}
		h := ss.OnMessage
		switch {
		case h != nil:
		case m.Type == conn.Text:
			h = ss.OnText
		default:
			h = ss.OnBinary
		}
		if h == nil {
			return ss.refuse(m.Type)
		}
		reply, err := h(ss.c, m)
		if err == nil && reply != nil {
			err = ss.send(reply)
		}
		return err == nil || ss.fail(err)
	}
}

// refuse closes the connection for a message for which there is no handler.
func (ss *session) refuse(t conn.MessageType) (goOn bool) {
	ss.c.Close(frame.CloseUnsupportedData, "no "+t.String()+" messages here")
	return false
}

// maxStreams is how many replies a connection may have under way that are streams.
const maxStreams = 100

// send sends a reply, a stream of them beside the callbacks that follow.
func (ss *session) send(reply any) error {
	switch reply.(type) {
	case string, []byte, conn.Message, *conn.Prepared: // most are
		return ss.c.WriteValue(context.Background(), reply)
	}
	if s := streamOf(reply); s != nil {
		return ss.sendBeside(s)
	}
	return sendValue(ss.c, reply)
}

// sendBeside has s sent. When there are too many streams, the next one holds the
// callbacks up.
func (ss *session) sendBeside(s stream) error {
	if ss.streams == nil {
		ss.streams = new(besides)
	}
	running := &ss.streams.running
	if running.Add(1) > maxStreams {
		defer running.Add(-1)
		return s.send(ss.c)
	}
	ss.streams.Go(func() {
		defer running.Add(-1)
		if err := sendCatching(ss.c, s); err != nil {
			ss.turn.take()
			defer ss.endTurn()
			ss.fail(err)
		}
	})
	return nil
}

// sendCatching sends s. A panic in it is an error.
func sendCatching(c *conn.Conn, s stream) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return s.send(c)
}

// fail does what an error asks for and reports whether the connection goes on. On
// one that is closing, OnClose will say why, and what has come is handled.
func (ss *session) fail(err error) (goOn bool) {
	end, kind := closeOf(err)
	open := ss.c.Phase() == conn.Open
	if kind != onlyClose && (open || !ofClosing(err)) {
		ss.report(err)
	}
	if !open || kind == ofBinding && ss.OnError != nil {
		return true
	}
	ss.failed.Store(true)
	if err := ss.c.Close(end.Code, end.Reason); ss.c.Phase() == conn.Open {
		ss.report(err) // that may not be sent
		ss.c.Close(frame.CloseInternalError, "")
	}
	return false
}

// ofClosing reports whether err is what a callback may well meet on a connection
// that is closed under it.
func ofClosing(err error) bool {
	return errors.Is(err, net.ErrClosed) || errors.Is(err, context.Canceled)
}

// catch is deferred around callbacks: it makes a panic the connection's end
// instead of the program's.
func (ss *session) catch() {
	if v := recover(); v != nil {
		ss.panicked(v)
	}
}

// endTurn is catch at the end of a turn.
func (ss *session) endTurn() {
	v := recover()
	if v == nil {
		ss.turn.end()
		return
	}
	defer ss.turn.end()
	ss.panicked(v)
}

func (ss *session) panicked(v any) {
	ss.failed.Store(true)
	ss.report(&PanicError{Value: v, Stack: debug.Stack()})
	ss.c.Close(frame.CloseInternalError, "")
}

// finish closes what is still open after a panic or runtime.Goexit in a callback,
// and says so to OnClose.
func (ss *session) finish() {
	ss.c.Close(frame.CloseInternalError, "")
	ss.turn.take()
	defer ss.closeTurn()
	if ss.OnClose != nil {
		defer ss.catch()
		ss.OnClose(ss.c, ss.c.Err())
	}
}

// closeTurn ends the turn that is the last.
func (ss *session) closeTurn() {
	ss.closed = true
	ss.turn.end()
}

// sessionOf returns the session of a connection that is served, for the callbacks
// that the connection calls.
func (s *Service) sessionOf(c *conn.Conn) (ss *session, served bool) {
	if ss, served = c.Value(sessionKey{}).(*session); !served {
		ss = &session{Service: s, c: c}
	}
	return ss, served
}

func (s *Service) onPing(c *conn.Conn, payload []byte) []byte {
	ss, _ := s.sessionOf(c)
	defer ss.catch()
	pong := s.OnPing(c, payload)
	if len(pong) > frame.MaxControlPayload {
		ss.report(fmt.Errorf("websocket: OnPing returned %d bytes, but a Pong holds %d at the most (§5.5): the Ping's were sent back", len(pong), frame.MaxControlPayload))
		return nil
	}
	return pong
}

func (s *Service) onPong(c *conn.Conn, payload []byte) {
	ss, _ := s.sessionOf(c)
	defer ss.catch()
	s.OnPong(c, payload)
}

func (s *Service) onIdle(c *conn.Conn) {
	ss, served := s.sessionOf(c)
	if !served || !ss.turn.tryTake() {
		return // or a callback is at work
	}
	defer ss.endTurn()
	if !ss.opened || c.Phase() != conn.Open {
		return
	}
	if err := s.OnIdleTimeout(c); err != nil {
		ss.fail(err)
	}
}

// report says what went wrong, to the log and to OnError.
func (ss *session) report(err error) {
	ss.logError(ss.c, err)
	ss.tellError(err)
	if ss.OnError == nil || ss.closed {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			ss.log().Error("websocket: OnError panicked", "remote", ss.c.RemoteAddr(), "panic", v, "stack", string(debug.Stack()))
			ss.tellError(&PanicError{Value: v})
		}
	}()
	ss.OnError(ss.c, err)
}

func (s *Service) logError(c *conn.Conn, err error) {
	log, remote := s.log(), c.RemoteAddr()
	if e, ok := err.(*PanicError); ok {
		log.Error("websocket: callback panicked", "remote", remote, "panic", e.Value, "stack", string(e.Stack))
		return
	}
	if _, ok := errors.AsType[*frame.ProtocolError](err); ok {
		log.Warn("websocket: peer broke the protocol", "remote", remote, "error", err)
		return
	}
	if isBindError(err) {
		log.Info("websocket: message not understood", "remote", remote, "error", err)
		return
	}
	log.Error("websocket: callback failed", "remote", remote, "error", err)
}
