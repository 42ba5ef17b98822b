package quick

import (
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
)

// A name is what package net would make of it.
func TestNameOf_IsWhatNetSays(t *testing.T) {
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Skip("no interface lo: ", err)
	}
	local := netip.MustParseAddr("fe80::1")
	for _, tc := range []struct {
		name string
		of   syscall.Sockaddr
		want string
	}{
		{"IPv4", &syscall.SockaddrInet4{Port: 80, Addr: [4]byte{192, 0, 2, 1}}, "192.0.2.1:80"},
		{"IPv6", &syscall.SockaddrInet6{Port: 80, Addr: netip.MustParseAddr("2001:db8::1").As16()}, "[2001:db8::1]:80"},
		{"IPv4 of a socket for both", &syscall.SockaddrInet6{Port: 80, Addr: netip.MustParseAddr("::ffff:192.0.2.1").As16()}, "192.0.2.1:80"},
		{"of an interface", &syscall.SockaddrInet6{Port: 80, Addr: local.As16(), ZoneId: uint32(lo.Index)}, "[fe80::1%lo]:80"},
		{"of none that there is", &syscall.SockaddrInet6{Port: 80, Addr: local.As16(), ZoneId: 1 << 30}, "[fe80::1%1073741824]:80"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := net.TCPAddrFromAddrPort(NameOf(tc.of).AddrPort()).String(); got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
		})
	}
	if got := NameOf(nil).AddrPort(); got.IsValid() {
		t.Errorf("%v for what the system did not tell", got)
	}
}

func TestAccept_NamesWhoCame(t *testing.T) {
	for _, at := range []string{"127.0.0.1:0", "[::1]:0"} {
		l, err := net.Listen("tcp", at)
		if err != nil {
			t.Log(err) // a machine without IPv6
			continue
		}
		defer l.Close()
		file, err := l.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		nc, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		fd, name, err := Accept(int(file.Fd())) // who came: dialing has returned
		if err != nil || name.AddrPort().String() != nc.LocalAddr().String() {
			t.Fatalf("%v, %v, want %v", name, err, nc.LocalAddr())
		}
		if flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFL, 0); errno != 0 || flags&syscall.O_NONBLOCK == 0 {
			t.Errorf("it blocks: %x, %v", flags, errno)
		}
		Close(fd)
		if _, err := nc.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("after Close: %v", err)
		}
	}
	if _, _, err := Accept(-1); err != syscall.EBADF {
		t.Error(err)
	}
}
