package conn

import (
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
)

// queuePong queues the answer to a Ping, or reports that it is not its turn yet. It
// never waits for the peer.
func (o *outbox) queuePong(c *Conn, ping *machine.Event) (queued bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended {
		return false
	}
	if o.pongs > pongBudget || o.late() { // the newest answers last
		s := o.needed()
		if s.latePong == nil {
			s.latePong = make([]byte, 0, frame.MaxControlPayload)
		}
		s.latePong = append(s.latePong[:0], ping.Payload...)
		return false
	}
	q := o.pending()
	before := len(q.b)
	q.b = c.out.m.AppendReply(q.b, ping)
	o.pongs += int32(len(q.b) - before)
	return true
}

// answerLatePing queues the Pong that found no room. mu is held before and after, and
// free while the Observer is told; the caller has set writing.
func (o *outbox) answerLatePing(c *Conn) {
	late := o.latePong
	o.latePong = nil
	q := o.pending()
	q.b = c.out.m.AppendReply(q.b, &machine.Event{Kind: machine.Ping, Payload: late})
	if c.opt.Observer != nil {
		o.mu.Unlock()
		c.tellSent(frame.OpPong, len(late), len(late))
		o.mu.Lock()
	}
}
