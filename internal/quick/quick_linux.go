//go:build !race

package quick

import (
	"syscall"
	"unsafe"
)

// most is how many bytes are copied in a moment.
const most = 64 << 10

// Read is syscall.Read.
func Read(fd int, p []byte) (int, error) {
	if len(p) == 0 || len(p) > most {
		return syscall.Read(fd, p)
	}
	return call(syscall.SYS_READ, fd, p)
}

// Write is syscall.Write.
func Write(fd int, p []byte) (int, error) {
	if len(p) == 0 || len(p) > most {
		return syscall.Write(fd, p)
	}
	return call(syscall.SYS_WRITE, fd, p)
}

func call(number uintptr, fd int, p []byte) (int, error) {
	n, _, errno := syscall.RawSyscall(number, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
