package conntest

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// stream is one direction of a pipe. Waiting is done on a sync.Cond alone, for
// a goroutine in a synctest bubble that waits on one is durably blocked.
type stream struct {
	mu     sync.Mutex
	queue  ring
	filled *sync.Cond // bytes arrived, or the reader's state changed
	freed  *sync.Cond // room arose, or the writer's state changed
	busy   bool       // a Write is under way; others wait, so that none interleave

	readErr, writeErr     error // what ended this side; nil: open
	readLimit, writeLimit deadline

	reads, writes           int
	bytesRead, bytesWritten int64
}

func newStream(size int) *stream {
	s := &stream{queue: ring{max: size}}
	s.filled, s.freed = sync.NewCond(&s.mu), sync.NewCond(&s.mu)
	return s
}

func (s *stream) read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	for {
		switch {
		case s.readErr == net.ErrClosed:
			return 0, s.readErr
		case s.readLimit.passed:
			return 0, os.ErrDeadlineExceeded
		case len(p) == 0:
			return 0, nil
		case s.queue.n > 0:
			n := s.queue.take(p)
			s.bytesRead += int64(n)
			s.freed.Broadcast()
			return n, nil
		case s.readErr != nil:
			return 0, s.readErr
		}
		s.filled.Wait()
	}
}

func (s *stream) write(p []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	for s.busy && s.writable() == nil {
		s.freed.Wait()
	}
	if err = s.writable(); err != nil {
		return 0, err
	}
	s.busy = true
	for n < len(p) && err == nil {
		if k := s.queue.put(p[n:]); k > 0 {
			n += k
			s.bytesWritten += int64(k)
			s.filled.Broadcast()
			continue
		}
		s.freed.Wait()
		err = s.writable()
	}
	s.busy = false
	s.freed.Broadcast()
	return n, err
}

func (s *stream) writable() error {
	if s.writeErr == nil && s.writeLimit.passed {
		return os.ErrDeadlineExceeded
	}
	return s.writeErr
}

// end tells each side what its calls return from now on. Only io.EOF lets the
// reader have what is queued first. A side that closed keeps net.ErrClosed:
// what it did itself outranks what its peer did.
func (s *stream) end(readErr, writeErr error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.readErr != net.ErrClosed {
		s.readErr = readErr
	}
	if s.writeErr != net.ErrClosed {
		s.writeErr = writeErr
	}
	if s.readErr != io.EOF {
		s.queue.drop()
	}
	if s.readErr == net.ErrClosed {
		s.readLimit.stop()
	}
	if s.writeErr == net.ErrClosed {
		s.writeLimit.stop()
	}
	s.filled.Broadcast()
	s.freed.Broadcast()
}

func (s *stream) setReadDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.readErr == net.ErrClosed {
		return s.readErr
	}
	s.readLimit.set(t, s.filled)
	return nil
}

func (s *stream) setWriteDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writeErr == net.ErrClosed {
		return s.writeErr
	}
	s.writeLimit.set(t, s.freed)
	return nil
}

// deadline is guarded by the lock of the cond that it wakes. Its timer is made
// once and reused, so that a deadline a message costs no allocation.
type deadline struct {
	passed bool
	at     time.Time // zero: none pending
	timer  *time.Timer
}

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
	}
	d.passed, d.at = false, time.Time{}
}

func (d *deadline) set(t time.Time, wake *sync.Cond) {
	d.stop()
	if t.IsZero() {
		return
	}
	left := time.Until(t)
	if left <= 0 {
		d.passed = true
		wake.Broadcast()
		return
	}
	d.at = time.Now().Add(left) // on the monotonic clock, as the timer is
	if d.timer != nil {
		d.timer.Reset(left)
		return
	}
	d.timer = time.AfterFunc(left, func() { d.fire(wake) })
}

// fire may be about a deadline that was moved meanwhile: Stop does not wait
// for a call that has begun.
func (d *deadline) fire(wake *sync.Cond) {
	wake.L.Lock()
	defer wake.L.Unlock()
	if !d.at.IsZero() && !time.Now().Before(d.at) {
		d.passed = true
		wake.Broadcast()
	}
}
