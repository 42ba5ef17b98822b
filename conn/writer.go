package conn

import (
	"context"
	"io"

	"github.com/swan-ws/websocket/frame"
	deflate "github.com/swan-ws/websocket/permessage-deflate"
)

// Writer begins a message whose payload is written piece by piece, and ended
// with Close. Use it for messages that should not be held in memory whole, or
// whose end is not known yet. Other writers wait until it is ended: Ping, Pong
// and Close frames do not. ctx is that of all its writes.
func (c *Conn) Writer(ctx context.Context, t MessageType) (io.WriteCloser, error) {
	if _, err := c.admit(ctx, frame.Opcode(t), 0, nil); err != nil {
		return nil, err
	}
	w := &messageWriter{c: c, ctx: ctx, op: frame.Opcode(t), size: Traffic{Opcode: frame.Opcode(t)}}
	c.out.needed().message = w
	c.out.mu.Unlock()
	return w, nil
}

// messageWriter sends what it is given as fragments of one message. Small pieces
// are gathered, so that a message that turns out to be small is one frame.
type messageWriter struct {
	c    *Conn
	ctx  context.Context
	op   frame.Opcode
	buf  *buffer
	text frame.UTF8
	sent bool // the message has begun, on the wire or in the compressor's window
	size Traffic
	z    *deflate.Writer
	zbuf *buffer // what z makes
	err  error
}

func (w *messageWriter) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	if w.op == frame.OpText && !w.text.Write(p) {
		w.err = errNotText
		return 0, w.err
	}
	if w.buf == nil {
		w.buf = writeBuffers.Get().(*buffer)
	}
	if len(w.buf.b)+len(p) > readBufferSize && len(w.buf.b) > 0 {
		if err := w.send(false, w.buf.b); err != nil {
			return 0, err
		}
		w.buf.b = w.buf.b[:0]
	}
	if len(p) > readBufferSize {
		if err := w.send(false, p); err != nil {
			return 0, err
		}
		w.size.Bytes += int64(len(p))
		return len(p), nil
	}
	w.buf.b = append(w.buf.b, p...)
	w.size.Bytes += int64(len(p))
	return len(p), nil
}

// Close sends what is left and ends the message. After an error with a part of
// the message sent it closes the connection with 1011 instead: the peer must not
// take that part for the whole.
func (w *messageWriter) Close() error {
	if w.err == errMessageEnded {
		return w.err
	}
	if w.err == nil && w.op == frame.OpText && !w.text.Complete() {
		w.err = errNotText
	}
	err := w.err
	if err == nil {
		if w.buf == nil {
			w.buf = writeBuffers.Get().(*buffer)
		}
		err = w.send(true, w.buf.b)
	}
	for _, b := range [...]**buffer{&w.buf, &w.zbuf} {
		if *b != nil {
			freeWriteBuffer(*b)
			*b = nil
		}
	}
	if err != nil && w.sent {
		w.c.Close(frame.CloseInternalError, "message could not be finished")
	}
	w.err = errMessageEnded
	o := &w.c.out
	o.mu.Lock()
	o.message = nil
	o.changed()
	o.mu.Unlock()
	return err
}

// send sends p as the next fragment, or what the compressor makes of it.
func (w *messageWriter) send(fin bool, p []byte) error {
	c := w.c
	if !w.sent {
		least := len(p) // of the message
		if !fin {
			least = max(least, readBufferSize+1)
		}
		if c.deflates(least) {
			w.zbuf = writeBuffers.Get().(*buffer)
			w.z, w.sent = c.z.out.Begin(w.zbuf.b), true
		}
	}
	if w.z != nil {
		w.z.Write(p)
		if fin {
			p = w.z.End()
		} else {
			p = w.z.Take()
		}
		w.zbuf.b = p
		if len(p) == 0 && !fin {
			return nil
		}
	}
	by, err := c.admit(w.ctx, w.op, len(p), w)
	if err != nil {
		w.err = err
		return err
	}
	w.sent = true
	c.touch()
	if w.z != nil {
		w.err = c.writeDeflatedFrame(by, w.op, fin, p)
	} else {
		w.err = c.writeFrame(by, w.op, fin, p)
	}
	if c.opt.Observer != nil {
		if w.size.Wire += c.frameSize(len(p)); fin {
			c.sent(w.size)
		}
	}
	return w.err
}
