package conn_test

import (
	"strings"
	"testing"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
	deflate "github.com/swan-ws/websocket/permessage-deflate"
)

// Params made by hand may leave the windows out: they are 15 bits then (7692
// §7.1.2), for the sender as many as it allows itself.
func TestNew_TakesParamsWithoutWindows(t *testing.T) {
	for _, bits := range []int{0, 9} {
		a, b := conntest.Pipe()
		o := conn.Options{Compression: deflate.Options{Mode: deflate.Takeover, WindowBits: bits}}
		s := conn.New(a, conn.Config{Options: o, Role: machine.Server, Deflate: &deflate.Params{}})
		c := conn.New(b, conn.Config{Options: o, Role: machine.Client, Deflate: &deflate.Params{}})
		text := strings.Repeat("as the server says so ", 100)
		for range 3 {
			if err := s.WriteText(t.Context(), text); err != nil {
				t.Fatal(err)
			}
			if m, err := c.Read(t.Context()); err != nil || string(m.Data) != text {
				t.Fatalf("%d bits: %d bytes, %v", bits, len(m.Data), err)
			}
		}
		s.CloseNow()
		c.CloseNow()
	}
}
