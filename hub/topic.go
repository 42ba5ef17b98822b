package hub

import (
	"sync"
	"sync/atomic"

	"github.com/swan-ws/websocket/conn"
)

// A topic is a list of members. It may change while somebody goes through it: it
// only grows at its end, who leaves is blotted out, and when it is full, or mostly
// blots, a new list takes its place.
type topic struct {
	name  string
	order sync.Mutex // of the messages: held while one is queued for all

	// The hub's mu guards what follows. What is in a list may be loaded without.
	list []atomic.Pointer[member]
	n    int // members
	pins int // members, and those about to be: without any, the topic goes

	// link holds what ends the broker's deliveries, nil before they begin. Whoever
	// takes it out asks the broker. Without a broker it is nil itself.
	link chan func()
}

// pin returns the topic of that name, to be kept until unpin. mu is held.
func (h *Hub) pin(name string) *topic {
	t := h.topics[name]
	if t == nil {
		if h.topics == nil {
			h.topics = make(map[string]*topic)
		}
		t = &topic{name: name}
		if h.Broker != nil {
			t.link = make(chan func(), 1)
			t.link <- nil
		}
		h.topics[name] = t
	}
	t.pins++
	return t
}

// unpin reports whether the topic has gone. mu is held.
func (h *Hub) unpin(t *topic) bool {
	t.pins--
	if t.pins > 0 {
		return false
	}
	delete(h.topics, t.name)
	return true
}

// add puts m on the list; the hub's mu is held.
func (t *topic) add(m *member) {
	if len(t.list) == cap(t.list) {
		t.renew()
	}
	i := len(t.list)
	t.list = t.list[:i+1]
	t.list[i].Store(m)
	m.place[t] = i
	t.n++
}

// remove blots m out; the hub's mu is held.
func (t *topic) remove(m *member) {
	t.list[m.place[t]].Store(nil)
	delete(m.place, t)
	t.n--
	if cap(t.list) > 64 && t.n < cap(t.list)/4 {
		t.renew()
	}
}

// renew copies the list, without blots, to one that is half empty.
func (t *topic) renew() {
	old := t.list
	t.list = make([]atomic.Pointer[member], 0, max(2*t.n, 4))
	for i := range old {
		if m := old[i].Load(); m != nil {
			i := len(t.list)
			t.list = t.list[:i+1]
			t.list[i].Store(m)
			m.place[t] = i
		}
	}
}

// send queues p for all who are in t but one.
func (h *Hub) send(t *topic, p *parcel, except *conn.Conn) (r Result) {
	t.order.Lock()
	defer t.order.Unlock()
	h.mu.RLock()
	list := t.list
	h.mu.RUnlock()
	for i := range list {
		if m := list[i].Load(); m != nil && m.c != except {
			m.push(p, &r)
		}
	}
	return r
}
