//go:build !unix

package conn

import "syscall"

// newRawReader returns nil: sockets cannot be polled without a buffer here.
func newRawReader(syscall.Conn) rawStream { return nil }
