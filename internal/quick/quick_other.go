//go:build unix && (!linux || race)

package quick

import "syscall"

// Read is syscall.Read: elsewhere there is nothing quicker, and the race detector wants
// to see it.
func Read(fd int, p []byte) (int, error) { return syscall.Read(fd, p) }

// Write is syscall.Write, likewise.
func Write(fd int, p []byte) (int, error) { return syscall.Write(fd, p) }
