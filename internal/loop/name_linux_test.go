package loop

import (
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
			if got := asAddr(nameOf(tc.of)).String(); got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
		})
	}
	if got := asAddr(nameOf(nil)); got != nil {
		t.Errorf("%v for what the system did not tell", got)
	}
}
