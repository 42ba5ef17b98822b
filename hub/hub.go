package hub

import (
	"log/slog"
	"sync"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
)

// Everyone is the topic that all members of a hub are in, from Join to Leave.
const Everyone = ""

// DefaultBudget is what a Budget of 0 stands for.
const DefaultBudget = 256 << 10

// A Hub is a set of connections, its members, and the topics that they have
// subscribed to. The zero value is ready; set the fields before use. All methods
// may be called from any goroutine, and from callbacks: the hub holds no lock while
// it calls one.
//
// All who subscribe to a topic get its messages in the same order, and what one
// goroutine publishes, in whatever topics, in the order in which it did; with a
// Broker, if that keeps it.
type Hub struct {
	// Budget is how many bytes may wait for a member behind what is being written
	// to it, which is 64 KiB at the most, or one message. Each message counts 16
	// bytes more than it has; one may wait in any case, whatever its length. What
	// waits for many is kept once. 0: DefaultBudget. Negative: no limit.
	Budget int
	// Policy is what is done about a member whose budget is used up.
	Policy Policy
	// CloseCode is what CloseSlow closes with. 0: 1013, which asks the peer to
	// come again; 1008 would not.
	CloseCode frame.CloseCode

	// OnJoin is called when c has been put in a topic, OnLeave when it has been
	// taken out, whatever the reason; by then c may be closed. A member comes to
	// Everyone first and leaves it last. For each member they are called one after
	// the other, by the method that made the change, or by whoever calls them
	// already: what OnJoin changes is told when it has returned. One that panics
	// closes its connection with 1011.
	OnJoin, OnLeave func(c *conn.Conn, topic string)

	// Codec makes messages of values that are none. nil: conn.JSON.
	Codec conn.Codec
	// Broker carries messages to the hubs of other processes. nil: there are none.
	Broker Broker
	// Logger gets a line for each callback that panicked. nil: slog.Default.
	Logger *slog.Logger

	sweeper sweeper

	mu      sync.RWMutex // of what follows, and of what says so; never held for long
	members map[*conn.Conn]*member
	topics  map[string]*topic
	named   map[string]*conn.Conn // by their ID: those that a Message has excepted
}

// A Policy is what a hub does when a message comes for a member and finds no room
// in its budget.
type Policy uint8

// The policies.
const (
	CloseSlow  Policy = iota // close its connection: nobody misses a message without knowing
	DropOldest               // drop what has waited longest, for values of which the newest counts
	DropNewest               // drop the message that comes
)

// A Result counts the members that a message was for, by what became of it. That
// it was read is in none of them: WebSocket has no receipts.
type Result struct {
	Delivered int // nothing was before it: it is being written
	Queued    int // it waits behind others
	Dropped   int // messages dropped: this one by DropNewest, others for it by DropOldest
	Closed    int // closed by CloseSlow
}

func (h *Hub) budget() int {
	if h.Budget == 0 {
		return DefaultBudget
	}
	return h.Budget
}

func (h *Hub) log() *slog.Logger {
	if h.Logger != nil {
		return h.Logger
	}
	return slog.Default()
}
