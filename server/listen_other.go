//go:build !linux

package server

import (
	"errors"
	"net"
)

func listenTCP(addr string) (net.Listener, error) { return net.Listen("tcp", addr) }

// listenInLoop says that there is no event loop.
func listenInLoop(*net.TCPListener) (net.Listener, error) { return nil, errors.ErrUnsupported }
