package conn

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// stream is what a connection runs on: a net.Conn, or any io.ReadWriteCloser
// made into one as far as deadlines go.
type stream interface {
	io.ReadWriteCloser
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

func asStream(rwc io.ReadWriteCloser) stream {
	if s, ok := rwc.(stream); ok {
		return s
	}
	p := &pumped{rwc: rwc}
	p.change.L = &p.mu
	return p
}

// pumped adds deadlines to a stream that has none. A Read that would block runs
// on a goroutine of its own, and what it brings is kept if nobody waits for it
// any more. A Write that is too late closes the stream, which a connection does
// after a late write anyway.
type pumped struct {
	rwc io.ReadWriteCloser

	mu       sync.Mutex
	change   sync.Cond // of what follows
	reading  bool      // the goroutine is out
	room     []byte    // what it reads into
	buf      []byte    // what it brought
	empty    bool      // it brought neither bytes nor an error
	err      error
	deadline time.Time
	timer    *time.Timer

	writeDeadline time.Time
	writeTimer    *time.Timer
}

func (p *pumped) Read(dst []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.buf) == 0 {
		switch {
		case p.err != nil:
			return 0, p.err
		case !p.deadline.IsZero() && !time.Now().Before(p.deadline):
			return 0, os.ErrDeadlineExceeded
		case p.empty:
			p.empty = false
			return 0, nil
		case !p.reading:
			p.reading = true
			go p.fetch(p.roomFor(len(dst)))
		}
		p.change.Wait()
	}
	n := copy(dst, p.buf)
	p.buf = p.buf[n:]
	return n, nil
}

// roomFor returns room for a read of n bytes; what holds a usual one is kept.
func (p *pumped) roomFor(n int) []byte {
	if n > readBufferSize {
		return make([]byte, n)
	}
	if p.room == nil {
		p.room = make([]byte, readBufferSize)
	}
	return p.room
}

func (p *pumped) fetch(buf []byte) {
	n, err := p.rwc.Read(buf)
	p.mu.Lock()
	p.reading, p.buf, p.empty = false, buf[:n], n == 0 && err == nil
	if p.err == nil {
		p.err = err
	}
	p.change.Broadcast()
	p.mu.Unlock()
}

func (p *pumped) SetReadDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deadline = t
	if p.timer != nil {
		p.timer.Stop()
	}
	if !t.IsZero() {
		p.timer = time.AfterFunc(time.Until(t), func() {
			p.mu.Lock()
			p.change.Broadcast()
			p.mu.Unlock()
		})
	}
	return nil
}

func (p *pumped) Write(src []byte) (int, error) {
	guard := p.guardWrite()
	n, err := p.rwc.Write(src)
	if guard != nil && !guard.Stop() && err != nil {
		err = os.ErrDeadlineExceeded
	}
	return n, err
}

// guardWrite closes the stream when the write deadline passes, until stopped.
func (p *pumped) guardWrite() *time.Timer {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.writeDeadline.IsZero() {
		return nil
	}
	left := time.Until(p.writeDeadline)
	if p.writeTimer == nil {
		p.writeTimer = time.AfterFunc(left, func() { p.rwc.Close() })
	} else {
		p.writeTimer.Reset(left)
	}
	return p.writeTimer
}

func (p *pumped) SetWriteDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writeDeadline = t
	return nil
}

func (p *pumped) Close() error {
	p.mu.Lock()
	if p.timer != nil {
		p.timer.Stop()
	}
	if p.err == nil { // not every stream ends its reads with its Close
		p.err = net.ErrClosed
	}
	p.change.Broadcast()
	p.mu.Unlock()
	return p.rwc.Close()
}

// closeWrite ends the sending direction alone, where the stream can: the peer
// then reads what was sent, and its end, without a reset.
func closeWrite(s stream) bool {
	var target any = s
	if p, ok := s.(*pumped); ok {
		target = p.rwc
	}
	half, ok := target.(interface{ CloseWrite() error })
	return ok && half.CloseWrite() == nil
}
