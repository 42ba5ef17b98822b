package server

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/swan-ws/websocket/conn"
)

// eventSocket is a connection that an event loop waits for: a *loop.Socket that has been
// accepted as one.
type eventSocket interface {
	net.Conn
	conn.EventStream
	Begin() error
	WakeAfter(d time.Duration, w interface{ Wake() })
	Sleep()
	TCP() (*net.TCPConn, error)
	RemoteAddrPort() netip.AddrPort
}

// loops reports whether all that the Handler accepts is for the event loop.
func (s *Server) loops() bool {
	service, ok := s.Handler.(*Service)
	return ok && (service.EventLoop || loopAlways)
}

// looped returns l, or what does the same with connections of the event loop, if that is
// where they belong.
func (s *Server) looped(l net.Listener) net.Listener {
	if tcp, ok := l.(*net.TCPListener); ok && s.loops() {
		if in, err := listenInLoop(tcp); err == nil {
			return in
		}
	}
	return l
}

// A caller is a connection of a front's that an event loop waits for, until its first
// bytes have come: it takes neither goroutine nor buffer.
type caller struct {
	eventSocket
	f     *front
	by    time.Time    // when they must have come; zero: there is no limit
	calls atomic.Int32 // since nobody was at it; above 0 for good once they have come
}

// newCaller returns the caller on socket, whose time has begun.
func newCaller(f *front, socket eventSocket) *caller {
	c := &caller{eventSocket: socket, f: f}
	if timeout := f.s.http.ReadHeaderTimeout; timeout > 0 {
		c.by = time.Now().Add(timeout)
	}
	return c
}

// isQuietCaller reports whether w is the response to a caller who has sent nothing but the
// request: there is nothing yet for which a callback might take its time.
func isQuietCaller(w http.ResponseWriter) bool {
	if v := visitOf(w); v != nil {
		_, is := v.v.nc.(*caller)
		return is && len(v.v.ctx.ahead) == 0
	}
	return false
}

// wait begins to wait for the first bytes, for a time, unless they have come already.
func (c *caller) wait() {
	if c.f.brief {
		c.ready()
	}
	if c.calls.Load() == 0 { // nobody is at it, who may be from OnReadable on
		if !c.by.IsZero() {
			c.WakeAfter(time.Until(c.by), c)
		}
		c.OnReadable(c.ready)
	}
	switch err := c.Begin(); err {
	case nil, net.ErrClosed: // it may be over
	default:
		c.logLost(err)
		c.Close()
	}
}

// Wake is called when its time is over.
func (c *caller) Wake() { c.Close() }

func (c *caller) logLost(err error) {
	if !c.f.isClosed() {
		c.f.s.http.ErrorLog.Printf("websocket: a connection of %v is dropped: %v", c.RemoteAddr(), err)
	}
}

// ready is called when there may be something to read. Where nobody may take his time
// over a handshake, it is answered here and now.
func (c *caller) ready() {
	switch {
	case c.calls.Add(1) > 1: // somebody is at it, and looks again
	case c.f.brief:
		v := visits.Get().(*visit)
		v.begin(c.f, c)
		v.receive()
		visits.Put(v)
	default:
		c.f.visit(c)
	}
}

var visits = sync.Pool{New: func() any { return new(visit) }}

// read reads the first bytes into p, if they have come or will not come any more.
func (c *caller) read(p []byte) (n int, err error, came bool) {
	for {
		calls := c.calls.Load()
		if n, err = c.TryRead(p); n > 0 || err != nil {
			c.Sleep()
			return n, err, true
		}
		if c.calls.CompareAndSwap(calls, 0) {
			return 0, nil, false
		}
	}
}

// leave is that of a visit.
func (c *caller) leave(first []byte) {
	defer c.f.s.handlers.add(-1)
	tcp, err := c.TCP()
	if err != nil {
		c.logLost(err)
		c.f.s.http.ConnState(c, http.StateClosed)
		return
	}
	defer c.f.s.streams.state(c, http.StateClosed) // it goes by another name now
	if crowd := c.f.s.crowd; crowd != nil {
		crowd.rename(c, tcp)
	}
	c.f.pass(&begun{tcp, first, c.by, c.RemoteAddr()}, nil)
}

// Close has even who has not said anything dealt with: at the time that he had for it, or
// by Shutdown.
func (c *caller) Close() error {
	err := c.eventSocket.Close()
	if c.calls.Add(1) == 1 {
		go c.f.visit(c) // not here: whoever closes may hold a lock
	}
	return err
}
