//go:build !race && !386 && !s390x

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
	return call(syscall.SYS_RECVFROM, fd, p, syscall.MSG_DONTWAIT)
}

// Write is syscall.Write.
func Write(fd int, p []byte) (int, error) {
	if len(p) == 0 || len(p) > most {
		return syscall.Write(fd, p)
	}
	return call(syscall.SYS_SENDTO, fd, p, syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL)
}

// WriteBoth writes two pieces, however long, with one call. Neither may be empty.
func WriteBoth(fd int, p, q []byte) (int, error) {
	pieces := [2]syscall.Iovec{{Base: &p[0]}, {Base: &q[0]}}
	pieces[0].SetLen(len(p))
	pieces[1].SetLen(len(q))
	return result(syscall.Syscall(syscall.SYS_WRITEV, uintptr(fd), uintptr(unsafe.Pointer(&pieces)), uintptr(len(pieces))))
}

func call(number uintptr, fd int, p []byte, flags uintptr) (int, error) {
	return result(syscall.RawSyscall6(number, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)), flags, 0, 0))
}

func result(n, _ uintptr, errno syscall.Errno) (int, error) {
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
