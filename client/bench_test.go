package client_test

import (
	"io"
	"net"
	"testing"

	"github.com/swan-ws/websocket/client"
)

// Dial over a pipe, against a server that does as little as it can.
func BenchmarkDial(b *testing.B) {
	o := reach(b, func(nc net.Conn) {
		if r, err := readRequest(nc); err == nil {
			respond(nc, r, accepted)
			io.Copy(io.Discard, nc)
		}
	})
	b.ReportAllocs()
	for b.Loop() {
		c, _, err := client.Dial(b.Context(), "ws://example.test/", o)
		if err != nil {
			b.Fatal(err)
		}
		c.CloseNow()
	}
}
