//go:build unix

package conn

import (
	"io"
	"net"
	"os"
	"syscall"
)

// rawReader reads a socket into a buffer that is borrowed only when there is
// something to read: a connection that waits holds none.
type rawReader struct {
	raw syscall.RawConn
	try func(fd uintptr) bool // r.attempt, bound once

	got *buffer // of the last attempt, if it brought bytes
	n   int
	err error
}

// newRawReader returns nil for what is no plain socket, such as TLS.
func newRawReader(rwc any) *rawReader {
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
	r.try = r.attempt
	return r
}

// read waits for bytes and returns the buffer with the first n of them.
func (r *rawReader) read() (b *buffer, n int, err error) {
	if err := r.raw.Read(r.try); err != nil {
		return nil, 0, err // the deadline, or closed
	}
	b, r.got = r.got, nil
	return b, r.n, r.err
}

// attempt reports whether there was anything; the runtime's poller waits
// otherwise, and calls again.
func (r *rawReader) attempt(fd uintptr) bool {
	b := readBuffers.Get().(*buffer)
	n, err := syscall.Read(int(fd), b.b)
	for err == syscall.EINTR {
		n, err = syscall.Read(int(fd), b.b)
	}
	if n > 0 {
		r.got, r.n, r.err = b, n, nil
		return true
	}
	readBuffers.Put(b)
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
