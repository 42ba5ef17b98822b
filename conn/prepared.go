package conn

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
	"github.com/swan-ws/websocket/internal/instant"
	deflate "github.com/swan-ws/websocket/permessage-deflate"
)

// Prepared is a message made ready to be sent to many connections: its frame is
// built once, and servers send those bytes as they are. For connections that
// compress, it is compressed once too.
type Prepared struct {
	opcode  frame.Opcode
	wire    []byte // the frame, unmasked
	payload []byte // the part of wire that is the payload
	err     error

	mu       sync.Mutex
	deflated [deflate.MaxWindowBits + 1]*Prepared // by window bits; itself if that is not shorter
}

// Prepare copies p into a message for Send. That a text is not valid UTF-8 is
// said by Send.
func Prepare(t MessageType, p []byte) *Prepared {
	m := prepare(frame.Header{Fin: true, Opcode: frame.Opcode(t)}, p)
	if err := new(machine.Sender).CheckMessage(m.opcode); err != nil {
		m.err = fmt.Errorf("websocket: message not sent: %w", err)
	} else if t == Text && !isText(p) {
		m.err = errNotText
	}
	return m
}

func prepare(h frame.Header, p []byte) *Prepared {
	h.Length = uint64(len(p))
	wire := append(h.Append(make([]byte, 0, h.Size()+len(p))), p...)
	return &Prepared{opcode: h.Opcode, wire: wire, payload: wire[h.Size():]}
}

// deflate returns m compressed by z, without the context of any connection, or m
// if that is no shorter.
func (m *Prepared) deflate(level, bits int) *Prepared {
	m.mu.Lock()
	defer m.mu.Unlock()
	if z := m.deflated[bits]; z != nil {
		return z
	}
	alone := deflate.NewCompressor(level, bits, false)
	z := m
	if p, shorter := alone.Append(nil, m.payload); shorter {
		z = prepare(frame.Header{Fin: true, Opcode: m.opcode, RSV: frame.RSV1}, p)
	}
	m.deflated[bits] = z
	return z
}

// Len returns the length of the message, in bytes.
func (m *Prepared) Len() int { return len(m.payload) }

// Message returns the message. Its Data must not be changed.
func (m *Prepared) Message() Message { return Message{MessageType(m.opcode), m.payload} }

// Err returns why the message cannot be sent, nil if it can.
func (m *Prepared) Err() error { return m.err }

// Send is Write of a prepared message.
func (c *Conn) Send(ctx context.Context, m *Prepared) error {
	_, err := c.SendAll(ctx, m)
	return err
}

// SendAll is Send of several messages, one after the other. They leave together,
// 64 KiB at a time, and nothing of other writers' between those. It returns how
// many have been sent, which is less than all only if there is an error.
func (c *Conn) SendAll(ctx context.Context, ms ...*Prepared) (n int, err error) {
	for n < len(ms) && err == nil {
		var sent int
		sent, err = c.sendSome(ctx, ms[n:])
		n += sent
	}
	return n, err
}

// sendSome sends the first of ms, and others that fit into one write with it.
func (c *Conn) sendSome(ctx context.Context, ms []*Prepared) (n int, err error) {
	n, size, err := c.fitting(ms)
	if n == 0 {
		return 0, err
	}
	first := ms[0]
	by, err := c.admit(ctx, first.opcode, size, nil)
	if err != nil {
		return 0, err
	}
	c.touch()
	if n == 1 {
		err = c.sendOne(by, first)
	} else {
		for _, m := range ms[:n] {
			c.queuePrepared(m)
		}
		err = c.out.flush(c, by)
	}
	c.tellPrepared(ms[:n])
	return n, err
}

// fitting returns how many of ms fit into one write, and how many bytes they are. The
// error is that of the first, if that cannot be sent.
func (c *Conn) fitting(ms []*Prepared) (n, size int, err error) {
	for _, m := range ms {
		if err := m.sendable(); err != nil {
			if n > 0 {
				break
			}
			return 0, 0, err
		}
		more := len(c.as(m).wire) // compresses it, before the lock is taken
		if n > 0 && size+more > queueBudget {
			break
		}
		size += more
		n++
	}
	return n, size, nil
}

