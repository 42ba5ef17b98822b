package hub_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/hub"
	deflate "github.com/swan-ws/websocket/permessage-deflate"
)

func TestPublish_ReachesThoseInTheTopic_AndNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h hub.Hub
		conns, peers := pairs(t, 4)
		mustSubscribe(t, &h, conns[0], "swans")
		mustSubscribe(t, &h, conns[1], "geese", "swans")
		mustSubscribe(t, &h, conns[2], "geese")
		if err := h.Join(conns[3]); err != nil {
			t.Fatal(err)
		}
		if r := mustPublish(t, &h, "swans", "honk"); r != (hub.Result{Delivered: 2}) {
			t.Errorf("%+v", r)
		}
		if r := mustPublish(t, &h, "ducks", "quack"); r != (hub.Result{}) {
			t.Errorf("%+v for nobody", r)
		}
		mustRead(t, peers[0], "honk")
		mustRead(t, peers[1], "honk")
		for i, c := range conns {
			mustBeSilent(t, &h, c, peers[i])
		}
	})
}

func TestPublish_ToEveryone_ReachesAllMembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h hub.Hub
		conns, peers := pairs(t, 3)
		h.Join(conns[0])
		mustSubscribe(t, &h, conns[1], "swans")
		if r := mustPublish(t, &h, hub.Everyone, "hello"); r.Delivered != 2 {
			t.Errorf("%+v", r)
		}
		mustRead(t, peers[0], "hello")
		mustRead(t, peers[1], "hello")
	})
}

func TestPublishExcept_ReachesAllOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h hub.Hub
		conns, peers := pairs(t, 3)
		for _, c := range conns {
			mustSubscribe(t, &h, c, "chat")
		}
		r, err := h.PublishExcept(conns[1], "chat", "not to 1")
		if err != nil || r.Delivered != 2 {
			t.Fatal(r, err)
		}
		mustRead(t, peers[0], "not to 1")
		mustRead(t, peers[2], "not to 1")
		mustBeSilent(t, &h, conns[1], peers[1])
	})
}

func TestPublish_TakesWhatWriteValueTakes(t *testing.T) {
	for _, c := range []struct {
		name string
		v    any
		want conn.Message
	}{
		{"string", "swan", conn.Message{Type: conn.Text, Data: []byte("swan")}},
		{"bytes", []byte{1, 2}, conn.Message{Type: conn.Binary, Data: []byte{1, 2}}},
		{"message", conn.Message{Type: conn.Text, Data: []byte("m")}, conn.Message{Type: conn.Text, Data: []byte("m")}},
		{"raw JSON", json.RawMessage(`{"a":1}`), conn.Message{Type: conn.Text, Data: []byte(`{"a":1}`)}},
		{"value", struct{ A int }{2}, conn.Message{Type: conn.Text, Data: []byte(`{"A":2}`)}},
		{"nothing", "", conn.Message{Type: conn.Text}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var h hub.Hub
			s, peer := pair(t)
			mustSubscribe(t, &h, s, "news")
			mustPublish(t, &h, "news", c.v)
			got, err := peer.Read(bg)
			if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
				t.Error(diff, err)
			}
		})
	}
}

// counting is a Codec that counts.
type counting struct {
	conn.JSON
	n int
}

func (c *counting) Encode(v any) (conn.Message, error) {
	c.n++
	return c.JSON.Encode(v)
}

func TestPublish_EncodesOnceForAll(t *testing.T) {
	codec := new(counting)
	h := hub.Hub{Codec: codec}
	conns, peers := pairs(t, 20)
	for _, c := range conns {
		mustSubscribe(t, &h, c, "news")
	}
	mustPublish(t, &h, "news", map[string]int{"swans": 2})
	for _, peer := range peers {
		mustRead(t, peer, `{"swans":2}`)
	}
	if codec.n != 1 {
		t.Errorf("encoded %d times", codec.n)
	}
}

func TestPublish_RefusesWhatCannotBeSent(t *testing.T) {
	for _, c := range []struct {
		name, want string
		v          any
	}{
		{"a broken string", "not valid UTF-8", "\xff"},
		{"a broken text", "not valid UTF-8", conn.Message{Type: conn.Text, Data: []byte{0xc0}}},
		{"no JSON", "unsupported type: chan int", make(chan int)},
		{"prepared", "prepares it itself", conn.Prepare(conn.Text, nil)},
		{"no type", "Type is 0", conn.Message{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var h hub.Hub
				s, peer := pair(t)
				mustSubscribe(t, &h, s, "news")
				r, err := h.Publish("news", c.v)
				if err == nil || !strings.Contains(err.Error(), c.want) || r != (hub.Result{}) {
					t.Errorf("%+v, %v", r, err)
				}
				if _, err := h.Send(s, c.v); err == nil {
					t.Error("Send takes it")
				}
				mustBeSilent(t, &h, s, peer)
			})
		})
	}
}

