package conn

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/swan-ws/websocket/frame"
)

// pings are those of Ping whose Pong has not come.
type pings struct {
	mu      sync.Mutex
	last    uint64
	waiting map[uint64]waitingPing
	regular uint64 // the last of Options.PingEvery, if somebody wants to know how long it takes
}

type waitingPing struct {
	sent time.Time
	came chan struct{} // nil: nobody waits
}

// pinging returns the connection's, from the first Ping on whose time is taken.
func (c *Conn) pinging() *pings {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.ask()
	if a.pings == nil {
		a.pings = new(pings)
	}
	return a.pings
}

// pinged returns those there are, nil if none has been timed.
func (c *Conn) pinged() *pings {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked == nil {
		return nil
	}
	return c.pings
}

// expect returns the payload of a new Ping and a channel that is closed at its Pong.
func (p *pings) expect() (payload [8]byte, id uint64, came chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	came = make(chan struct{})
	id = p.add(came)
	binary.BigEndian.PutUint64(payload[:], id)
	return payload, id, came
}

// add notes a Ping that is sent now; mu is held.
func (p *pings) add(came chan struct{}) (id uint64) {
	if p.waiting == nil {
		p.waiting = make(map[uint64]waitingPing)
	}
	p.last++
	p.waiting[p.last] = waitingPing{time.Now(), came}
	return p.last
}

// expectRegular returns the payload of a Ping of Options.PingEvery. It is that of the
// last one until there is a Pong: the peer may answer only one of them.
func (p *pings) expectRegular() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.waiting[p.regular]; !ok {
		p.regular = p.add(nil)
	}
	return binary.BigEndian.AppendUint64(nil, p.regular)
}

func (p *pings) forget(id uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.waiting, id)
}

// answered is told of every Pong. §5.5.3 lets the peer answer only the newest
// Ping, so that a Pong answers all those before it too. The time is since the Ping
// that it is for.
func (p *pings) answered(payload []byte) (took time.Duration, ok bool) {
	if p == nil || len(payload) != 8 {
		return 0, false
	}
	id := binary.BigEndian.Uint64(payload)
	p.mu.Lock()
	defer p.mu.Unlock()
	ping, ok := p.waiting[id]
	if !ok {
		return 0, false
	}
	for other, ping := range p.waiting {
		if other <= id {
			if ping.came != nil {
				close(ping.came)
			}
			delete(p.waiting, other)
		}
	}
	return time.Since(ping.sent), true
}

// Ping sends a Ping, waits for its Pong and returns the round-trip time.
//
// Somebody must read meanwhile, or the Pong is not met before ctx ends: in the body
// of a loop over Messages nobody does, and in a callback of a Service only after a
// while, which is counted.
func (c *Conn) Ping(ctx context.Context) (time.Duration, error) {
	pings := c.pinging()
	payload, id, came := pings.expect()
	defer pings.forget(id)
	start := time.Now()
	if err := c.SendPing(ctx, payload[:]); err != nil {
		return 0, err
	}
	select {
	case <-came:
		return time.Since(start), nil
	case <-c.Done():
		return 0, c.Err()
	case <-ctx.Done():
		return 0, fmt.Errorf("websocket: no answer to a ping (is somebody reading?): %w", ctx.Err())
	}
}

// SendPing sends a Ping with that payload, 125 bytes at the most, and does not wait
// for its Pong: Options.OnPong is told of it. For a round-trip time there is Ping.
func (c *Conn) SendPing(ctx context.Context, payload []byte) error {
	return c.sendControl(ctx, frame.OpPing, c.out.m.AppendPing, payload)
}

// SendPong sends a Pong that no Ping asked for, a heartbeat in one direction
// (§5.5.3), with at most 125 bytes of payload. Pings are answered without it; for
// answers of your own there is Options.AnswerPing.
func (c *Conn) SendPong(ctx context.Context, payload []byte) error {
	return c.sendControl(ctx, frame.OpPong, c.out.m.AppendPong, payload)
}

func (c *Conn) sendControl(ctx context.Context, op frame.Opcode, appendTo func(dst, payload []byte) ([]byte, error), payload []byte) error {
	by, err := hurry(ctx)
	if err != nil {
		return fmt.Errorf("websocket: control frame not sent: %w", err)
	}
	o := &c.out
	o.mu.Lock()
	if o.ended {
		defer o.mu.Unlock()
		return c.Err()
	}
	q := o.pending()
	if q.b, err = appendTo(q.b, payload); err != nil {
		o.mu.Unlock()
		return c.writeError(err)
	}
	err = o.flush(c, by)
	c.tellSent(op, len(payload), len(payload))
	return err
}