func (c *Conn) tellPrepared(ms []*Prepared) {
	if c.opt.Observer == nil {
		return
	}
	for _, m := range ms {
		c.tellSent(m.opcode, len(m.payload), len(c.as(m).payload))
	}
}

// TrySend is SendAll that waits neither for the peer nor for other writers, for one
// goroutine that sends to many connections. It returns how many of ms it has sent; if
// those are not all, Ready waits until there is room for more. What the system takes
// only a part of is sent by and by: it may be 64 KiB, or one message.
func (c *Conn) TrySend(ms ...*Prepared) (n int, err error) {
	if n, _, err = c.fitting(ms); n == 0 {
		return 0, err
	}
	o := &c.out
	o.mu.Lock()
	if o.busy() || c.sendingEnded() != nil {
		defer o.mu.Unlock()
		return 0, c.sendingEnded()
	}
	c.touch()
	o.writing = true
	if first := c.as(ms[0]); n == 1 && c.opt.role == machine.Server && !o.waiting() {
		if first != ms[0] {
			c.z.out.Sent(ms[0].payload)
		}
		o.writeSoon(c, first.wire, nil)
	} else {
		for _, m := range ms[:n] {
			c.queuePrepared(m)
		}
		o.writeQueued(c)
	}
	c.tellPrepared(ms[:n])
	return n, nil
}

// Ready waits until TrySend would send something. The error is that of a write, or
// ctx's.
func (c *Conn) Ready(ctx context.Context) (err error) {
	o := &c.out
	o.mu.Lock()
	defer o.mu.Unlock()
	for err == nil && !o.ended && !c.out.m.CloseSent() && o.busy() {
		err = o.wait(ctx)
	}
	if err != nil {
		return fmt.Errorf("websocket: not ready: %w", err)
	}
	return c.sendingEnded()
}

// sendingEnded returns why nothing can be sent any more, nil if it can; mu is held.
func (c *Conn) sendingEnded() error {
	switch {
	case c.out.ended:
		return c.Err()
	case c.out.m.CloseSent():
		return c.Err()
	}
	return nil
}

func (m *Prepared) sendable() error {
	if m == nil {
		return errors.New("websocket: Send of no message: make one with Prepare")
	}
	return m.err
}

// as returns m as it is to be sent on c.
func (c *Conn) as(m *Prepared) *Prepared {
	if !c.deflates(len(m.payload)) {
		return m
	}
	return m.deflate(c.opt.Compression.Level, c.z.out.WindowBits())
}

// sendOne writes or queues an admitted message. mu is held before and not after.
func (c *Conn) sendOne(by instant.Time, m *Prepared) error {
	as := c.as(m)
	if as != m {
		c.z.out.Sent(m.payload)
	}
	switch {
	case c.opt.role == machine.Server:
		return c.writeReady(by, as.wire)
	case as != m: // every frame of a client's has a key of its own (§5.3)
		return c.writeDeflatedFrame(by, m.opcode, true, as.payload)
	}
	return c.writeFrame(by, m.opcode, true, m.payload)
}

// queuePrepared queues an admitted message; mu is held.
func (c *Conn) queuePrepared(m *Prepared) {
	as, q := c.as(m), c.out.pending()
	if as != m {
		c.z.out.Sent(m.payload)
	}
	switch {
	case c.opt.role == machine.Server:
		q.b = append(q.b, as.wire...)
	case as != m:
		q.b, _ = c.out.m.AppendDeflated(q.b, m.opcode, true, as.payload)
	default:
		q.b, _ = c.out.m.AppendFragment(q.b, m.opcode, true, m.payload)
	}
}

// writeReady writes or queues a frame as it is. mu is held before and not after.
func (c *Conn) writeReady(by instant.Time, wire []byte) error {
	o := &c.out
	if o.writing || o.waiting() || c.in.ahead.Load() && len(wire) < corkBudget {
		q := o.pending()
		q.b = append(q.b, wire...)
		if o.leaveMessage(c, by) {
			return nil
		}
		return o.drain(c, by, 1)
	}
	o.writing = true
	o.mu.Unlock()
	if n := c.tryWrite(wire); n < len(wire) {
		o.insist(c, by, wire[n:])
	}
	o.wrote()
	return o.drain(c, by, 0)
}
