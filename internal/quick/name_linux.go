package quick

import (
	"net"
	"net/netip"
	"strconv"
	"syscall"
)

// A Name is a socket's, or its peer's, as the system says it.
type Name struct {
	IP   netip.Addr // invalid for what is not of the Internet
	Port uint16
	Zone uint32 // the index of an interface; 0: none
}

// NameOf returns the zero Name for what the system did not tell.
func NameOf(name syscall.Sockaddr) Name {
	switch at := name.(type) {
	case *syscall.SockaddrInet4:
		return Name{IP: netip.AddrFrom4(at.Addr), Port: uint16(at.Port)}
	case *syscall.SockaddrInet6:
		return Name{IP: netip.AddrFrom16(at.Addr), Port: uint16(at.Port), Zone: at.ZoneId}
	}
	return Name{}
}

// AddrPort returns what package net calls it, but for the IPv4 in IPv6 of a socket for
// both.
func (n Name) AddrPort() netip.AddrPort {
	ip := n.IP
	if n.Zone != 0 {
		ip = ip.WithZone(zone(int(n.Zone)))
	}
	return netip.AddrPortFrom(ip, n.Port)
}

func zone(index int) string {
	if i, err := net.InterfaceByIndex(index); err == nil {
		return i.Name
	}
	return strconv.Itoa(index)
}
