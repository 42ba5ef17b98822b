package quick

import (
	"path/filepath"
	"syscall"
	"testing"
)

func TestEpoll_TellsWhatThereIsToRead_AndDoesNotWait(t *testing.T) {
	epfd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(epfd)
	a, b := pair(t)
	if err := EpollAdd(epfd, a, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: 7}); err != nil {
		t.Fatal(err)
	}
	events := make([]syscall.EpollEvent, 2)
	if n, err := EpollPoll(epfd, events); n != 0 || err != nil {
		t.Errorf("nothing to read: %d, %v", n, err)
	}
	if _, err := Write(b, []byte("swan")); err != nil {
		t.Fatal(err)
	}
	if n, err := EpollPoll(epfd, events); n != 1 || err != nil || events[0].Fd != 7 || events[0].Events != syscall.EPOLLIN {
		t.Errorf("something to read: %d, %v, %+v", n, err, events[0])
	}
	if err := EpollAdd(epfd, a, &syscall.EpollEvent{}); err != syscall.EEXIST {
		t.Errorf("added twice: %v", err)
	}
	if _, err := EpollPoll(-1, events); err != syscall.EBADF {
		t.Errorf("no descriptor: %v", err)
	}
}

// Who comes by a Unix socket has no address of the Internet.
func TestAccept_NamesNobodyOfAUnixSocket(t *testing.T) {
	path := &syscall.SockaddrUnix{Name: filepath.Join(t.TempDir(), "swan")}
	var ends [2]int // who listens, who calls
	for i := range ends {
		fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer syscall.Close(fd)
		ends[i] = fd
	}
	if err := syscall.Bind(ends[0], path); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(ends[0], 1); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Accept(ends[0]); err != syscall.EAGAIN {
		t.Errorf("nobody calls: %v", err)
	}
	if err := syscall.Connect(ends[1], path); err != nil {
		t.Fatal(err)
	}
	fd, name, err := Accept(ends[0])
	if err != nil || name.AddrPort().IsValid() {
		t.Fatalf("%+v, %v", name, err)
	}
	Close(fd)
	if n, err := Read(ends[1], make([]byte, 1)); n != 0 || err != nil {
		t.Errorf("after Close: %d, %v", n, err)
	}
}
