package server

import (
	"context"
	"net"
	"os"
	"syscall"
)

// listenTCP is net.Listen. What package net would set on every connection is set on the
// listener, from which they inherit it: that saves a handshake four system calls.
func listenTCP(addr string) (net.Listener, error) {
	lc := net.ListenConfig{KeepAlive: -1, Control: func(_, _ string, raw syscall.RawConn) error {
		var err error
		if failed := raw.Control(func(fd uintptr) { err = setKeepAlive(int(fd)) }); failed != nil {
			return failed
		}
		return err
	}}
	l, err := lc.Listen(context.Background(), "tcp", addr)
	if err != nil { // Multipath TCP does not take these options everywhere
		return net.Listen("tcp", addr)
	}
	return l, nil
}

// setKeepAlive sets what package net does: a peer that is gone is noticed, whatever is
// spoken.
func setKeepAlive(fd int) error {
	const idle, interval, probes = 15, 15, 9 // in s
	for _, o := range [...]struct{ level, name, value int }{
		{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1},
		{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, idle},
		{syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, interval},
		{syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, probes},
		{syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1},
	} {
		if err := syscall.SetsockoptInt(fd, o.level, o.name, o.value); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	return nil
}
