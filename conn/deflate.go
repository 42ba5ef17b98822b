package conn

import (
	"cmp"
	"context"
	"math"

	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
	"github.com/swan-ws/websocket/internal/instant"
	deflate "github.com/swan-ws/websocket/permessage-deflate"
)

// compression is what permessage-deflate needs on a connection. in belongs to
// whoever reads; out to the holder of outbox.mu, or with takeover off to anybody.
type compression struct {
	in  deflate.Decompressor
	out deflate.Compressor
}

func newCompression(role machine.Role, o deflate.Options, p *deflate.Params) *compression {
	if p == nil {
		return nil
	}
	inBits, outBits := p.ServerMaxWindowBits, p.ClientMaxWindowBits
	inNew, outNew := p.ServerNoContextTakeover, p.ClientNoContextTakeover
	if role == machine.Server {
		inBits, outBits = outBits, inBits
		inNew, outNew = outNew, inNew
	}
	// Zero bits in hand-made Params are those of no parameter (7692 §7.1.2).
	inBits, outBits = cmp.Or(inBits, deflate.MaxWindowBits), cmp.Or(outBits, deflate.MaxWindowBits)
	if o.WindowBits != 0 { // the peer may not have let itself be bound: we can
		outBits = min(outBits, o.WindowBits)
	}
	return &compression{
		in: deflate.NewDecompressor(inBits, !inNew),
		// Who may take the context over need not.
		out: deflate.NewCompressor(o.Level, outBits, !outNew && o.Mode == deflate.Takeover),
	}
}

var (
	errInflatedTooBig = &frame.ProtocolError{Code: frame.CloseTooBig, Section: "10.4", Reason: "message too big when inflated"}
	errCorrupt        = &frame.ProtocolError{Code: frame.CloseInvalidPayload, Section: "7692 §7.2.2", Reason: "compressed message is corrupt"}
	errInflatedText   = &frame.ProtocolError{Code: frame.CloseInvalidPayload, Section: "8.1", Reason: "text is not valid UTF-8"}
)

// inflating is the message being inflated, between the machine and its reader.
type inflating struct {
	in   []byte  // payload that has come and has not been used
	last bool    // nothing is behind it
	buf  *buffer // where it lies, if that is not the read buffer
	idle bool    // nothing has come of the message yet
	left int64   // how much more may
	text frame.UTF8
}

// inflateNext takes the payload in ev, of a message that is compressed.
func (in *inbox) inflateNext(ev *machine.Event) {
	z := &in.z
	if ev.First {
		z.idle, z.left = true, in.limit
		if in.limit <= 0 || in.limit == math.MaxInt64 { // left + 1 must not overflow
			z.left = math.MaxInt64 - 1
		}
		z.text.Reset()
	}
	z.in, z.last = ev.Payload, ev.Last
	in.deflated, in.inside = true, true
}

// inflate makes the next piece of payload that has come. came is false if there
// must be more of it for that.
func (c *Conn) inflate() (came bool, err error) {
	in, z := &c.in, &c.in.z
	used, piece, done, err := c.z.in.Step(z.in, z.last, z.left+1)
	if err != nil {
		return false, c.fault(errCorrupt)
	}
	z.in = z.in[used:]
	if z.left -= int64(len(piece)); z.left < 0 {
		return false, c.fault(errInflatedTooBig)
	}
	if in.ev.Opcode == frame.OpText && !(z.text.Write(piece) && (!done || z.text.Complete())) {
		return false, c.fault(errInflatedText)
	}
	in.piece, in.first, in.last, in.inside = piece, z.idle, done, !done
	z.idle = z.idle && len(piece) == 0
	if len(piece) == 0 && !done {
		return false, nil
	}
	c.tellInflated()
	return true, nil
}

// readDeflated reads payload of a long frame, more at a time than a read buffer
// takes.
func (c *Conn) readDeflated(ctx context.Context) error {
	in, z := &c.in, &c.in.z
	if z.buf == nil {
		z.buf = payloadBuffers.Get().(*buffer)
	}
	if _, err := c.readPayload(ctx, z.buf.b); err != nil {
		return err
	}
	in.inflateNext(&in.ev)
	return nil
}

// freeInflater lets go of what is not needed between messages.
func (c *Conn) freeInflater() {
	z := &c.in.z
	if len(z.in) == 0 && z.buf != nil {
		payloadBuffers.Put(z.buf)
		z.buf = nil
	}
	if !c.in.inside {
		c.z.in.Free()
	}
}

// gatherInflated is gather of a message that is compressed. It is piled up, as its
// length shows only at the end.
func (c *Conn) gatherInflated(ctx context.Context) error {
	in := &c.in
	defer c.freeInflater()
	if in.first && in.last {
		in.msg = append(in.msg, in.piece...)
		return nil
	}
	in.pile.add(in.piece)
	for !in.last {
		if err := c.next(ctx); err != nil {
			if c.Err() != nil {
				in.pile.free()
			}
			return err
		}
		in.pile.add(in.piece)
	}
	in.msg = in.pile.moveTo(in.msg)
	return nil
}

// deflates reports whether a message of n bytes is to be compressed.
func (c *Conn) deflates(n int) bool {
	return c.z != nil && c.opt.Compression.Worthwhile(n)
}

// writeDeflated is write of a message that is sent compressed, if that makes it
// shorter.
func (c *Conn) writeDeflated(ctx context.Context, op frame.Opcode, p []byte) error {
	z := writeBuffers.Get().(*buffer)
	defer freeWriteBuffer(z)
	ordered := c.z.out.Takeover() // then what is compressed first must be sent first
	shorter := false
	if !ordered {
		z.b, shorter = c.z.out.Append(z.b[:0], p)
	}
	by, err := c.admit(ctx, op, len(p), nil)
	if err != nil {
		return err
	}
	if ordered {
		z.b, shorter = c.z.out.Append(z.b[:0], p)
	}
	c.touch()
	if !shorter {
		err = c.writeFrame(by, op, true, p)
		c.tellSent(op, len(p), len(p))
		return err
	}
	err = c.writeDeflatedFrame(by, op, true, z.b)
	c.tellSent(op, len(p), len(z.b))
	return err
}

// writeDeflatedFrame queues one admitted frame of a compressed message. mu is held
// before and not after.
func (c *Conn) writeDeflatedFrame(by instant.Time, op frame.Opcode, fin bool, z []byte) error {
	o := &c.out
	q := o.pending()
	var err error
	if q.b, err = c.out.m.AppendDeflated(q.b, op, fin, z); err != nil {
		o.mu.Unlock()
		return c.writeError(err)
	}
	if o.leaveMessage(c, by) {
		return nil
	}
	return o.drain(c, by, 1)
}
