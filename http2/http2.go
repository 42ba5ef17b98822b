// Package http2 has the servers of net/http in this program take WebSocket connections
// over HTTP/2 (RFC 8441). Import it for that alone:
//
//	import _ "github.com/swan-ws/websocket/http2"
//
// Clients are told then that they may ask, and browsers do: for all connections to a
// server with which they speak HTTP/2, as they do over TLS. A page and its connections
// share one TCP connection, and one handshake of TLS. All that takes WebSocket
// connections in this program must be able to answer: what package server accepts is,
// other libraries may not be. So it is a program that decides, not a library.
//
// It does what GODEBUG=http2xconnect=1 in the environment does, and leaves that as it
// was for the programs that this one starts. Who has set http2xconnect=0 there has the
// last word.
package http2

import (
	_ "net/http" // which has looked by now

	"github.com/swan-ws/websocket/http2/internal/ask"
)

func init() { ask.TakeBack() }
