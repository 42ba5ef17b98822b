//go:build !race && !386 && !s390x

package quick

import (
	"net/netip"
	"syscall"
	"unsafe"
)

// Accept is syscall.Accept4, for a socket that does not block either. fd must not block.
func Accept(fd int) (int, Name, error) {
	const flags = syscall.SOCK_NONBLOCK | syscall.SOCK_CLOEXEC
	watch()
	var name syscall.RawSockaddrAny
	size := uint32(unsafe.Sizeof(name))
	n, err := result(syscall.RawSyscall6(syscall.SYS_ACCEPT4, uintptr(fd), uintptr(unsafe.Pointer(&name)), uintptr(unsafe.Pointer(&size)), flags, 0, 0))
	if err != nil {
		return 0, Name{}, err
	}
	return n, rawName(&name), nil
}

func rawName(name *syscall.RawSockaddrAny) Name {
	switch name.Addr.Family {
	case syscall.AF_INET:
		at := (*syscall.RawSockaddrInet4)(unsafe.Pointer(name))
		return Name{IP: netip.AddrFrom4(at.Addr), Port: port(&at.Port)}
	case syscall.AF_INET6:
		at := (*syscall.RawSockaddrInet6)(unsafe.Pointer(name))
		return Name{IP: netip.AddrFrom16(at.Addr), Port: port(&at.Port), Zone: at.Scope_id}
	}
	return Name{}
}

// port returns what stands at p as it is sent.
func port(p *uint16) uint16 {
	b := (*[2]byte)(unsafe.Pointer(p))
	return uint16(b[0])<<8 | uint16(b[1])
}

// Close is syscall.Close of a socket that does not linger.
func Close(fd int) {
	syscall.RawSyscall(syscall.SYS_CLOSE, uintptr(fd), 0, 0)
}

// EpollAdd is syscall.EpollCtl, to add.
func EpollAdd(epfd, fd int, e *syscall.EpollEvent) error {
	_, err := result(syscall.RawSyscall6(syscall.SYS_EPOLL_CTL, uintptr(epfd), syscall.EPOLL_CTL_ADD, uintptr(fd), uintptr(unsafe.Pointer(e)), 0, 0))
	return err
}

// EpollPoll is syscall.EpollWait that does not wait. There is room for an event.
func EpollPoll(epfd int, events []syscall.EpollEvent) (int, error) {
	watch()
	return result(syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(epfd), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), 0, 0, 0))
}
