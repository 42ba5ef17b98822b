//go:build !race && !386 && !s390x

package quick

import (
	"syscall"
	"unsafe"
)

// most is how many bytes are copied in a moment.
const most = 64 << 10

// Read and Write stand at the bottom of the stacks of as many goroutines as there are
// connections. They need little, which is there as it is for all that ends in a system
// call: that they do not ask for it leaves more of 2 KiB to those above them.

// Read is syscall.Read.
//
//go:nosplit
func Read(fd int, p []byte) (int, error) {
	if len(p) == 0 || len(p) > most {
		return syscall.Read(fd, p)
	}
	watch()
	return result(syscall.RawSyscall6(syscall.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)),
		syscall.MSG_DONTWAIT, 0, 0))
}

// Write is syscall.Write.
//
//go:nosplit
func Write(fd int, p []byte) (int, error) {
	if len(p) == 0 || len(p) > most {
		return syscall.Write(fd, p)
	}
	return result(syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)),
		syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0))
}

// WriteBoth writes two pieces, however long, with one call. Neither may be empty.
func WriteBoth(fd int, p, q []byte) (int, error) {
	pieces := [2]syscall.Iovec{{Base: &p[0]}, {Base: &q[0]}}
	pieces[0].SetLen(len(p))
	pieces[1].SetLen(len(q))
	return result(syscall.Syscall(syscall.SYS_WRITEV, uintptr(fd), uintptr(unsafe.Pointer(&pieces)), uintptr(len(pieces))))
}

// again is the usual error: to make one of a number takes a call.
var again error = syscall.EAGAIN

func result(n, _ uintptr, errno syscall.Errno) (int, error) {
	switch errno {
	case 0:
		return int(n), nil
	case syscall.EAGAIN:
		return 0, again
	}
	return 0, errno
}
