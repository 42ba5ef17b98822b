package loop

import (
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unique"

	"github.com/swan-ws/websocket/internal/instant"
	"github.com/swan-ws/websocket/internal/quick"
)

// A Socket is a TCP connection that a poller waits for. Its TryRead and TryWrite
// never wait; Read and Write do, until their deadline. There may be one reader and one
// writer at a time, and anybody may Close.
type Socket struct {
	p     *poller
	fd    int32
	users atomic.Int32 // system calls under way, and closed

	// dry: nothing came since a read found all there was. ended: nothing else will,
	// and no event will tell; or a read may stop short of the rest, at urgent data.
	dry, ended atomic.Bool

	waited  atomic.Bool // change is not nil
	port    uint16      // of remote
	lingers bool        // or may, in close: it is not known here what it was before

	readable atomic.Pointer[func()]

	mu      sync.Mutex
	sleeper interface{ Wake() } // of WakeAfter
	*waits                      // nil: nobody has waited

	local  unique.Handle[netip.AddrPort] // which many have in common
	remote netip.Addr
}

// waits is what Read and Write need when they have to wait.
type waits struct {
	change chan struct{}   // closed at the next event, or what else those wait for
	by     [2]instant.Time // until when
}

// The times in waits.
const (
	reading = iota
	writing
)

// waiting returns s.waits; mu is held.
func (s *Socket) waiting() *waits {
	if s.waits == nil {
		s.waits = new(waits)
	}
	return s.waits
}

// closed is set in users by Close.
const closed = 1 << 30

// LocalAddr returns this side's address.
func (s *Socket) LocalAddr() net.Addr { return asAddr(s.local.Value()) }

// RemoteAddr returns the peer's.
func (s *Socket) RemoteAddr() net.Addr { return asAddr(s.RemoteAddrPort()) }

// RemoteAddrPort is RemoteAddr, invalid for what the system did not tell.
func (s *Socket) RemoteAddrPort() netip.AddrPort { return netip.AddrPortFrom(s.remote, s.port) }

func addrPort(a net.Addr) netip.AddrPort {
	tcp, _ := a.(*net.TCPAddr)
	return tcp.AddrPort()
}

// asAddr returns nil for what the system did not tell.
func asAddr(a netip.AddrPort) net.Addr {
	if !a.IsValid() {
		return nil
	}
	return net.TCPAddrFromAddrPort(a)
}

// OnReadable has f called whenever something comes that may be read, on the poller's
// goroutine: what has come before is the caller's to read. f may take its time: another
// goroutine then waits for the other sockets, and may call f again.
func (s *Socket) OnReadable(f func()) { s.readable.Store(&f) }

// Begin begins to wait for a Socket that a Listener has accepted. What has come before,
// and has not been read, is among what OnReadable's f is called for.
func (s *Socket) Begin() error {
	if !s.use() {
		return net.ErrClosed
	}
	defer s.unuse()
	return s.p.add(s)
}

// event is told what epoll says.
func (s *Socket) event(events uint32) {
	const ends = syscall.EPOLLRDHUP | syscall.EPOLLHUP | syscall.EPOLLERR | syscall.EPOLLPRI
	if events&ends != 0 {
		s.ended.Store(true)
	}
	came := events&(syscall.EPOLLIN|ends) != 0
	if came {
		s.dry.Store(false)
	}
	if s.waited.Load() {
		s.wake()
	}
	if f := s.readable.Load(); came && f != nil {
		(*f)()
	}
}

// use keeps the descriptor open until unuse, unless it is closed.
func (s *Socket) use() bool {
	if s.users.Add(1)&closed != 0 {
		s.unuse()
		return false
	}
	return true
}

func (s *Socket) unuse() {
	if s.users.Add(-1) == closed {
		s.release()
	}
}

func (s *Socket) release() {
	if s.users.CompareAndSwap(closed, closed+closed/2) { // once
		s.p.remove(s)
		if s.lingers {
			syscall.Close(int(s.fd))
		} else {
			quick.Close(int(s.fd))
		}
	}
}

// Close closes the socket. Whoever waits in Read or Write gets net.ErrClosed.
func (s *Socket) Close() error {
	for {
		n := s.users.Load()
		if n&closed != 0 {
			return net.ErrClosed
		}
		if s.users.CompareAndSwap(n, n|closed) {
			break
		}
	}
	s.wake()
	if s.users.Load() == closed {
		s.release()
	}
	return nil
}

// CloseWrite tells the peer that no more will come.
func (s *Socket) CloseWrite() error {
	if !s.use() {
		return net.ErrClosed
	}
	defer s.unuse()
	return os.NewSyscallError("shutdown", syscall.Shutdown(int(s.fd), syscall.SHUT_WR))
}

