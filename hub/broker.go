package hub

import (
	"github.com/swan-ws/websocket/conn"
)

// A Broker carries messages between the hubs of many processes. A hub that has one
// hands it all that is published, and sends its members what the Broker delivers,
// its own messages included. A Broker must not change the members of a hub that
// calls it.
type Broker interface {
	// Publish carries m to all who have subscribed to m.Topic. m.Data is only valid
	// until it returns. The Result is what the Broker knows of; it may be none.
	Publish(m Message) (Result, error)
	// Subscribe calls deliver with each message of the topic that is published
	// after it has returned, one after the other, until unsubscribe is called. A hub
	// subscribes to a topic when it gets its first member; it may come back before
	// it has unsubscribed, and then has two subscriptions for a moment. deliver
	// waits for nobody and keeps nothing of what it is given.
	Subscribe(topic string, deliver func(Message) Result) (unsubscribe func(), err error)
}

// A Message is what is published, as a Broker carries it from one process to others.
type Message struct {
	Topic  string
	Type   conn.MessageType
	Data   []byte // the giver's again when the call returns: to keep it, copy it
	Except string // the conn.Conn.ID of who does not get it; empty: nobody
}

// hand gives a message to the broker.
func (h *Hub) hand(except *conn.Conn, topic string, m conn.Message) (Result, error) {
	out := Message{Topic: topic, Type: m.Type, Data: m.Data}
	if except != nil {
		out.Except = h.name(except)
	}
	return h.Broker.Publish(out)
}

// name returns an ID by which deliver will find c, if it is a member.
func (h *Hub) name(c *conn.Conn) string {
	id := c.ID()
	h.mu.Lock()
	defer h.mu.Unlock()
	if m := h.members[c]; m != nil {
		if h.named == nil {
			h.named = make(map[string]*conn.Conn)
		}
		m.named, h.named[id] = true, c
	}
	return id
}

// deliver sends what came from the broker to the members of the topic.
func (h *Hub) deliver(t *topic, m Message) Result {
	h.mu.RLock()
	except, n := h.named[m.Except], t.n
	h.mu.RUnlock()
	if n == 0 {
		return Result{}
	}
	message := conn.Message{Type: m.Type, Data: m.Data}
	if err := check(message); err != nil { // who published it may be of another kind
		h.log().Warn("websocket hub: the broker's message is none", "topic", m.Topic, "error", err)
		return Result{}
	}
	return h.send(t, newParcel(message), except)
}

// linkAll asks the broker for what is published to the topics, where that has not
// been done.
func (h *Hub) linkAll(topics []*topic) error {
	for _, t := range topics {
		if err := h.linkTo(t); err != nil {
			return err
		}
	}
	return nil
}

func (h *Hub) linkTo(t *topic) (err error) {
	unlink := <-t.link
	defer func() { t.link <- unlink }()
	if unlink == nil {
		unlink, err = h.Broker.Subscribe(t.name, func(m Message) Result { return h.deliver(t, m) })
	}
	return err
}

// unlinkAll is for topics that are gone: nobody will link them any more.
func unlinkAll(topics []*topic) {
	for _, t := range topics {
		if t.link == nil {
			continue
		}
		if unlink := <-t.link; unlink != nil {
			unlink()
		}
	}
}

// unpinAll undoes pin.
func (h *Hub) unpinAll(topics []*topic) {
	var gone []*topic
	h.mu.Lock()
	for _, t := range topics {
		if h.unpin(t) {
			gone = append(gone, t)
		}
	}
	h.mu.Unlock()
	unlinkAll(gone)
}
