//go:build race || 386 || s390x

package quick

import "syscall"

// Accept is syscall.Accept4, for a socket that does not block either.
func Accept(fd int) (int, Name, error) {
	n, name, err := syscall.Accept4(fd, syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC)
	return n, NameOf(name), err
}

// Close is syscall.Close.
func Close(fd int) { syscall.Close(fd) }

// EpollAdd is syscall.EpollCtl, to add.
func EpollAdd(epfd, fd int, e *syscall.EpollEvent) error {
	return syscall.EpollCtl(epfd, syscall.EPOLL_CTL_ADD, fd, e)
}

// EpollPoll is syscall.EpollWait that does not wait.
func EpollPoll(epfd int, events []syscall.EpollEvent) (int, error) {
	return syscall.EpollWait(epfd, events, 0)
}
