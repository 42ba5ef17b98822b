package hub

import (
	"context"
	"slices"
	"sync"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
)

// A member is a connection in a hub, and what waits for it.
type member struct {
	hub    *Hub
	c      *conn.Conn
	forget func() bool // stops what watches for the connection's end

	// The hub's mu guards these.
	place   map[*topic]int // where it is on the lists of its topics; empty: it has left
	untold  []change       // what OnJoin and OnLeave have not been called for
	telling bool           // somebody calls them
	named   bool           // it is in the hub's named

	mu      sync.Mutex // of what follows
	queue   queue
	dropped int
	writing bool // somebody is about to write what is queued
	left    bool // and settles the rest
	over    bool // nothing is queued any more
}

// A parcel is a message for many members.
type parcel struct {
	*conn.Prepared
	size int // what it takes of a budget
}

// overhead is what a message counts beside its length, so that empty ones cannot
// wait without bounds.
const overhead = 16

func newParcel(m conn.Message) *parcel {
	return &parcel{conn.Prepare(m.Type, m.Data), len(m.Data) + overhead}
}

// push queues p and counts in r what became of it. It waits for nothing.
func (m *member) push(p *parcel, r *Result) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.over {
		return
	}
	if budget := m.hub.budget(); budget > 0 && m.queue.n > 0 && m.queue.size+p.size > budget {
		switch m.hub.Policy {
		case CloseSlow:
			m.discard()
			r.Closed++
			go m.expel()
			return
		case DropNewest:
			m.dropped++
			r.Dropped++
			return
		}
		for m.queue.n > 0 && m.queue.size+p.size > budget {
			m.queue.pop()
			m.dropped++
			r.Dropped++
		}
	}
	m.queue.push(p)
	if m.writing {
		r.Queued++
		return
	}
	r.Delivered++
	m.writing = true
	m.hub.sweeper.add(m)
}

// A batch is what is sent to a member at once.
type batch struct {
	parcels  []*parcel
	messages []*conn.Prepared // theirs
}

// batchSize is how many bytes that is, but for longer messages. What the system
// does not take of them is kept for each member by itself.
const batchSize = 16 << 10

// write sends a batch of what is queued, as far as it can without waiting. It
// reports whether there is more, and whether that must wait for the peer.
func (m *member) write(b *batch) (more, wait bool) {
	if !m.next(b) {
		return false, false
	}
	n, err := m.c.TrySend(b.messages...)
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case err != nil: // closed, or about to be
		m.discard()
	case !m.over:
		for _, p := range slices.Backward(b.parcels[n:]) {
			m.queue.unpop(p)
		}
	}
	return true, n < len(b.parcels)
}

// writeSlowly writes all that is queued, for a peer that has to be waited for.
func (m *member) writeSlowly() {
	var b batch
	for more, wait := true, true; more; more, wait = m.write(&b) {
		if wait {
			m.c.Ready(context.Background()) // TrySend has the same error
		}
	}
}

// next moves into b what is to be sent, and reports whether there is anything.
func (m *member) next(b *batch) bool {
	clear(b.parcels)
	clear(b.messages)
	b.parcels, b.messages = b.parcels[:0], b.messages[:0]
	m.mu.Lock()
	for size := 0; m.queue.n > 0 && (size == 0 || size+m.queue.first().size <= batchSize); {
		p := m.queue.pop()
		size += p.size
		b.parcels, b.messages = append(b.parcels, p), append(b.messages, p.Prepared)
	}
	m.writing = len(b.parcels) > 0
	writing, settle := m.writing, m.left
	m.mu.Unlock()
	if !writing && settle {
		m.hub.settle(m)
	}
	return writing
}

// discard drops what waits, and what would; mu is held.
func (m *member) discard() {
	m.over = true
	m.queue = queue{}
}

// end is called when the connection has.
func (m *member) end() {
	m.mu.Lock()
	m.discard()
	m.mu.Unlock()
	m.hub.leave(m)
}

// expel closes the connection of a member that was too slow.
func (m *member) expel() {
	m.hub.leave(m)
	code := m.hub.CloseCode
	if code == 0 {
		code = frame.CloseTryAgainLater
	}
	if m.c.Close(code, "too slow") != nil {
		m.c.CloseNow() // the code may be none that can be sent
	}
}
