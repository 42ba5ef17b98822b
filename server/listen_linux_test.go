package server

import (
	"net"
	"syscall"
	"testing"
)

// Whoever accepts, package net or the event loop, a connection has what package net would
// have given it.
func TestListenTCP_ConnectionsInheritWhatNetWouldSet(t *testing.T) {
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	want := options(t, acceptedByNet(t, plain))
	for name, accept := range map[string]func(*testing.T, net.Listener) syscall.Conn{
		"package net": acceptedByNet,
		"by hand":     acceptedByHand,
	} {
		t.Run(name, func(t *testing.T) {
			l, err := listenTCP("127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			if got := options(t, accept(t, l)); got != want {
				t.Errorf("keepalive, idle, interval, count, no delay are %v, want %v", got, want)
			}
		})
	}
}

func acceptedByNet(t *testing.T, l net.Listener) syscall.Conn {
	dialOnce(t, l)
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return nc.(*net.TCPConn)
}

// acceptedByHand is connected before it is accepted, so there is nothing to wait for.
func acceptedByHand(t *testing.T, l net.Listener) syscall.Conn {
	dialOnce(t, l)
	raw, err := l.(*net.TCPListener).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var nc descriptor
	raw.Control(func(fd uintptr) {
		n, _, failed := syscall.Accept4(int(fd), syscall.SOCK_CLOEXEC)
		nc, err = descriptor(n), failed
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(int(nc)) })
	return nc
}

func dialOnce(t *testing.T, l net.Listener) {
	t.Cleanup(func() { l.Close() })
	peer, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
}

// A descriptor is a connection of its own.
type descriptor int

func (fd descriptor) SyscallConn() (syscall.RawConn, error) { return fd, nil }
func (fd descriptor) Control(f func(uintptr)) error         { f(uintptr(fd)); return nil }
func (fd descriptor) Read(func(uintptr) bool) error         { return syscall.ENOSYS }
func (fd descriptor) Write(func(uintptr) bool) error        { return syscall.ENOSYS }

func options(t *testing.T, nc syscall.Conn) (got [5]int) {
	raw, err := nc.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		for i, o := range [...]struct{ level, name int }{
			{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE},
			{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE},
			{syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL},
			{syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT},
			{syscall.IPPROTO_TCP, syscall.TCP_NODELAY},
		} {
			if got[i], err = syscall.GetsockoptInt(int(fd), o.level, o.name); err != nil {
				t.Error(err)
			}
		}
	})
	return got
}
