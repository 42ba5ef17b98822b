package hub_test

import (
	"context"
	"iter"
	"slices"
	"testing"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/hub"
	"github.com/swan-ws/websocket/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

var bg = context.Background()

// patient has no keepalive and gives no peer up.
var patient = conn.Options{PingEvery: -1, WriteTimeout: -1}

// pair returns a connection and its peer, closed with the test.
func pair(tb testing.TB) (c, peer *conn.Conn) {
	tb.Helper()
	return pairSize(tb, patient, conntest.DefaultPipeSize)
}

// pairSize is pair over a stream that holds size bytes in each direction.
func pairSize(tb testing.TB, o conn.Options, size int) (c, peer *conn.Conn) {
	tb.Helper()
	a, b := conntest.PipeSize(size)
	c = conn.New(a, conn.Config{Options: o, Role: machine.Server})
	peer = conn.New(b, conn.Config{Options: patient, Role: machine.Client})
	tb.Cleanup(func() {
		c.CloseNow()
		peer.CloseNow()
	})
	return c, peer
}

// pairs returns n connections and their peers.
func pairs(tb testing.TB, n int) (conns, peers []*conn.Conn) {
	tb.Helper()
	for range n {
		c, peer := pair(tb)
		conns, peers = append(conns, c), append(peers, peer)
	}
	return conns, peers
}

func mustSubscribe(tb testing.TB, h *hub.Hub, c *conn.Conn, topics ...string) {
	tb.Helper()
	if err := h.Subscribe(c, topics...); err != nil {
		tb.Fatal(err)
	}
}

func mustPublish(tb testing.TB, h *hub.Hub, topic string, v any) hub.Result {
	tb.Helper()
	r, err := h.Publish(topic, v)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// mustRead checks what peer gets next.
func mustRead(tb testing.TB, peer *conn.Conn, want ...string) {
	tb.Helper()
	for _, want := range want {
		m, err := peer.Read(bg)
		if err != nil || string(m.Data) != want {
			tb.Fatalf("got %q, %v, want %q", m.Data, err, want)
		}
	}
}

// mustBeSilent checks that peer has got nothing more. It publishes a last message to
// c, which must be a member.
func mustBeSilent(tb testing.TB, h *hub.Hub, c, peer *conn.Conn) {
	tb.Helper()
	if _, err := h.Send(c, "last"); err != nil {
		tb.Fatal(err)
	}
	mustRead(tb, peer, "last")
}

func sorted(names iter.Seq[string]) []string { return slices.Sorted(names) }
