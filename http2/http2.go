// Package http2 has the servers of net/http in this program take WebSocket connections
// over HTTP/2 (RFC 8441). Import it for that alone:
//
//	import _ "github.com/swan-ws/websocket/http2"
//
// Clients are told then that they may ask, and browsers do: for all connections to a
// server with which they speak HTTP/2, as they do over TLS. A page and its connections
// share one TCP connection, and one handshake of TLS. All that takes WebSocket
// connections in this program must be able to answer: package server is, other libraries
// may not be. So it is a program that decides, not a library.
//
// The method of these requests is CONNECT: patterns such as "GET /chat" do not match,
// "/chat" does. Handlers that call Accept under an http.Server need a
// server.StreamHandler. Give such a server what a server.Server has by itself, or one
// connection may hold up all that share its TCP connection:
//
//	HTTP2: &http.HTTP2Config{
//		MaxReceiveBufferPerStream:     128 << 10,   // a fraction of what all have
//		MaxReceiveBufferPerConnection: 4<<20 - 1,
//		WriteByteTimeout:              10 * time.Second, // when the client takes nothing
//	}
//
// It does for the servers of net/http what GODEBUG=http2xconnect=1 in the environment
// does, and leaves that as it was for the programs that this one starts. Servers that
// golang.org/x/net/http2 has configured need it in the environment. Who has set
// http2xconnect=0 there has the last word.
package http2

import (
	_ "net/http" // which has looked by now

	"github.com/swan-ws/websocket/http2/internal/ask"
)

func init() { ask.TakeBack() }
