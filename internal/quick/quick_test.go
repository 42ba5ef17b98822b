//go:build unix

package quick

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
)

// pair returns the ends of a socket, of which neither blocks.
func pair(t *testing.T) (a, b int) {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		t.Cleanup(func() { syscall.Close(fd) })
		if err := syscall.SetNonblock(fd, true); err != nil {
			t.Fatal(err)
		}
	}
	return fds[0], fds[1]
}

func TestReadAndWrite_AreThoseOfSyscall(t *testing.T) {
	a, b := pair(t)
	for _, size := range []int{0, 1, 100, most64, most64 + 1} {
		t.Run(fmt.Sprint(size, " bytes"), func(t *testing.T) {
			sent, got := bytes.Repeat([]byte{7}, size), make([]byte, size)
			n, err := Write(a, sent)
			if err != nil || n == 0 && size > 0 {
				t.Fatalf("%d, %v", n, err)
			}
			m, err := Read(b, got)
			if size == 0 {
				return
			}
			if err != nil || m == 0 || m > n || !bytes.Equal(got[:m], sent[:m]) {
				t.Fatalf("%d of %d, %v", m, n, err)
			}
			for m < n {
				k, err := Read(b, got[m:])
				if err != nil || k == 0 || !bytes.Equal(got[:m+k], sent[:m+k]) {
					t.Fatalf("%d of %d, %v", m, n, err)
				}
				m += k
			}
			if k, err := Read(b, got); k > 0 || err != syscall.EAGAIN {
				t.Errorf("nothing to read: %d, %v", k, err)
			}
		})
	}
}

func TestWriteBoth_WritesAsMuchAsThereIsRoomFor(t *testing.T) {
	a, b := pair(t)
	p, q := []byte("the swan "), bytes.Repeat([]byte("is on the lake "), 1<<16)
	n, err := WriteBoth(a, p, q)
	if err != nil || n <= len(p) || n >= len(p)+len(q) {
		t.Fatalf("%d, %v", n, err)
	}
	if n, err := WriteBoth(a, p, q); err != syscall.EAGAIN {
		t.Errorf("no room: %d, %v", n, err)
	}
	got := make([]byte, n+1)
	for i := 0; i < n; {
		m, err := Read(b, got[i:])
		if err != nil || m == 0 {
			t.Fatalf("%d of %d, %v", i, n, err)
		}
		i += m
	}
	if want := append(p, q...)[:n]; !bytes.Equal(got[:n], want) {
		t.Error("other bytes came")
	}
}

// most64 is where another call is made.
const most64 = 64 << 10

func TestReadAndWrite_SayWhatIsWrong(t *testing.T) {
	a, b := pair(t)
	p := make([]byte, 10)
	if n, err := Read(a, p); n > 0 || err != syscall.EAGAIN {
		t.Errorf("nothing to read: %d, %v", n, err)
	}
	syscall.Shutdown(b, syscall.SHUT_WR)
	if n, err := Read(a, p); n != 0 || err != nil {
		t.Errorf("the end: %d, %v", n, err)
	}
	syscall.Shutdown(b, syscall.SHUT_RD)
	if _, err := Write(a, p); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("nobody reads: %v", err)
	}
	if _, err := Write(-1, p); !errors.Is(os.NewSyscallError("write", err), syscall.EBADF) {
		t.Errorf("no descriptor: %v", err)
	}
}
