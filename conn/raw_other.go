//go:build !unix

package conn

// newRawReader returns nil: sockets cannot be polled without a buffer here.
func newRawReader(any) rawStream { return nil }
