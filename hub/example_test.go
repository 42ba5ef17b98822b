package hub_test

import (
	"fmt"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/hub"
)

// pipe returns a connection and its peer.
func pipe() (c, peer *conn.Conn) { return conntest.Pair(conn.Options{}, conn.Options{}) }

func Example() {
	var h hub.Hub
	leda, ledasPeer := pipe()
	zeus, zeusPeer := pipe()
	defer leda.CloseNow()
	defer zeus.CloseNow()

	h.Subscribe(leda, "swans", "eggs")
	h.Subscribe(zeus, "swans")

	h.Publish("swans", "to both")
	h.PublishExcept(zeus, "swans", "to all others")
	h.Publish("eggs", map[string]int{"laid": 2})

	for range 3 {
		m, _ := ledasPeer.Read(bg)
		fmt.Printf("Leda: %s\n", m.Data)
	}
	m, _ := zeusPeer.Read(bg)
	fmt.Printf("Zeus: %s\n", m.Data)
	// Output:
	// Leda: to both
	// Leda: to all others
	// Leda: {"laid":2}
	// Zeus: to both
}

func ExampleHub_Publish() {
	h := hub.Hub{Budget: 64 << 10, Policy: hub.DropOldest}
	c, peer := pipe()
	defer peer.CloseNow()
	defer c.CloseNow()
	h.Subscribe(c, "prices")

	r, err := h.Publish("prices", "swan: 120") // any handler, any goroutine
	fmt.Printf("%+v %v\n", r, err)
	// Output: {Delivered:1 Queued:0 Dropped:0 Closed:0} <nil>
}

func ExampleHub_Members() {
	var h hub.Hub
	for _, name := range []string{"Leda", "Zeus"} {
		c, peer := pipe()
		defer peer.CloseNow()
		defer c.CloseNow()
		c.Set("name", name)
		h.Subscribe(c, "myths")
	}
	fmt.Println(h.Len("myths"), "are here")
	for c := range h.Members("myths") {
		fmt.Println(c.Value("name"))
	}
	// Output:
	// 2 are here
	// Leda
	// Zeus
}

func ExampleHub_hooks() {
	var h hub.Hub
	h.OnJoin = func(c *conn.Conn, topic string) {
		if topic != hub.Everyone {
			h.PublishExcept(c, topic, fmt.Sprintf("%v joined, %d here", c.Value("name"), h.Len(topic)))
		}
	}
	leda, ledasPeer := pipe()
	zeus, zeusPeer := pipe()
	defer ledasPeer.CloseNow()
	defer zeusPeer.CloseNow()
	leda.Set("name", "Leda")
	zeus.Set("name", "Zeus")
	h.Subscribe(leda, "lake")
	h.Subscribe(zeus, "lake")

	m, _ := ledasPeer.Read(bg)
	fmt.Printf("%s\n", m.Data)
	leda.CloseNow()
	zeus.CloseNow()
	// Output: Zeus joined, 2 here
}
