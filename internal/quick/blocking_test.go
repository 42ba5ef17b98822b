//go:build linux && !race && !386 && !s390x

package quick

import (
	"syscall"
	"testing"
	"time"
)

// A socket that somebody has put into blocking mode, as os.File.Fd does to that of a
// net.TCPConn.File, must not hold a thread that the runtime waits for.
func TestReadAndWrite_OfASocketThatBlocks_DoNotWait(t *testing.T) {
	a, _ := pair(t)
	if err := syscall.SetNonblock(a, false); err != nil {
		t.Fatal(err)
	}
	patience := syscall.NsecToTimeval(int64(2 * time.Second)) // or a failure would be for ever
	for _, option := range []int{syscall.SO_RCVTIMEO, syscall.SO_SNDTIMEO} {
		if err := syscall.SetsockoptTimeval(a, syscall.SOL_SOCKET, option, &patience); err != nil {
			t.Fatal(err)
		}
	}
	start := time.Now()
	if n, err := Read(a, make([]byte, 10)); n > 0 || err != syscall.EAGAIN {
		t.Errorf("nothing to read: %d, %v", n, err)
	}
	for err := error(nil); err == nil && time.Since(start) < time.Second; {
		_, err = Write(a, make([]byte, 1<<10))
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("took %v", took)
	}
}
