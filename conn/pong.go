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

// latePong is the Pong that answerLatePing has queued: its payload's length, and one.
type latePong int

func (n latePong) tell(c *Conn) {
	if n > 0 {
		c.tellSent(frame.OpPong, int(n)-1, int(n)-1)
	}
}

func (o *outbox) answerLatePing(c *Conn) latePong {
	if !o.late() {
		return 0
	}
	late := o.latePong
	o.latePong = nil
	q := o.pending()
	q.b = c.out.m.AppendReply(q.b, &machine.Event{Kind: machine.Ping, Payload: late})
	return latePong(len(late) + 1)
}
