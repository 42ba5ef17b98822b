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

// WriteBoth writes two pieces, however long, with one call. Neither may be empty.
func WriteBoth(fd int, p, q []byte) (int, error) {
	pieces := [2]syscall.Iovec{{Base: &p[0]}, {Base: &q[0]}}
	pieces[0].SetLen(len(p))
	pieces[1].SetLen(len(q))
	return result(syscall.Syscall(syscall.SYS_WRITEV, uintptr(fd), uintptr(unsafe.Pointer(&pieces)), uintptr(len(pieces))))
}

func call(number uintptr, fd int, p []byte) (int, error) {
	return result(syscall.RawSyscall(number, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p))))
}

func result(n, _ uintptr, errno syscall.Errno) (int, error) {
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
