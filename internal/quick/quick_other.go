//go:build unix && (!linux || race || 386 || s390x)

package quick

import "syscall"

// Read is syscall.Read: elsewhere there is nothing quicker, and the race detector wants
// to see it.
func Read(fd int, p []byte) (int, error) { return syscall.Read(fd, p) }

// Write is syscall.Write, likewise.
func Write(fd int, p []byte) (int, error) { return syscall.Write(fd, p) }

// WriteBoth writes two pieces, one after the other.
func WriteBoth(fd int, p, q []byte) (int, error) {
	n, err := Write(fd, p)
	if err != nil || n < len(p) {
		return n, err
	}
	m, _ := Write(fd, q) // an error will come again
	return n + max(m, 0), nil
}
