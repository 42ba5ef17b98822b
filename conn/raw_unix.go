//go:build unix

package conn

import (
	"io"
	"net"
	"os"
	"syscall"

	"github.com/swan-ws/websocket/internal/quick"
)

// rawReader reads a socket into a buffer that is borrowed only when there is
// something to read: a connection that waits holds none.
type rawReader struct {
	raw syscall.RawConn

	try   func(fd uintptr) bool // r.attempt, bound once
	got   *buffer               // of the last attempt, if it brought bytes
	errno syscall.Errno         // why it did not; 0: it is the end
	n     int32                 // how many
	burst bool                  // wanted for the next attempt

	push func(fd uintptr) bool // r.attemptWrite, bound once
	out  []byte                // what is not written yet
}

// newRawReader returns nil for what is no plain socket, such as TLS.
func newRawReader(rwc any) rawStream {
	var raw syscall.RawConn
	var err error
	switch nc := rwc.(type) {
	case *net.TCPConn:
		raw, err = nc.SyscallConn()
	case *net.UnixConn:
		raw, err = nc.SyscallConn()
	default:
		return nil
	}
	if err != nil {
		return nil
	}
	r := &rawReader{raw: raw}
	r.try, r.push = r.attempt, r.attemptWrite
	return r
}

// read waits for bytes and returns the buffer with the first n of them.
func (r *rawReader) read(burst bool) (b *buffer, n int, err error) {
	r.burst = burst
	if err := r.raw.Read(r.try); err != nil {
		return nil, 0, err // the deadline, or closed
	}
	b, r.got = r.got, nil
	switch {
	case b != nil:
		return b, int(r.n), nil
	case r.errno != 0:
		return nil, 0, os.NewSyscallError("read", r.errno)
	}
	return nil, 0, io.EOF
}

// attempt reports whether there was anything; the runtime's poller waits
// otherwise, and calls again.
func (r *rawReader) attempt(fd uintptr) bool {
	b := getReadBuffer(r.burst)
	n, err := quick.Read(int(fd), b.b)
	for err == syscall.EINTR {
		n, err = quick.Read(int(fd), b.b)
	}
	if n > 0 {
		r.got, r.n = b, int32(n)
		return true
	}
	freeReadBuffer(b)
	r.errno, _ = err.(syscall.Errno)
	return r.errno != syscall.EAGAIN
}

// tryWrite writes as much of p as the socket takes at once. An error is left to
// the next write to find.
func (r *rawReader) tryWrite(p []byte) (n int) {
	r.out = p
	r.raw.Write(r.push)
	n = len(p) - len(r.out)
	r.out = nil
	return n
}

func (r *rawReader) attemptWrite(fd uintptr) bool {
	n, err := quick.Write(int(fd), r.out)
	for err == syscall.EINTR {
		n, err = quick.Write(int(fd), r.out)
	}
	r.out = r.out[max(n, 0):]
	return true // never waits
}
