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
	try func(fd uintptr) bool // r.attempt, bound once

	burst bool    // wanted for the next attempt
	got   *buffer // of the last attempt, if it brought bytes
	n     int
	err   error

	push func(fd uintptr) bool // r.attemptWrite, bound once
	out  []byte
	sent int
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
	return b, r.n, r.err
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
		r.got, r.n, r.err = b, n, nil
		return true
	}
	freeReadBuffer(b)
	switch err {
	case syscall.EAGAIN:
		return false
	case nil:
		r.n, r.err = 0, io.EOF
	default:
		r.n, r.err = 0, os.NewSyscallError("read", err)
	}
	return true
}

// tryWrite writes as much of p as the socket takes at once. An error is left to
// the next write to find.
func (r *rawReader) tryWrite(p []byte) (n int) {
	r.out, r.sent = p, 0
	r.raw.Write(r.push)
	r.out = nil
	return r.sent
}

func (r *rawReader) attemptWrite(fd uintptr) bool {
	n, err := quick.Write(int(fd), r.out)
	for err == syscall.EINTR {
		n, err = quick.Write(int(fd), r.out)
	}
	r.sent = max(n, 0)
	return true // never waits
}
