package conntest

import (
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// DefaultPipeSize is how many bytes a [Pipe] holds in each direction.
const DefaultPipeSize = 64 << 10

// Conn is one end of a [Pipe]. Like a TCP connection it may be used by several
// goroutines at once, its errors are [*net.OpError] (or [io.EOF]), and a
// deadline that passed can be moved to go on.
type Conn struct {
	in, out       *stream
	local, remote addr
	closed        atomic.Bool
}

var _ net.Conn = (*Conn)(nil)

// Pipe returns the two ends of an in-memory connection. What one end writes is
// buffered until the other reads it, so a single goroutine can do both.
func Pipe() (a, b *Conn) { return PipeSize(DefaultPipeSize) }

// PipeSize is [Pipe] with room for size bytes in each direction; a Write that
// finds no room waits for it. It panics if size is less than 1.
func PipeSize(size int) (a, b *Conn) {
	if size < 1 {
		panic("conntest: PipeSize needs room for at least 1 byte")
	}
	ab, ba := newStream(size), newStream(size)
	a = &Conn{in: ba, out: ab, local: "a", remote: "b"}
	b = &Conn{in: ab, out: ba, local: "b", remote: "a"}
	return a, b
}

// Read waits until there is at least one byte to read. After the peer's Close
// or CloseWrite it returns what was buffered, then [io.EOF]; after the peer's
// Reset it fails with [syscall.ECONNRESET] at once.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.in.read(p)
	return n, c.opError("read", err)
}

// Write returns once all of p is buffered; it keeps no reference to p. Two
// Writes never interleave. Once the peer has closed it fails with
// [syscall.EPIPE].
func (c *Conn) Write(p []byte) (int, error) {
	n, err := c.out.write(p)
	return n, c.opError("write", err)
}

// Close ends both directions. The peer still reads what is buffered, then
// [io.EOF]. Every later call on this end fails with [net.ErrClosed].
func (c *Conn) Close() error {
	if c.closed.Swap(true) {
		return c.opError("close", net.ErrClosed)
	}
	c.out.end(io.EOF, net.ErrClosed)
	c.in.end(net.ErrClosed, syscall.EPIPE)
	return nil
}

// CloseWrite ends the direction to the peer alone: it reads what is buffered,
// then [io.EOF], and can still write.
func (c *Conn) CloseWrite() error {
	if c.closed.Load() {
		return c.opError("close", net.ErrClosed)
	}
	c.out.end(io.EOF, syscall.EPIPE)
	return nil
}

// Reset closes abruptly, as a TCP connection does that is closed before all
// its input was read: what the peer has not read yet is lost, and its next
// Read or Write fails with [syscall.ECONNRESET]. It may follow a Close, to
// play a reset that overtakes the last bytes.
func (c *Conn) Reset() {
	c.closed.Store(true)
	c.out.end(syscall.ECONNRESET, net.ErrClosed)
	c.in.end(net.ErrClosed, syscall.ECONNRESET)
}

// Stats says what an end of a [Pipe] was used for so far.
type Stats struct {
	Reads, Writes           int   // calls, whatever their result
	BytesRead, BytesWritten int64 // bytes that went through
}

// Stats returns the counts of this end. Bytes that the peer wrote and this end
// has not read are the difference of BytesWritten there and BytesRead here.
func (c *Conn) Stats() Stats {
	var s Stats
	c.in.mu.Lock()
	s.Reads, s.BytesRead = c.in.reads, c.in.bytesRead
	c.in.mu.Unlock()
	c.out.mu.Lock()
	s.Writes, s.BytesWritten = c.out.writes, c.out.bytesWritten
	c.out.mu.Unlock()
	return s
}

// SetDeadline sets the deadlines of Read and Write; see [net.Conn].
func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline makes Reads, pending ones too, fail with
// [os.ErrDeadlineExceeded] from t on. The zero time means no deadline.
func (c *Conn) SetReadDeadline(t time.Time) error {
	return c.opError("set", c.in.setReadDeadline(t))
}

// SetWriteDeadline makes Writes, pending ones too, fail with
// [os.ErrDeadlineExceeded] from t on. The zero time means no deadline.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	return c.opError("set", c.out.setWriteDeadline(t))
}

// LocalAddr returns an address of the network "pipe".
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr returns the LocalAddr of the other end.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// opError dresses err as package net does, so that code which compares with ==
// where it should call errors.Is is found out.
func (c *Conn) opError(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	if errno, ok := err.(syscall.Errno); ok {
		err = os.NewSyscallError(op, errno)
	}
	return &net.OpError{Op: op, Net: c.local.Network(), Source: c.local, Addr: c.remote, Err: err}
}

type addr string

func (addr) Network() string  { return "pipe" }
func (a addr) String() string { return string(a) }
