package conn

import (
	"context"
	"errors"
	"sync"
	"unicode/utf8"

	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
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
	if t == Text && !utf8.Valid(p) {
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

// Send is Write of a prepared message.
func (c *Conn) Send(ctx context.Context, m *Prepared) error {
	if m == nil {
		return errors.New("websocket: Send of no message: make one with Prepare")
	}
	if m.err != nil {
		return m.err
	}
	as := m
	if c.deflates(len(m.payload)) {
		as = m.deflate(c.opt.Compression.Level, c.z.out.WindowBits())
	}
	if err := c.admit(ctx, m.opcode, len(as.wire), nil); err != nil {
		return err
	}
	if as != m {
		c.z.out.Sent(m.payload)
	}
	c.alive.touch()
	switch {
	case c.cfg.Role == machine.Server:
		return c.writeReady(ctx, as.wire)
	case as != m: // every frame of a client's has a key of its own (§5.3)
		return c.writeDeflatedFrame(ctx, m.opcode, true, as.payload)
	}
	return c.writeFrame(ctx, m.opcode, true, m.payload)
}

// writeReady writes or queues a frame as it is. mu is held before and not after.
func (c *Conn) writeReady(ctx context.Context, wire []byte) error {
	o := &c.out
	if o.writing || o.waiting() || c.in.ahead.Load() && len(wire) < corkBudget {
		q := o.pending()
		q.b = append(q.b, wire...)
		return o.flushMessage(c, ctx)
	}
	o.writing = true
	o.mu.Unlock()
	o.setDeadline(c, ctx)
	_, err := c.stream.Write(wire)
	o.wrote(c, err)
	return o.finish(c, ctx)
}
