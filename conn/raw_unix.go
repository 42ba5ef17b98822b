//go:build unix

package conn

import (
	"io"
	"os"
	"sync"
	"syscall"

	"github.com/swan-ws/websocket/internal/quick"
)

// rawReader reads a socket into a buffer that is borrowed only when there is
// something to read: a connection that waits holds none.
//
// What it does is done at the bottom of the stack of a goroutine that serves a
// connection, of which there are as many: no call more than must be, so that the 2 KiB
// that a goroutine begins with are enough.
type rawReader struct {
	raw syscall.RawConn

	try  func(fd uintptr) bool // attempt's
	from *sync.Pool            // of the buffers for the next attempt
	got  *buffer               // of the last attempt, if it brought bytes
	n    int32                 // how many; else minus the errno, 0 at the end

	wrote int32            // how much of out
	push  func(fd uintptr) // attemptWrite's
	out   []byte           // what is to be written
}

// What n is when an attempt is to be made again, at once or later.
const (
	interrupted = -int32(syscall.EINTR)
	notYet      = -int32(syscall.EAGAIN)
)

// newRawReader returns nil if the socket is closed.
func newRawReader(s syscall.Conn) rawStream {
	raw, err := s.SyscallConn()
	if err != nil {
		return nil
	}
	r := &rawReader{raw: raw}
	r.try, r.push = r.attempt(), r.attemptWrite
	return r
}

// read waits for bytes and returns the buffer with the first n of them.
func (r *rawReader) read(burst bool) (b *buffer, n int, err error) {
	r.from = &readBuffers
	if burst {
		r.from = &burstBuffers
	}
	if err := r.raw.Read(r.try); err != nil {
		return nil, 0, err // the deadline, or closed
	}
	b, r.got = r.got, nil
	switch {
	case b != nil:
		return b, int(r.n), nil
	case r.n < 0:
		return nil, 0, os.NewSyscallError("read", syscall.Errno(-r.n))
	}
	return nil, 0, io.EOF
}

// attempt returns what reports whether there was anything; the runtime's poller waits
// otherwise, and calls again. A method as a value would be one call more.
func (r *rawReader) attempt() func(fd uintptr) bool {
	return func(fd uintptr) bool {
		b := r.from.Get().(*buffer)
		for r.n = interrupted; r.n == interrupted; {
			n, err := quick.Read(int(fd), b.b)
			if n > 0 {
				r.got, r.n = b, int32(n)
				return true
			}
			errno, _ := err.(syscall.Errno)
			r.n = -int32(errno)
		}
		r.from.Put(b)
		return r.n != notYet
	}
}

// tryWrite writes as much of p as the socket takes at once. An error is left to
// the next write to find.
func (r *rawReader) tryWrite(p []byte) (n int) {
	r.out, r.wrote = p, 0
	r.raw.Control(r.push) // Write is for those who may have to wait
	r.out = nil
	return int(max(r.wrote, 0))
}

func (r *rawReader) attemptWrite(fd uintptr) {
	n, _ := quick.Write(int(fd), r.out)
	r.wrote = int32(n)
}
