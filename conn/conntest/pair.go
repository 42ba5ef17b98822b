package conntest

import (
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/machine"
)

// Pair returns both ends of a WebSocket connection over a Pipe, without an opening
// handshake: hand one to the code under test and play the peer with the other.
func Pair(server, client conn.Options) (s, c *conn.Conn) {
	a, b := Pipe()
	s = conn.New(a, conn.Config{Options: server, Role: machine.Server})
	c = conn.New(b, conn.Config{Options: client, Role: machine.Client})
	return s, c
}
