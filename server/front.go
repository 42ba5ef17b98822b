package server

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A front stands between a listener and net/http. When the first read of a connection
// brings the whole head of a handshake, as clients for WebSocket send it, the request is
// made and answered here: see visit. All other connections are net/http's, with what has
// been read of them: it asks the front for them, as if that were the listener. So what
// is wrong, long, slow or simply a page gets from net/http what it always gets.
type front struct {
	net.Listener
	s      *Server
	base   context.Context // of the requests
	begin  sync.Once
	others chan accepted
	visits chan net.Conn // to the goroutines that are idle
	idle   atomic.Int32  // how many they are
	brief  bool          // nobody but this package sees a visit, or makes it a long one
	closed chan struct{}
	end    sync.Once
}

// maxIdle is how many goroutines wait for the next visit. What they keep is their
// stack, which has grown to what a handshake takes.
const maxIdle = 32

type accepted struct {
	nc  net.Conn
	err error
}

func newFront(s *Server, l net.Listener) *front {
	service, ok := s.Handler.(*Service)
	return &front{
		Listener: l, s: s, brief: ok && service.OnOpen == nil && service.Check == nil,
		base:   context.WithValue(s.http.BaseContext(l), http.ServerContextKey, &s.http),
		others: make(chan accepted), visits: make(chan net.Conn), closed: make(chan struct{}),
	}
}

// Accept is net/http's. The first call opens the front, so that nobody is let in to a
// Server that has been shut down.
func (f *front) Accept() (net.Conn, error) {
	f.begin.Do(func() { go f.accept() })
	select {
	case a := <-f.others:
		return a.nc, a.err
	case <-f.closed:
		return nil, net.ErrClosed
	}
}

// Close is net/http's too.
func (f *front) Close() error {
	f.end.Do(func() { close(f.closed) })
	return f.Listener.Close()
}

func (f *front) isClosed() bool {
	select {
	case <-f.closed:
		return true
	default:
		return false
	}
}

// accept goes on until the front is closed. An error is net/http's to judge: it waits a
// while after one that may pass, and asks no more after others. So long the next waits.
func (f *front) accept() {
	over := false
	defer func() {
		if !over { // an Observer has ended this goroutine
			go f.accept()
		}
	}()
	for !f.isClosed() {
		nc, err := f.Listener.Accept()
		_, secure := nc.(interface{ ConnectionState() tls.ConnectionState })
		if err != nil || secure {
			f.pass(nc, err)
			continue
		}
		f.s.handlers.add(1)
		if socket, ok := nc.(eventSocket); ok {
			nc = newCaller(f, socket)
		}
		f.s.http.ConnState(nc, http.StateNew)
		if f.isClosed() { // and who closes connections has not met this one
			nc.Close()
		}
		if c, ok := nc.(*caller); ok {
			c.wait()
		} else {
			f.visit(nc)
		}
	}
	over = true
}

// visit has nc visited on another goroutine.
func (f *front) visit(nc net.Conn) {
	select {
	case f.visits <- nc:
	default:
		go f.receive(nc)
	}
}

// receive receives one visit after the other.
func (f *front) receive(nc net.Conn) {
	v := new(visit)
	for {
		v.begin(f, nc)
		v.receive()
		if !f.brief {
			v = new(visit)
		}
		if f.idle.Add(1) > maxIdle {
			f.idle.Add(-1)
			return
		}
		select {
		case nc = <-f.visits:
			f.idle.Add(-1)
		case <-f.closed:
			return
		}
	}
}

// pass leaves nc to net/http, or closes it if that does not ask any more.
func (f *front) pass(nc net.Conn, err error) {
	select {
	case f.others <- accepted{nc, err}:
	case <-f.closed:
		if err == nil {
			nc.Close()
			f.s.http.ConnState(nc, http.StateClosed)
		}
	}
}

// headSize is how much is read at once. MaxHandshakeBytes need not be looked at: what
// net/http adds to its limit before it refuses is as much.
const headSize = 4 << 10

var headBuffers = sync.Pool{New: func() any { return new([headSize]byte) }}

// A begun is a connection whose first bytes have been read already.
type begun struct {
	net.Conn
	head []byte    // they
	by   time.Time // the first deadline is no later; zero: as it is set
	from net.Addr  // the system forgets it when the peer is gone
}

// RemoteAddr returns the peer's address, as it was accepted.
func (c *begun) RemoteAddr() net.Addr { return c.from }

// Read returns the first bytes first.
func (c *begun) Read(p []byte) (int, error) {
	if len(c.head) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.head)
	if c.head = c.head[n:]; len(c.head) == 0 {
		c.head = nil
	}
	return n, nil
}

// SetReadDeadline keeps whoever has begun slowly from beginning again.
func (c *begun) SetReadDeadline(t time.Time) error {
	if !c.by.IsZero() {
		if t.After(c.by) {
			t = c.by
		}
		c.by = time.Time{}
	}
	return c.Conn.SetReadDeadline(t)
}

// CloseWrite and ReadFrom are what net/http uses of a TCP connection beyond net.Conn.
func (c *begun) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return errors.ErrUnsupported
}

// ReadFrom lets the system copy files.
func (c *begun) ReadFrom(r io.Reader) (int64, error) { return io.Copy(c.Conn, r) }

// unbegun returns the connection below nc, and all that has been read of it: buffered,
// and what a begun has left.
func unbegun(nc net.Conn, buffered []byte) (net.Conn, []byte) {
	c, ok := nc.(*begun)
	if !ok {
		return nc, buffered
	}
	return c.Conn, slices.Concat(buffered, c.head)
}
