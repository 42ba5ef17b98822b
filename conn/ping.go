package conn

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"time"
)

// pings are those of Ping whose Pong has not come.
type pings struct {
	mu      sync.Mutex
	last    uint64
	waiting map[uint64]chan struct{}
}

// expect returns the payload of a new Ping and a channel that is closed at its Pong.
func (p *pings) expect() (payload [8]byte, id uint64, came chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last++
	came = make(chan struct{})
	if p.waiting == nil {
		p.waiting = make(map[uint64]chan struct{})
	}
	p.waiting[p.last] = came
	binary.BigEndian.PutUint64(payload[:], p.last)
	return payload, p.last, came
}

func (p *pings) forget(id uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.waiting, id)
}

// answered is told of every Pong. §5.5.3 lets the peer answer only the newest
// Ping, so that a Pong answers all those before it too.
func (p *pings) answered(payload []byte) {
	if len(payload) != 8 {
		return
	}
	id := binary.BigEndian.Uint64(payload)
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.waiting[id]; !ok {
		return
	}
	for other, came := range p.waiting {
		if other <= id {
			close(came)
			delete(p.waiting, other)
		}
	}
}

// Ping sends a Ping, waits for its Pong and returns the round-trip time.
//
// Somebody must read meanwhile, or the Pong is not met before ctx ends: in the body
// of a loop over Messages nobody does, and in a callback of a Service only after a
// while, which is counted.
func (c *Conn) Ping(ctx context.Context) (time.Duration, error) {
	payload, id, came := c.pings.expect()
	defer c.pings.forget(id)
	start := time.Now()
	if err := c.SendPing(ctx, payload[:]); err != nil {
		return 0, err
	}
	select {
	case <-came:
		return time.Since(start), nil
	case <-c.done:
		return 0, c.Err()
	case <-ctx.Done():
		return 0, fmt.Errorf("websocket: no answer to a ping (is somebody reading?): %w", ctx.Err())
	}
}

// SendPing sends a Ping with that payload, 125 bytes at the most, and does not wait
// for its Pong: Options.OnPong is told of it. For a round-trip time there is Ping.
func (c *Conn) SendPing(ctx context.Context, payload []byte) error {
	return c.sendControl(ctx, c.m.AppendPing, payload)
}

// SendPong sends a Pong that no Ping asked for, a heartbeat in one direction
// (§5.5.3), with at most 125 bytes of payload. Pings are answered without it; for
// answers of your own there is Options.AnswerPing.
func (c *Conn) SendPong(ctx context.Context, payload []byte) error {
	return c.sendControl(ctx, c.m.AppendPong, payload)
}

func (c *Conn) sendControl(ctx context.Context, appendTo func(dst, payload []byte) ([]byte, error), payload []byte) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("websocket: control frame not sent: %w", err)
	}
	o := &c.out
	o.mu.Lock()
	if o.err != nil {
		defer o.mu.Unlock()
		return o.err
	}
	q := o.pending()
	var err error
	if q.b, err = appendTo(q.b, payload); err != nil {
		o.mu.Unlock()
		return c.writeError(err)
	}
	return o.flush(c, ctx)
}
