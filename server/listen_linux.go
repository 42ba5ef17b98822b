package server

import (
	"context"
	"net"
	"os"
	"syscall"

	"github.com/swan-ws/websocket/internal/loop"
)

// listenTCP is net.Listen. What package net would set on every connection is set on the
// listener, from which they inherit it: that saves a handshake four system calls.
func listenTCP(addr string) (net.Listener, error) {
	lc := net.ListenConfig{KeepAlive: -1, Control: func(_, _ string, raw syscall.RawConn) error { return handDown(raw) }}
	l, err := lc.Listen(context.Background(), "tcp", addr)
	if err != nil { // Multipath TCP does not take these options everywhere
		return net.Listen("tcp", addr)
	}
	return l, nil
}

// listenInLoop returns l as a listener of the event loop's. On an error l is as good as
// before.
func listenInLoop(l *net.TCPListener) (net.Listener, error) {
	raw, err := l.SyscallConn()
	if err != nil {
		return nil, err
	}
	if err := handDown(raw); err != nil {
		return nil, err
	}
	return loop.Listen(l)
}

// handDown sets on a listener what package net sets on connections: to send at once, and
// to notice when a peer is gone, whatever is spoken.
func handDown(raw syscall.RawConn) (err error) {
	const idle, interval, probes = 15, 15, 9 // in s
	failed := raw.Control(func(fd uintptr) {
		for _, o := range [...]struct{ level, name, value int }{
			{syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1},
			{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1},
			{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, idle},
			{syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, interval},
			{syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, probes},
		} {
			if err == nil {
				err = os.NewSyscallError("setsockopt", syscall.SetsockoptInt(int(fd), o.level, o.name, o.value))
			}
		}
	})
	if err == nil {
		err = failed
	}
	return err
}
