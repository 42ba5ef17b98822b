package loop

import (
	"net"
	"net/netip"
	"os"
	"syscall"
	"unique"

	"github.com/swan-ws/websocket/internal/quick"
)

// A Listener accepts Sockets: package net would make much of a connection that it has
// no part in.
type Listener struct {
	file  *os.File
	raw   syscall.RawConn
	at    net.Addr
	local unique.Handle[netip.AddrPort] // of the sockets; zero: each has its own
	try   func(fd uintptr) bool         // l.attempt, bound once

	fd  int // of the last attempt
	err error
	who quick.Name
}

// Listen makes a Listener of l and closes that. On an error l is as good as before. l must
// be nobody else's: if somebody made it block, Accept would hold up the runtime, and if
// it lingers, so does the close of its sockets.
func Listen(l *net.TCPListener) (*Listener, error) {
	file, err := l.File()
	if err != nil {
		return nil, err
	}
	raw, err := file.SyscallConn()
	if err != nil {
		file.Close()
		return nil, err
	}
	n := &Listener{file: file, raw: raw, at: l.Addr()}
	n.try = n.attempt
	if at := addrPort(n.at); at.IsValid() && !at.Addr().IsUnspecified() {
		n.local = unique.Make(at)
	}
	l.Close()
	return n, nil
}

// Accept waits for a connection, a *Socket that is not waited for before its Begin: Read
// and Write might wait for ever until then. One goroutine may be in it at a time.
func (l *Listener) Accept() (net.Conn, error) {
	s, err := l.accept()
	if err != nil { // of package net's kind: net/http asks it whether it may pass
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.at, Err: err}
	}
	return s, nil
}

func (l *Listener) accept() (*Socket, error) {
	if l.raw.Read(l.try) != nil { // it is closed: there is no deadline
		return nil, net.ErrClosed
	}
	if l.err != nil {
		return nil, os.NewSyscallError("accept4", l.err)
	}
	p, err := nextPoller()
	if err != nil {
		quick.Close(l.fd)
		return nil, err
	}
	return l.socket(p), nil
}

func (l *Listener) attempt(fd uintptr) bool {
	for {
		l.fd, l.who, l.err = quick.Accept(int(fd))
		switch l.err {
		case syscall.EINTR, syscall.ECONNABORTED: // it was gone before
		case syscall.EAGAIN:
			return false
		default:
			return true
		}
	}
}

// socket makes one of what has been accepted.
func (l *Listener) socket(p *poller) *Socket {
	local := l.local
	if local == (unique.Handle[netip.AddrPort]{}) {
		name, _ := syscall.Getsockname(l.fd)
		local = unique.Make(quick.NameOf(name).AddrPort())
	}
	remote := l.who.AddrPort()
	s := &Socket{p: p, fd: int32(l.fd), local: local, remote: remote.Addr(), port: remote.Port()}
	p.enter(s)
	return s
}

// Close ends Accept, with net.ErrClosed.
func (l *Listener) Close() error { return l.file.Close() }

// Addr returns what is listened on.
func (l *Listener) Addr() net.Addr { return l.at }
