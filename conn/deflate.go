package conn

import (
	"cmp"
	"context"
	"unicode/utf8"

	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
	deflate "github.com/swan-ws/websocket/permessage-deflate"
)

// compression is what permessage-deflate needs on a connection. in belongs to
// whoever reads; out to the holder of outbox.mu, or with takeover off to anybody.
type compression struct {
	agreed bool
	in     deflate.Decompressor
	out    deflate.Compressor
}

func newCompression(role machine.Role, o deflate.Options, p *deflate.Params) compression {
	if p == nil {
		return compression{}
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
	return compression{
		agreed: true,
		in:     deflate.NewDecompressor(inBits, !inNew),
		// Who may take the context over need not.
		out: deflate.NewCompressor(o.Level, outBits, !outNew && o.Mode == deflate.Takeover),
	}
}

var (
	errInflatedTooBig = &frame.ProtocolError{Code: frame.CloseTooBig, Section: "10.4", Reason: "message too big when inflated"}
	errCorrupt        = &frame.ProtocolError{Code: frame.CloseInvalidPayload, Section: "7692 §7.2.2", Reason: "compressed message is corrupt"}
	errInflatedText   = &frame.ProtocolError{Code: frame.CloseInvalidPayload, Section: "8.1", Reason: "text is not valid UTF-8"}
)

// inflate appends to dst the message whose compressed payload is p. Never more
// comes of it than MaxMessage allowed when it began.
func (c *Conn) inflate(dst, p []byte) ([]byte, error) {
	start := len(dst)
	dst, err := c.z.in.Append(dst, p, c.in.limit)
	switch {
	case err == deflate.ErrTooBig:
		return dst, c.fault(errInflatedTooBig)
	case err != nil:
		return dst, c.fault(errCorrupt)
	case c.in.ev.Opcode == frame.OpText && !utf8.Valid(dst[start:]):
		return dst, c.fault(errInflatedText)
	}
	return dst, nil
}

// readDeflated is the rest of reading a compressed message into dst, whose first
// piece is in in.ev.
func (c *Conn) readDeflated(ctx context.Context, dst []byte) (Message, error) {
	in := &c.in
	p := in.ev.Payload
	if !in.ev.First || !in.ev.Last {
		c.borrowMessage()
		if err := c.gather(ctx); err != nil {
			return Message{}, err
		}
		p = in.msg
	}
	dst, err := c.inflate(dst, p)
	if err != nil {
		return Message{}, err
	}
	return Message{MessageType(in.ev.Opcode), dst}, nil
}

// lendDeflated is readDeflated into a buffer that is the connection's.
func (c *Conn) lendDeflated(ctx context.Context) (Message, error) {
	plain := messageBuffers.Get().(*buffer)
	m, err := c.readDeflated(ctx, plain.b[:0])
	if err != nil {
		messageBuffers.Put(plain)
		return Message{}, err
	}
	plain.b = m.Data
	c.in.plain = plain
	return m, nil
}

// deflates reports whether a message of n bytes is to be compressed.
func (c *Conn) deflates(n int) bool {
	return c.z.agreed && c.opt.Compression.Worthwhile(n)
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
	if err := c.admit(ctx, op, len(p), nil); err != nil {
		return err
	}
	if ordered {
		z.b, shorter = c.z.out.Append(z.b[:0], p)
	}
	c.alive.touch()
	if !shorter {
		return c.writeFrame(ctx, op, true, p)
	}
	return c.writeDeflatedFrame(ctx, op, true, z.b)
}

// writeDeflatedFrame queues one admitted frame of a compressed message. mu is held
// before and not after.
func (c *Conn) writeDeflatedFrame(ctx context.Context, op frame.Opcode, fin bool, z []byte) error {
	o := &c.out
	q := o.pending()
	var err error
	if q.b, err = c.m.AppendDeflated(q.b, op, fin, z); err != nil {
		o.mu.Unlock()
		return c.writeError(err)
	}
	return o.flush(c, ctx)
}
