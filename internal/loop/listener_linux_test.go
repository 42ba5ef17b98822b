package loop_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/swan-ws/websocket/internal/loop"
)

func listen(t *testing.T) *loop.Listener {
	t.Helper()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l, err := loop.Listen(tcp.(*net.TCPListener))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// accepted returns a Socket of l's and its peer.
func accepted(t *testing.T, l *loop.Listener) (*loop.Socket, *net.TCPConn) {
	t.Helper()
	peer, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		peer.Close()
	})
	return s.(*loop.Socket), peer.(*net.TCPConn)
}

func TestListener_Close_EndsAccept(t *testing.T) {
	l := listen(t)
	end := make(chan error)
	go func() {
		_, err := l.Accept()
		end <- err
	}()
	l.Close()
	if err := <-end; !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Error("afterwards:", err)
	}
}

// Whoever leaves the loop is no longer waited for there: not by a number that may soon
// be another's.
func TestSocket_TCP_LeavesThePoller(t *testing.T) {
	s, peer := accepted(t, listen(t))
	if err := s.Begin(); err != nil {
		t.Fatal(err)
	}
	tcp, err := s.TCP()
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	if n := waits(t, tcp); n != 1 {
		t.Errorf("%d wait for it, want the runtime alone", n)
	}
	if _, err := peer.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if n, err := tcp.Read(make([]byte, 2)); n != 1 || err != nil {
		t.Error(n, err)
	}
}

// waits returns how many descriptors of epoll wait for nc.
func waits(t *testing.T, nc syscall.Conn) (n int) {
	var stat syscall.Stat_t
	raw, err := nc.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) { err = syscall.Fstat(int(fd), &stat) })
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("/proc/self/fdinfo/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		info, _ := os.ReadFile(name) // which may be gone
		n += strings.Count(string(info), fmt.Sprintf(" ino:%x ", stat.Ino))
	}
	return n
}

func TestListen_LeavesAListenerThatIsClosed(t *testing.T) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tcp.Close()
	if _, err := loop.Listen(tcp.(*net.TCPListener)); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

// A listener of all addresses leaves it to each socket which one it came to.
func TestListener_OfAllAddresses_KnowsWhereWhoCame(t *testing.T) {
	tcp, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	l, err := loop.Listen(tcp.(*net.TCPListener))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	peer, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.LocalAddr().String() != peer.RemoteAddr().String() || s.RemoteAddr().String() != peer.LocalAddr().String() {
		t.Errorf("%v to %v, the peer says %v to %v", s.RemoteAddr(), s.LocalAddr(), peer.LocalAddr(), peer.RemoteAddr())
	}
}

// Who sleeps is not woken, and who is closed is neither.
func TestSocket_Sleep_UndoesWakeAfter(t *testing.T) {
	l := listen(t)
	asleep, _ := accepted(t, l)
	awake, _ := accepted(t, l)
	woken := make(chan string, 2)
	asleep.WakeAfter(time.Millisecond, alarm(func() { woken <- "asleep" }))
	asleep.Sleep()
	awake.WakeAfter(20*time.Millisecond, alarm(func() { woken <- "awake" }))
	if who := <-woken; who != "awake" {
		t.Errorf("%s was woken", who)
	}
	awake.Close()
	awake.Sleep()
	awake.WakeAfter(0, alarm(func() { t.Error("a socket that is closed was woken") }))
	if err := awake.Begin(); err != net.ErrClosed {
		t.Error(err)
	}
	if _, err := awake.TCP(); err != net.ErrClosed {
		t.Error(err)
	}
}
