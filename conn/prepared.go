package conn

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
)

// Prepared is a message made ready to be sent to many connections: its frame is
// built once, and servers send those bytes as they are.
type Prepared struct {
	opcode  frame.Opcode
	wire    []byte // the frame, unmasked
	payload []byte // the part of wire that is the payload
	err     error
}

// Prepare copies p into a message for Send. That a text is not valid UTF-8 is
// said by Send.
func Prepare(t MessageType, p []byte) *Prepared {
	m := &Prepared{opcode: frame.Opcode(t)}
	if t == Text && !utf8.Valid(p) {
		m.err = errNotText
	}
	h := frame.Header{Fin: true, Opcode: m.opcode, Length: uint64(len(p))}
	m.wire = append(h.Append(make([]byte, 0, h.Size()+len(p))), p...)
	m.payload = m.wire[h.Size():]
	return m
}

// Send is Write of a prepared message.
func (c *Conn) Send(ctx context.Context, m *Prepared) error {
	if m == nil {
		return fmt.Errorf("websocket: Send of no message: make one with Prepare")
	}
	if m.err != nil {
		return m.err
	}
	o := &c.out
	if err := c.admit(ctx, m.opcode, len(m.wire), nil); err != nil {
		return err
	}
	c.alive.touch()
	if c.cfg.Role == machine.Client { // every frame has a key of its own (§5.3)
		return c.writeFrame(ctx, m.opcode, true, m.payload)
	}
	if o.writing || o.waiting() {
		q := o.pending()
		q.b = append(q.b, m.wire...)
		return o.flush(c, ctx)
	}
	o.writing = true
	o.mu.Unlock()
	o.setDeadline(c, ctx)
	_, err := c.stream.Write(m.wire)
	o.wrote(c, err)
	return o.finish(c, ctx)
}
