package load

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

// A poll is an epoll set, edge-triggered, and the buffer into which is read what it
// tells of.
type poll struct {
	fd     int
	events []syscall.EpollEvent
	buffer []byte
}

func newPoll() (poll, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	return poll{fd, make([]syscall.EpollEvent, 256), make([]byte, 256<<10)}, os.NewSyscallError("epoll_create1", err)
}

func (p *poll) close() { syscall.Close(p.fd) }

// add has wait tell of fd under the name i. Calls on fd do not wait any more.
func (p *poll) add(fd, i int) error {
	const edge = 1 << 31 // syscall.EPOLLET, which is negative there
	e := &syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLOUT | edge, Fd: int32(i)}
	if err := syscall.SetNonblock(fd, true); err != nil {
		return err
	}
	return os.NewSyscallError("epoll_ctl", syscall.EpollCtl(p.fd, syscall.EPOLL_CTL_ADD, fd, e))
}

// wait waits for something to happen, and tells of all that has.
func (p *poll) wait(tell func(i int, writable, readable bool) error) error {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(p.fd), uintptr(unsafe.Pointer(&p.events[0])),
		uintptr(len(p.events)), uintptr(patience.Milliseconds()), 0, 0)
	switch {
	case errno == syscall.EINTR:
		return nil
	case errno != 0:
		return os.NewSyscallError("epoll_wait", errno)
	case n == 0:
		return fmt.Errorf("the server has not answered for %v", patience)
	}
	for _, e := range p.events[:n] {
		writable := e.Events&syscall.EPOLLOUT != 0
		readable := e.Events&^syscall.EPOLLOUT != 0 // an error is seen by reading
		if err := tell(int(e.Fd), writable, readable); err != nil {
			return err
		}
	}
	return nil
}

// read and write are system calls of which Go's scheduler is not told, since they do
// not wait: clients that take little of their core keep the server busy.
func read(fd int, p []byte) (int, syscall.Errno)  { return call(syscall.SYS_READ, fd, p) }
func write(fd int, p []byte) (int, syscall.Errno) { return call(syscall.SYS_WRITE, fd, p) }

func call(number uintptr, fd int, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(number, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	return int(n), errno
}
