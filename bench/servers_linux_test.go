package bench_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/swan-ws/websocket/bench"
	"github.com/swan-ws/websocket/bench/load"
	"github.com/swan-ws/websocket/bench/measure"
	"github.com/swan-ws/websocket/bench/servers"
	"github.com/swan-ws/websocket/frame"
)

// No figure is one of a broken server.

func TestServers_EchoWhateverComes(t *testing.T) {
	eachServer(t, bench.Off, func(t *testing.T, open func() *load.Conn) {
		c := open()
		for _, p := range []string{"swan", "żółw 🦢", strings.Repeat("a", 125), strings.Repeat("b", 126), strings.Repeat("c", 70_000)} {
			echo(t, c, frame.OpText, []byte(p))
		}
		for _, size := range []int{1, 125, 126, 1<<16 - 1, 1 << 16, 1 << 20} {
			echo(t, c, frame.OpBinary, noise(size))
		}
	})
}

func TestServers_EchoWhatIsInFragments(t *testing.T) {
	eachServer(t, bench.Off, func(t *testing.T, open func() *load.Conn) {
		c := open()
		if err := c.SendFragments(frame.OpText, []byte("a swan "), []byte("on a "), []byte("lake")); err != nil {
			t.Fatal(err)
		}
		expect(t, c, frame.OpText, []byte("a swan on a lake"))
	})
}

func TestServers_AnswerPings(t *testing.T) {
	eachServer(t, bench.Off, func(t *testing.T, open func() *load.Conn) {
		c := open()
		if err := c.Send(frame.OpPing, []byte("there?")); err != nil {
			t.Fatal(err)
		}
		expect(t, c, frame.OpPong, []byte("there?"))
	})
}

func TestServers_SendToAll(t *testing.T) {
	eachServer(t, bench.Off, func(t *testing.T, open func() *load.Conn) {
		all := []*load.Conn{open(), open(), open()}
		for _, c := range all {
			echo(t, c, frame.OpBinary, []byte("in"))
		}
		if err := all[1].Send(frame.OpText, []byte("bcast:5:300")); err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			for range 5 {
				expect(t, c, frame.OpBinary, make([]byte, 300))
			}
		}
	})
}

func TestServers_CompressWhatComesCompressed(t *testing.T) {
	for _, d := range []bench.Deflate{bench.NoTakeover, bench.Takeover} {
		t.Run(string(d), func(t *testing.T) {
			eachServer(t, d, func(t *testing.T, open func() *load.Conn) {
				c := open()
				for i, size := range []int{1 << 10, 1 << 10, 16 << 10, 100 << 10} {
					p := bytes.Repeat(fmt.Appendf(nil, "swan %d, ", i), size/8)
					if deflated := echo(t, c, frame.OpText, p); !deflated {
						t.Errorf("message %d, of %d bytes, comes back as it is", i, len(p))
					}
				}
			})
		})
	}
}

// Who does not take the context over is not measured as if it did.
func TestServers_AgreeToContextTakeover_IfTheySaySo(t *testing.T) {
	for _, l := range servers.Libraries {
		t.Run(l.Name, func(t *testing.T) {
			c, err := load.Open(start(t, l, bench.Takeover), bench.Takeover)
			if err == nil {
				c.Close()
			}
			if l.Takeover != (err == nil) {
				t.Errorf("Takeover is %t, and the handshake ends with %v", l.Takeover, err)
			}
		})
	}
}

func eachServer(t *testing.T, d bench.Deflate, test func(t *testing.T, open func() *load.Conn)) {
	for _, l := range servers.Libraries {
		if d == bench.Takeover && !l.Takeover {
			continue
		}
		t.Run(l.Name, func(t *testing.T) {
			addr := start(t, l, d)
			test(t, func() *load.Conn {
				c, err := load.Open(addr, d)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(c.Close)
				return c
			})
		})
	}
}

func start(t *testing.T, l servers.Library, d bench.Deflate) (addr string) {
	t.Helper()
	s, err := measure.Start(l, d, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s.Addr
}

func echo(t *testing.T, c *load.Conn, op frame.Opcode, p []byte) (deflated bool) {
	t.Helper()
	if err := c.Send(op, p); err != nil {
		t.Fatal(err)
	}
	return expect(t, c, op, p)
}

func expect(t *testing.T, c *load.Conn, op frame.Opcode, p []byte) (deflated bool) {
	t.Helper()
	gotOp, got, deflated, err := c.Receive()
	if err != nil {
		t.Fatal(err)
	}
	if gotOp != op || !bytes.Equal(got, p) {
		t.Fatalf("got %v of %d bytes, %.20q, want %v of %d bytes, %.20q", gotOp, len(got), got, op, len(p), p)
	}
	return deflated
}

func noise(size int) []byte {
	p := slices.Repeat([]byte{0, 255, 7, 131, 64}, size/5+1)
	return p[:size]
}
