package hub

import (
	"context"

	"github.com/swan-ws/websocket/conn"
)

// Join makes c a member, if it is none: it gets what is published to Everyone. It
// leaves by itself when it ends. The error is c.Err, if it has already, or the
// Broker's.
func (h *Hub) Join(c *conn.Conn) error { return h.Subscribe(c) }

// Subscribe makes c a member, as Join does, and puts it in the topics. It gets what
// is published to them after Subscribe has returned. If there is an error, it is in
// none of them that it was not in before.
func (h *Hub) Subscribe(c *conn.Conn, topics ...string) error {
	if err := c.Err(); err != nil {
		return err
	}
	h.mu.Lock()
	pinned := append(make([]*topic, 0, 8), h.pin(Everyone))
	for _, name := range topics {
		pinned = append(pinned, h.pin(name))
	}
	if h.Broker != nil {
		h.mu.Unlock()
		if err := h.linkAll(pinned); err != nil {
			h.unpinAll(pinned)
			return err
		}
		h.mu.Lock()
	}
	m := h.member(c)
	for _, t := range pinned {
		if _, in := m.place[t]; in {
			t.pins--
			continue
		}
		t.add(m)
		h.note(m, change{true, t.name})
	}
	h.mu.Unlock()
	h.tell(m)
	select {
	case <-c.Done(): // perhaps before it was in the topics, so that nobody will take it out
		h.leave(m)
		return c.Err()
	default:
		return nil
	}
}

// Unsubscribe takes c out of the topics. What has been published to them before is
// still sent. To leave Everyone is to Leave.
func (h *Hub) Unsubscribe(c *conn.Conn, topics ...string) {
	h.mu.Lock()
	m := h.members[c]
	if m == nil {
		h.mu.Unlock()
		return
	}
	var gone []*topic
	for _, name := range topics {
		if name == Everyone {
			gone = h.removeAll(m, gone)
		} else if t := h.topics[name]; t != nil {
			gone = h.remove(m, t, gone)
		}
	}
	h.mu.Unlock()
	unlinkAll(gone)
	h.tell(m)
	h.settle(m)
}

// Leave takes c out of the hub and all topics. What has been published before is
// still sent.
func (h *Hub) Leave(c *conn.Conn) { h.Unsubscribe(c, Everyone) }

func (h *Hub) leave(m *member) {
	h.mu.Lock()
	gone := h.removeAll(m, nil)
	h.mu.Unlock()
	unlinkAll(gone)
	h.tell(m)
	h.settle(m)
}

// removeAll takes m out of all topics, out of Everyone last, and appends those to
// gone that are not needed any more. mu is held.
func (h *Hub) removeAll(m *member, gone []*topic) []*topic {
	for t := range m.place {
		if t.name != Everyone {
			gone = h.remove(m, t, gone)
		}
	}
	for t := range m.place {
		gone = h.remove(m, t, gone)
	}
	return gone
}

func (h *Hub) remove(m *member, t *topic, gone []*topic) []*topic {
	if _, in := m.place[t]; !in {
		return gone
	}
	t.remove(m)
	h.note(m, change{false, t.name})
	if h.unpin(t) {
		gone = append(gone, t)
	}
	return gone
}

// member returns that of c, which may be a new one. mu is held.
func (h *Hub) member(c *conn.Conn) *member {
	m := h.members[c]
	if m == nil {
		if h.members == nil {
			h.members = make(map[*conn.Conn]*member)
		}
		m = &member{hub: h, c: c, place: make(map[*topic]int)}
		m.forget = context.AfterFunc(c.Context(), m.end)
		h.members[c] = m
	}
	return m
}

// settle forgets a member that has left, once nothing is left to be done for it.
// Until then one that joins again is the same: there is an order in its messages and
// in its callbacks.
func (h *Hub) settle(m *member) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m.mu.Lock()
	m.left = len(m.place) == 0
	busy := m.writing || !m.left
	m.mu.Unlock()
	if !busy && !m.telling && h.members[m.c] == m {
		delete(h.members, m.c)
		m.forget()
		if m.named {
			delete(h.named, m.c.ID())
		}
	}
}
