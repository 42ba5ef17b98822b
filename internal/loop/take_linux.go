package loop

import (
	"net"
	"os"
	"syscall"
	"unique"
)

// Take makes a Socket of nc and closes that. On an error nc is as good as before.
func Take(nc *net.TCPConn) (*Socket, error) {
	p, err := nextPoller()
	if err != nil {
		return nil, err
	}
	raw, err := nc.SyscallConn()
	if err != nil {
		return nil, err
	}
	var fd int
	if failed := raw.Control(func(old uintptr) { fd, err = duplicate(old) }); failed != nil {
		err = failed
	}
	if err != nil {
		return nil, err
	}
	remote := addrPort(nc.RemoteAddr())
	s := &Socket{p: p, fd: int32(fd), local: unique.Make(addrPort(nc.LocalAddr())), remote: remote.Addr(), port: remote.Port(), lingers: true}
	p.enter(s)
	if err := p.add(s); err != nil {
		s.Close()
		return nil, err
	}
	nc.Close()
	return s, nil
}

// TCP closes s and returns the connection as one of package net's. On an error it is
// lost.
func (s *Socket) TCP() (*net.TCPConn, error) {
	if !s.use() {
		return nil, net.ErrClosed
	}
	fd, err := duplicate(uintptr(s.fd))
	if err == nil {
		s.p.unwatch(int(s.fd)) // which Close does not: the socket stays open
	}
	s.unuse()
	s.Close()
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), "tcp")
	defer file.Close()
	nc, err := net.FileConn(file) // which duplicates it once more
	if err != nil {
		return nil, err
	}
	return nc.(*net.TCPConn), nil
}

// duplicate returns a descriptor that the runtime does not know.
func duplicate(old uintptr) (fd int, err error) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_FCNTL, old, syscall.F_DUPFD_CLOEXEC, 0)
	if errno != 0 {
		return 0, os.NewSyscallError("fcntl", errno)
	}
	return int(n), nil
}
