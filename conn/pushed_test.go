package conn_test

import (
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
)

// pushed is an EventStream over a pipe, on which package testing/synctest sees
// goroutines block. It calls as a loop does: on one goroutine, which is left to a call
// that takes its time, and then once more.
type pushed struct {
	*conntest.Conn
	ready chan func()

	mu     sync.Mutex
	change chan struct{} // closed at the next change
	buf    []byte
	err    error
	by     time.Time
}

// patience is how long a call may take.
const patience = 10 * time.Millisecond

// push returns a connection in an event loop, and the raw other end of its stream.
func push(t *testing.T, o conn.Options) (*conn.Conn, *conntest.Conn) {
	t.Helper()
	here, there := conntest.Pipe()
	s := &pushed{Conn: here, ready: make(chan func(), 1), change: make(chan struct{})}
	var loop sync.WaitGroup
	loop.Go(s.loop)
	c := conn.New(s, conn.Config{Options: o, Role: machine.Server})
	t.Cleanup(func() {
		c.CloseNow()
		there.Close()
		loop.Wait()
	})
	return c, there
}

func (s *pushed) OnReadable(f func()) { s.ready <- f }

func (s *pushed) loop() {
	var f func()
	p := make([]byte, 64<<10)
	for end := false; !end; {
		n, err := s.Conn.Read(p)
		s.alter(func() { s.buf, s.err = append(s.buf, p[:n]...), err })
		end = err != nil
		if f == nil {
			select {
			case f = <-s.ready:
			default:
				continue
			}
		}
		back := make(chan struct{})
		go func() {
			defer close(back)
			f()
		}()
		select {
		case <-back:
		case <-time.After(patience):
			go f()
		}
	}
}

func (s *pushed) alter(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	close(s.change)
	s.change = make(chan struct{})
}

func (s *pushed) TryRead(p []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n = copy(p, s.buf)
	if s.buf = s.buf[n:]; n == 0 {
		err = s.err
	}
	return n, err
}

func (s *pushed) Read(p []byte) (int, error) {
	for {
		s.mu.Lock()
		change, by := s.change, s.by
		s.mu.Unlock()
		if n, err := s.TryRead(p); n > 0 || err != nil {
			return n, err
		}
		if by.IsZero() {
			<-change
			continue
		}
		if !time.Now().Before(by) {
			return 0, os.ErrDeadlineExceeded
		}
		timer := time.NewTimer(time.Until(by))
		select {
		case <-change:
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (s *pushed) SetReadDeadline(by time.Time) error {
	s.alter(func() { s.by = by })
	return nil
}

func (s *pushed) TryWrite(p []byte) int {
	n, _ := s.Write(p)
	return n
}

func (s *pushed) WriteBoth(p, q []byte) (int, error) { return s.Write(append(p[:len(p):len(p)], q...)) }

func (s *pushed) Close() error {
	s.alter(func() { s.buf, s.err = nil, net.ErrClosed })
	return s.Conn.Close()
}

var _ conn.EventStream = (*pushed)(nil)
