package hub

import (
	"iter"
	"slices"

	"github.com/swan-ws/websocket/conn"
)

// Members returns who is in the topic, in no order; of Everyone, all members. Who
// comes or goes while one ranges over it may be seen or not. With a Broker, those of
// other hubs are not among them.
func (h *Hub) Members(topic string) iter.Seq[*conn.Conn] {
	return func(yield func(*conn.Conn) bool) {
		h.mu.RLock()
		t := h.topics[topic]
		if t == nil {
			h.mu.RUnlock()
			return
		}
		list := t.list
		h.mu.RUnlock()
		for i := range list {
			if m := list[i].Load(); m != nil && !yield(m.c) {
				return
			}
		}
	}
}

// Len returns how many are in the topic.
func (h *Hub) Len(topic string) int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if t := h.topics[topic]; t != nil {
		return t.n
	}
	return 0
}

// Has reports whether c is in the topic.
func (h *Hub) Has(c *conn.Conn, topic string) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	t, m := h.topics[topic], h.members[c]
	if t == nil || m == nil {
		return false
	}
	_, in := m.place[t]
	return in
}

// Topics returns the topics in which there is somebody at the call, in no order and
// without Everyone.
func (h *Hub) Topics() iter.Seq[string] {
	h.mu.RLock()
	defer h.mu.RUnlock()
	names := make([]string, 0, len(h.topics))
	for name, t := range h.topics {
		if name != Everyone && t.n > 0 {
			names = append(names, name)
		}
	}
	return slices.Values(names)
}

// TopicsOf returns the topics that c is in at the call, in no order and without
// Everyone.
func (h *Hub) TopicsOf(c *conn.Conn) iter.Seq[string] {
	h.mu.RLock()
	defer h.mu.RUnlock()
	var names []string
	if m := h.members[c]; m != nil {
		for t := range m.place {
			if t.name != Everyone {
				names = append(names, t.name)
			}
		}
	}
	return slices.Values(names)
}

// A Backlog is what waits for a member, beside what is being written to it.
type Backlog struct {
	Messages int
	Bytes    int // what they take of the Budget
	Dropped  int // messages dropped since it joined
}

// Backlog returns c's, of zeros if it is no member.
func (h *Hub) Backlog(c *conn.Conn) Backlog {
	h.mu.RLock()
	m := h.members[c]
	h.mu.RUnlock()
	if m == nil {
		return Backlog{}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return Backlog{m.queue.n, m.queue.size, m.dropped}
}
