package load

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"syscall"

	"github.com/swan-ws/websocket/bench"
	"github.com/swan-ws/websocket/frame"
)

// A blocking is a socket whose calls wait, but not for ever.
type blocking int

// connect returns a connection whose end is a reset, so that it leaves no port in
// TIME_WAIT.
func connect(addr netip.AddrPort) (blocking, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	timeout := syscall.NsecToTimeval(int64(patience))
	to := &syscall.SockaddrInet4{Addr: addr.Addr().As4(), Port: int(addr.Port())}
	err = errors.Join(
		syscall.SetsockoptLinger(fd, syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1}),
		syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1),
		syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &timeout),
		syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_SNDTIMEO, &timeout),
		os.NewSyscallError("connect", uninterrupted(func() error { return syscall.Connect(fd, to) })),
	)
	if err != nil {
		syscall.Close(fd)
		return -1, err
	}
	return blocking(fd), nil
}

// uninterrupted calls f again when a signal was in its way.
func uninterrupted(f func() error) error {
	for {
		if err := f(); err != syscall.EINTR {
			return err
		}
	}
}

// write writes p, which is short.
func (b blocking) write(p []byte) error {
	err := uninterrupted(func() error {
		_, err := syscall.Write(int(b), p)
		return err
	})
	return os.NewSyscallError("write", err)
}

// read returns what comes next, up to len(p) bytes.
func (b blocking) read(p []byte) (n int, err error) {
	err = uninterrupted(func() error {
		n, err = syscall.Read(int(b), p)
		return err
	})
	if err == nil && n == 0 {
		err = errors.New("the server has closed the connection")
	}
	return n, err
}

// upgraded reads the answer to a handshake.
func (b blocking) upgraded(d bench.Deflate) error {
	var head [4096]byte
	n := 0
	for !bytes.Contains(head[:n], []byte("\r\n\r\n")) {
		m, err := b.read(head[n:])
		if err != nil {
			return fmt.Errorf("the handshake has no answer: %w", err)
		}
		n += m
	}
	r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(head[:n])), nil)
	if err != nil {
		return err
	}
	return agreed(r, d)
}

// introduce has a message echoed, after which the server knows the connection.
func (b blocking) introduce() error {
	if err := b.write(newZip(bench.Off).frame(frame.OpBinary, []byte{1})); err != nil {
		return err
	}
	var echo [3]byte
	for n := 0; n < len(echo); {
		m, err := b.read(echo[n:])
		if err != nil {
			return fmt.Errorf("the first message has no answer: %w", err)
		}
		n += m
	}
	return nil
}
