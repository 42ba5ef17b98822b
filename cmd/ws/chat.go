package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/swan-ws/websocket"
)

const (
	// maxText is the longest text in the room. With the name in front it must
	// still fit into what clients take.
	maxText = 64 << 10
	// queueLength is how many messages may wait for a guest.
	queueLength = 64
	// patience is how long a message waits for guests whose queue is full.
	patience = time.Second
)

// room is a chat. Whoever speaks puts a message in everyone's queue, from which
// a goroutine of each guest's sends it. Guests whose queue is full hold the
// others up for patience, all of them together and once: then they are put out.
type room struct {
	mu     sync.Mutex
	guests map[*guest]bool
	came   int // guests so far
}

type guest struct {
	name  string
	c     *websocket.Conn
	queue chan *websocket.Prepared
}

// serve is a guest's visit.
func (r *room) serve(ctx context.Context, c *websocket.Conn) {
	g := &guest{c: c, queue: make(chan *websocket.Prepared, queueLength)}
	r.enter(g)
	defer r.leave(g)
	go g.deliver()
	for m, err := range c.Messages(ctx) {
		switch {
		case err != nil:
			return
		case m.Type == websocket.Binary:
			r.say(websocket.Prepare(websocket.Binary, m.Data))
		case len(m.Data) > maxText:
			c.Close(websocket.CloseTooBig, "a text in this room has at most 64 KiB")
			return
		default:
			r.say(text("%s: %s", g.name, m.Data))
		}
	}
}

func text(format string, args ...any) *websocket.Prepared {
	return websocket.Prepare(websocket.Text, fmt.Appendf(nil, format, args...))
}

func (g *guest) deliver() {
	for {
		select {
		case m := <-g.queue:
			if g.c.Send(context.Background(), m) != nil {
				return
			}
		case <-g.c.Done():
			return
		}
	}
}

func (r *room) enter(g *guest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.guests == nil {
		r.guests = make(map[*guest]bool)
	}
	r.came++
	g.name = fmt.Sprintf("guest %d", r.came)
	r.guests[g] = true
	r.tell(text("* %s joined, %d here", g.name, len(r.guests)))
}

func (r *room) leave(g *guest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.guests, g)
	r.tell(text("* %s left, %d here", g.name, len(r.guests)))
}

func (r *room) say(m *websocket.Prepared) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tell(m)
}

// tell queues m for everyone; mu is held, so that all hear the same in the same
// order.
func (r *room) tell(m *websocket.Prepared) {
	var slow []*guest
	for g := range r.guests {
		select {
		case g.queue <- m:
		default:
			slow = append(slow, g)
		}
	}
	if slow == nil {
		return
	}
	late, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, g := range slow {
		select {
		case g.queue <- m:
		case <-g.c.Done():
		case <-late.Done():
			delete(r.guests, g)
			go g.c.Close(websocket.ClosePolicyViolation, "too slow for this room")
		}
	}
}