func TestPublish_LeavesTheBytesToTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h hub.Hub
		c, peer := pairSize(t, patient, 1)
		mustSubscribe(t, &h, c, "news")
		p := []byte("as it was")
		mustPublish(t, &h, "news", p)
		clear(p)
		mustRead(t, peer, "as it was")
	})
}

// All connections with the same window get the same compressed bytes, which are in
// the Prepared that they share.
func TestPublish_SendsCompressed_ToThoseWhoAgreedOnIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h hub.Hub
		message := strings.Repeat("a swan is a swan ", 100)
		var raw []*conntest.Conn
		for _, agreed := range []*deflate.Params{nil, {}, {}} {
			if agreed != nil {
				*agreed = deflate.Params{ServerNoContextTakeover: true, ClientNoContextTakeover: true}
			}
			a, b := conntest.Pipe()
			c := conn.New(a, conn.Config{Options: patient, Role: machine.Server, Deflate: agreed})
			defer c.CloseNow()
			mustSubscribe(t, &h, c, "news")
			raw = append(raw, b)
		}
		mustPublish(t, &h, "news", message)
		synctest.Wait()
		var wire []string
		for _, b := range raw {
			buf := make([]byte, 4096)
			n, err := b.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			wire = append(wire, string(buf[:n]))
		}
		if !strings.Contains(wire[0], message) {
			t.Error("without compression: not the message as it is")
		}
		if len(wire[1]) > 200 || wire[1][0] != 0xc1 || wire[1] != wire[2] {
			t.Errorf("with it: % x and % x", wire[1], wire[2])
		}
	})
}

func TestSend_ComesAfterWhatWasPublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h hub.Hub
		c, peer := pairSize(t, patient, 1) // all of it waits
		mustSubscribe(t, &h, c, "news")
		mustPublish(t, &h, "news", "1")
		synctest.Wait()
		mustPublish(t, &h, "news", "2")
		if r, err := h.Send(c, "3"); err != nil || r != (hub.Result{Queued: 1}) {
			t.Errorf("%+v, %v", r, err)
		}
		mustPublish(t, &h, "news", "4")
		mustRead(t, peer, "1", "2", "3", "4")
	})
}

func TestSend_IsForMembers(t *testing.T) {
	var h hub.Hub
	c, _ := pair(t)
	if _, err := h.Send(c, "hello"); err == nil || !strings.Contains(err.Error(), "Join") {
		t.Error(err)
	}
	h.Join(c)
	h.Leave(c)
	if _, err := h.Send(c, "hello"); err == nil {
		t.Error("sent to one who has left")
	}
}

// What one goroutine publishes arrives in order, whatever the topics.
func TestPublish_KeepsTheOrderOfOneGoroutine_AcrossTopics(t *testing.T) {
	var h hub.Hub
	c, peer := pair(t)
	mustSubscribe(t, &h, c, "odd", "even")
	const n = 1000
	go func() {
		for i := range n {
			h.Publish([]string{"even", "odd"}[i%2], i)
		}
	}()
	for want := range n {
		if got, err := conn.ReadValue[int](bg, peer); err != nil || got != want {
			t.Fatal(got, want, err)
		}
	}
}

func TestHub_WithoutMembers_HasNobody(t *testing.T) {
	var h hub.Hub
	c, _ := pair(t)
	h.Leave(c)
	h.Unsubscribe(c, "swans")
	if r, err := h.PublishExcept(c, "swans", "honk"); r != (hub.Result{}) || err != nil {
		t.Error(r, err)
	}
	for range h.Members("swans") {
		t.Error("somebody")
	}
	if h.Len("swans") != 0 || h.Has(c, "swans") || h.Backlog(c) != (hub.Backlog{}) || len(sorted(h.TopicsOf(c))) != 0 {
		t.Error("there is something")
	}
}

func TestPublish_ErrorsOfTheCodec_CanBeFound(t *testing.T) {
	var h hub.Hub
	_, err := h.Publish("news", func() {})
	if _, ok := errors.AsType[*json.UnsupportedTypeError](err); !ok {
		t.Error(err)
	}
}