// TryRead reads what there is; n is 0 and err nil if there is nothing now.
func (s *Socket) TryRead(p []byte) (n int, err error) {
	if s.dry.Load() && s.users.Load()&closed == 0 {
		return 0, nil
	}
	if !s.use() {
		return 0, net.ErrClosed
	}
	s.dry.Store(true) // an event from now on is one of more
	n, err = quick.Read(int(s.fd), p)
	if n <= 0 || n == len(p) || s.ended.Load() {
		n, err = s.rareRead(p, n, err)
	}
	s.unuse()
	return n, err
}

// rareRead is told of a read that has not simply brought all there was.
func (s *Socket) rareRead(p []byte, n int, err error) (int, error) {
	for err == syscall.EINTR {
		n, err = quick.Read(int(s.fd), p)
	}
	if err == syscall.EAGAIN {
		return 0, nil
	}
	s.dry.Store(false)
	switch {
	case n > 0:
		return n, nil
	case err == nil:
		return 0, io.EOF
	default:
		return 0, os.NewSyscallError("read", err)
	}
}

// TryWrite writes as much of p as the system takes. An error is left to Write.
func (s *Socket) TryWrite(p []byte) int {
	n, _ := s.tryWrite(p, nil)
	return n
}

// tryWrite writes as much of p, and q behind it, as the system takes.
func (s *Socket) tryWrite(p, q []byte) (n int, err error) {
	if !s.use() {
		return 0, net.ErrClosed
	}
	for {
		if len(q) == 0 {
			n, err = quick.Write(int(s.fd), p)
		} else {
			n, err = quick.WriteBoth(int(s.fd), p, q)
		}
		if err != syscall.EINTR {
			break
		}
	}
	s.unuse()
	if err != nil {
		return 0, writeError(err)
	}
	return n, nil
}

// writeError returns nil if there is only no room.
func writeError(err error) error {
	if err == syscall.EAGAIN {
		return nil
	}
	return os.NewSyscallError("write", err)
}

// Read waits until there is something to read.
func (s *Socket) Read(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if n, err = s.TryRead(p); n > 0 || err != nil {
			return n, err
		}
		change, timeout := s.nextChange(reading)
		if n, err = s.TryRead(p); n > 0 || err != nil {
			return n, err
		}
		if err = s.wait(change, timeout); err != nil {
			return 0, err
		}
	}
}

// Write waits until all of p has been taken.
func (s *Socket) Write(p []byte) (n int, err error) {
	for {
		m, err := s.tryWrite(p[n:], nil)
		if n += m; n == len(p) || err != nil {
			return n, err
		}
		change, timeout := s.nextChange(writing)
		m, err = s.tryWrite(p[n:], nil)
		if n += m; n == len(p) || err != nil {
			return n, err
		}
		if m == 0 {
			err = s.wait(change, timeout)
		}
		if err != nil {
			return n, err
		}
	}
}

// WriteBoth is Write of two pieces, of which neither is empty.
func (s *Socket) WriteBoth(p, q []byte) (n int, err error) {
	if n, err = s.tryWrite(p, q); err != nil {
		return n, err
	}
	if n < len(p) {
		m, err := s.Write(p[n:])
		if n += m; err != nil {
			return n, err
		}
	}
	m, err := s.Write(q[n-len(p):])
	return n + m, err
}

// nextChange returns what wait waits for. It is asked for before the last attempt to
// do without.
func (s *Socket) nextChange(which int) (change chan struct{}, by instant.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.waiting()
	if w.change == nil {
		w.change = make(chan struct{})
		s.waited.Store(true)
	}
	return w.change, w.by[which]
}

func (s *Socket) wait(change chan struct{}, by instant.Time) error {
	if by == 0 {
		s.p.handOff(s)
		<-change
		return nil
	}
	left := by.Until()
	if left <= 0 {
		return os.ErrDeadlineExceeded
	}
	s.p.handOff(s)
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-change:
	case <-timer.C:
	}
	return nil
}

func (s *Socket) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waits != nil && s.change != nil {
		close(s.change)
		s.change = nil
		s.waited.Store(false)
	}
}

// SetReadDeadline is for Read, the one that waits included.
func (s *Socket) SetReadDeadline(t time.Time) error { return s.setDeadline(reading, t) }

// SetWriteDeadline is for Write.
func (s *Socket) SetWriteDeadline(t time.Time) error { return s.setDeadline(writing, t) }

// SetDeadline is for both.
func (s *Socket) SetDeadline(t time.Time) error {
	s.SetReadDeadline(t)
	return s.SetWriteDeadline(t)
}

func (s *Socket) setDeadline(which int, t time.Time) error {
	s.mu.Lock()
	s.waiting().by[which] = instant.Of(t)
	s.mu.Unlock()
	if s.waited.Load() {
		s.wake()
	}
	return nil
}
