package conn

import (
	"context"
	"fmt"
	"net"
	"sync"
	"unsafe"

	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
	"github.com/swan-ws/websocket/internal/instant"
)

// Write sends p as one message. Many goroutines may: messages leave whole and in
// the order in which the calls came. p is the caller's again on return.
//
// A nil error means that the message is on its way: handed to the system, or
// queued, behind a write of another goroutine or, for a millisecond at the most,
// with others that answer what the peer has sent at once. Write waits while too
// much is queued, and when the peer does not take what it is sent; Options.WriteTimeout
// and a deadline of ctx bound that, and when they pass with a message half sent
// the connection is lost, as the peer could make nothing of the rest. If ctx
// ends while Write waits for others, nothing has been sent and the connection is
// as good as before.
func (c *Conn) Write(ctx context.Context, t MessageType, p []byte) error {
	if t == Text && !isText(p) {
		return errNotText
	}
	op := frame.Opcode(t)
	if c.deflates(len(p)) {
		return c.writeDeflated(ctx, op, p)
	}
	by, err := c.admit(ctx, op, len(p), nil)
	if err != nil {
		return err
	}
	c.touch()
	err = c.writeFrame(by, op, true, p)
	c.tellSent(op, len(p), len(p))
	return err
}

// WriteText is Write of a text message.
func (c *Conn) WriteText(ctx context.Context, s string) error {
	return c.Write(ctx, Text, unsafe.Slice(unsafe.StringData(s), len(s))) // only read
}

// isText reports whether p is valid UTF-8, faster than unicode/utf8. It is not inlined:
// who writes keeps what it needs on the stack until all is written.
//
//go:noinline
func isText(p []byte) bool {
	var v frame.UTF8
	return v.Write(p) && v.Complete()
}

// admit waits until a frame of a message may be queued: no other message is
// being written in pieces, and there is room. It returns with mu held, unless with
// an error, and says when ctx's time is over. w is the writer of the message in pieces,
// if it is for one.
func (c *Conn) admit(ctx context.Context, op frame.Opcode, size int, w *messageWriter) (by instant.Time, err error) {
	o := &c.out
	by, err = hurry(ctx)
	o.mu.Lock()
	for err == nil && !o.ended && !c.out.m.CloseSent() && (o.inPieces() != w || o.full(size)) {
		large := size > queueBudget && o.inPieces() == w
		if large {
			o.large++
		}
		err = o.wait(ctx)
		if large {
			o.large--
		}
	}
	if err == nil {
		err = c.out.m.CheckMessage(op)
	}
	switch {
	case o.ended:
		err = c.Err()
	case err != nil:
		err = c.writeError(err)
	default:
		return by, nil
	}
	o.changed() // for those that let this one pass
	o.mu.Unlock()
	return 0, err
}

// writeError says that the connection is closed rather than that a frame may not
// be sent any more.
func (c *Conn) writeError(err error) error {
	if err == machine.ErrCloseSent {
		return c.Err()
	}
	return fmt.Errorf("websocket: message not sent: %w", err)
}

// writeFrame queues or writes one admitted frame. mu is held before and not after.
func (c *Conn) writeFrame(by instant.Time, op frame.Opcode, fin bool, p []byte) error {
	o := &c.out
	if len(p) >= gatherSize && !o.writing {
		return c.writeLarge(by, op, fin, p)
	}
	if err := c.queueFrame(op, fin, p); err != nil {
		return err
	}
	if o.leaveMessage(c, by) {
		return nil
	}
	return o.drain(c, by, 1)
}

// queueFrame queues one admitted frame. mu is held before, and after unless with an
// error.
func (c *Conn) queueFrame(op frame.Opcode, fin bool, p []byte) (err error) {
	q := c.out.pending()
	if q.b, err = c.out.m.AppendFragment(q.b, op, fin, p); err != nil {
		c.out.mu.Unlock()
		return c.writeError(err)
	}
	return nil
}

// writeLarge writes a frame without copying its payload, or, where it must be
// masked, without copying all of it at once.
func (c *Conn) writeLarge(by instant.Time, op frame.Opcode, fin bool, p []byte) error {
	o := &c.out
	q := o.pending()
	var key frame.Key
	var err error
	if q.b, key, err = c.out.m.AppendHeader(q.b, op, fin, uint64(len(p))); err != nil {
		o.mu.Unlock()
		return c.writeError(err)
	}
	o.writing = true
	o.take() // which is q
	o.mu.Unlock()
	o.setDeadline(c, by)
	switch {
	case c.opt.role == machine.Client:
		err = c.writeMasked(by, q, key, p)
	case c.gathers && len(p) <= gatherMost:
		err = writeGathered(c.stream, q.b, p)
	default: // or TLS, where the header is not to travel alone
		q.b = append(q.b, p[:gatherSize]...)
		_, err = c.stream.Write(q.b)
		if err == nil {
			err = c.writeSlices(by, p[gatherSize:])
		}
	}
	freeWriteBuffer(q)
	if err != nil {
		o.broke(c, err)
	}
	o.wrote()
	return o.drain(c, by, 0)
}

// gathering is what a write of two pieces needs.
type gathering struct {
	vector net.Buffers
	pieces [2][]byte
}

var gatherings = sync.Pool{New: func() any { return new(gathering) }}

// writeGathered hands both to the system at once.
func writeGathered(s stream, head, p []byte) error {
	if events, ok := s.(EventStream); ok {
		_, err := events.WriteBoth(head, p)
		return err
	}
	g := gatherings.Get().(*gathering)
	g.pieces = [2][]byte{head, p}
	g.vector = g.pieces[:]
	_, err := g.vector.WriteTo(s)
	*g = gathering{} // p is the caller's
	gatherings.Put(g)
	return err
}

// writeSlices writes the rest of a payload. WriteTimeout is for a slice, not for a
// message of any size.
func (c *Conn) writeSlices(by instant.Time, p []byte) (err error) {
	for len(p) > 0 && err == nil {
		n := min(len(p), writeSlice)
		c.out.setDeadline(c, by)
		_, err = c.stream.Write(p[:n])
		p = p[n:]
	}
	return err
}

// writeMasked copies the payload in pieces, to mask it.
func (c *Conn) writeMasked(by instant.Time, q *buffer, key frame.Key, p []byte) error {
	pos := 0
	for len(p) > 0 {
		start := len(q.b)
		n := min(len(p), maskSlice-start)
		q.b = append(q.b, p[:n]...)
		pos = frame.Mask(q.b[start:], key, pos)
		p = p[n:]
		if _, err := c.stream.Write(q.b); err != nil {
			return err
		}
		q.b = q.b[:0]
		c.out.setDeadline(c, by)
	}
	return nil
}
