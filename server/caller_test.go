package server

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"
)

// A fakeSocket is an eventSocket that brings text.
type fakeSocket struct {
	eventSocket
	text   string
	closed atomic.Bool
	met    chan struct{} // somebody has read
	tcp    func() (*net.TCPConn, error)
	ready  func()
}

func (*fakeSocket) RemoteAddr() net.Addr                         { return at{}.RemoteAddr() }
func (*fakeSocket) RemoteAddrPort() (none netip.AddrPort)        { return none }
func (*fakeSocket) WakeAfter(time.Duration, interface{ Wake() }) {}
func (s *fakeSocket) OnReadable(f func())                        { s.ready = f }
func (s *fakeSocket) Sleep()                                     { close(s.met) }
func (s *fakeSocket) TCP() (*net.TCPConn, error)                 { return s.tcp() }
func (s *fakeSocket) Close() error                               { s.closed.Store(true); return nil }

func (s *fakeSocket) Begin() error {
	if s.closed.Load() {
		<-s.met
		return net.ErrClosed
	}
	if s.ready != nil {
		go s.ready()
	}
	return nil
}

func (s *fakeSocket) TryRead(p []byte) (n int, _ error) {
	if s.closed.Load() {
		return 0, net.ErrClosed
	}
	return copy(p, s.text), nil
}

// once is a listener that accepts what it returns, and no more.
type once func() net.Conn

func (l *once) Accept() (net.Conn, error) {
	accept := *l
	if accept == nil {
		return nil, net.ErrClosed
	}
	*l = nil
	return accept(), nil
}

func (*once) Close() error   { return nil }
func (*once) Addr() net.Addr { return at{}.RemoteAddr() }

// frontOf returns a front, and the Server that it is one of.
func frontOf(t *testing.T, l net.Listener) *front {
	srv := &Server{Handler: &Service{EventLoop: true}, Logger: slog.New(slog.DiscardHandler), MaxConnsPerAddr: 1}
	srv.init()
	f := newFront(srv, srv.limited(l))
	t.Cleanup(func() { f.Close() })
	return f
}

// Whoever closes it looks at it at the same time.
func TestFront_ClosesACaller_WhomItAcceptsWhileItIsClosed(t *testing.T) {
	socket := &fakeSocket{met: make(chan struct{})}
	var f *front
	l := once(func() net.Conn {
		f.Close()
		return socket
	})
	f = frontOf(t, &l)
	f.accept()
	if err := f.s.handlers.wait(t.Context()); err != nil || !socket.closed.Load() {
		t.Error(err, socket.closed.Load())
	}
}

func TestFront_GivesThePlaceBack_OfACallerThatIsLost(t *testing.T) {
	socket := &fakeSocket{text: "GET /", met: make(chan struct{}), tcp: func() (*net.TCPConn, error) { return nil, errors.New("no descriptors") }}
	l := once(func() net.Conn { return socket })
	f := frontOf(t, &l)
	lost := make(chan struct{})
	state := f.s.http.ConnState
	f.s.http.ConnState = func(nc net.Conn, to http.ConnState) {
		state(nc, to)
		if to == http.StateClosed {
			close(lost)
		}
	}
	go f.Accept()
	select {
	case <-lost:
	case <-time.After(5 * time.Second):
	}
	f.s.crowd.mu.Lock()
	defer f.s.crowd.mu.Unlock()
	if n := len(f.s.crowd.homes); n != 0 {
		t.Errorf("somebody is still counted at %d addresses", n)
	}
}

// Shutdown waits for a connection that is on its way to net/http.
func TestFront_IsNotDone_WhileACallerLeaves(t *testing.T) {
	leaving, goOn := make(chan struct{}), make(chan struct{})
	socket := &fakeSocket{text: "GET /", met: make(chan struct{}), tcp: func() (*net.TCPConn, error) {
		close(leaving)
		<-goOn
		return nil, net.ErrClosed
	}}
	l := once(func() net.Conn { return socket })
	f := frontOf(t, &l)
	go f.Accept()
	<-leaving
	done := make(chan error, 1)
	go func() { done <- f.s.Shutdown(t.Context()) }()
	select {
	case err := <-done:
		t.Fatal("done while it leaves:", err)
	case <-time.After(100 * time.Millisecond):
	}
	close(goOn)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
