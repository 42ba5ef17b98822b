//go:build !linux

package loop

import (
	"errors"
	"net"
)

// A Socket does not exist here.
type Socket struct{ net.Conn }

// Take says so.
func Take(*net.TCPConn) (*Socket, error) {
	return nil, errors.ErrUnsupported
}
