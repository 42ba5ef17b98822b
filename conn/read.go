package conn

import (
	"context"
	"io"
	"iter"
	"slices"
	"strconv"

	"github.com/swan-ws/websocket/frame"
)

// A MessageType is Text or Binary.
type MessageType uint8

// The types of messages (§5.6).
const (
	Text   = MessageType(frame.OpText)   // valid UTF-8, always
	Binary = MessageType(frame.OpBinary) // any bytes
)

// String returns "text" or "binary".
func (t MessageType) String() string {
	if t == Text || t == Binary {
		return frame.Opcode(t).String()
	}
	return "message type " + strconv.Itoa(int(t))
}

// A Message is what one side sent at once, however many frames it took. Whose Data is,
// and until when, says the method or the callback that it comes from.
type Message struct {
	Type MessageType
	Data []byte
}

// Read waits for the next message. Its Data belongs to the caller.
//
// If ctx ends first, the error wraps ctx.Err() and nothing is lost: the next
// read goes on where this one stopped. Any other error is final and the same for
// all later reads: a *CloseError if the connection was closed or lost, or one
// with a *frame.ProtocolError in it if the peer broke the rules. The peer has
// then been told, and the stream is closed.
func (c *Conn) Read(ctx context.Context) (Message, error) {
	return c.readWhole(ctx, nil)
}

// ReadInto is Read into buf, from its start, which it enlarges if need be: Data
// then shares its memory or replaces it. Give Data[:0] to the next call and a
// loop of reads allocates nothing.
func (c *Conn) ReadInto(ctx context.Context, buf []byte) (Message, error) {
	return c.readWhole(ctx, buf)
}

func (c *Conn) readWhole(ctx context.Context, buf []byte) (Message, error) {
	if err := c.takeInbox(ctx); err != nil {
		return Message{}, err
	}
	defer c.freeInbox()
	return c.readTaken(ctx, buf)
}

// readTaken is readWhole for one who has the inbox.
func (c *Conn) readTaken(ctx context.Context, buf []byte) (Message, error) {
	if err := c.nextMessage(ctx); err != nil {
		return Message{}, err
	}
	return c.readFound(ctx, buf)
}

// readFound is readTaken when the first piece is there: who waits for that needs no
// room for the rest on the stack.
func (c *Conn) readFound(ctx context.Context, buf []byte) (Message, error) {
	in := &c.in
	if in.first && in.last {
		return Message{MessageType(in.ev.Opcode), append(buf[:0], in.piece...)}, nil
	}
	if buf != nil || in.msgBuf != nil {
		in.msg, in.msgBuf = append(buf[:0], in.msg...), nil
	}
	if err := c.gather(ctx); err != nil {
		if buf != nil {
			in.msg = slices.Clone(in.msg) // buf is the caller's again
		}
		return Message{}, err
	}
	m := Message{MessageType(in.ev.Opcode), in.msg}
	in.msg = nil
	return m, nil
}

// nextMessage finds the first piece of the next message, or the next piece of
// one whose reader gave up. What a Reader left of a message is skipped.
func (c *Conn) nextMessage(ctx context.Context) error {
	if c.in.reader != nil {
		if err := c.skipReader(ctx); err != nil {
			return err
		}
	}
	return c.next(ctx)
}

// gather appends the piece at hand and all the rest of its message to in.msg.
// When the context ends, what is there stays for the next reader.
func (c *Conn) gather(ctx context.Context) error {
	in := &c.in
	if in.deflated {
		return c.gatherInflated(ctx)
	}
	in.msg = append(in.msg, in.piece...)
	for !in.last {
		if c.in.m.Want() > 0 && in.r == in.w {
			if err := c.gatherInPlace(ctx); err != nil {
				return err
			}
			continue
		}
		if err := c.next(ctx); err != nil {
			return err
		}
		in.msg = append(in.msg, in.piece...)
	}
	return nil
}

// gatherInPlace reads payload straight to where it is to lie. The room for it
// grows with what has arrived, never with what was declared.
func (c *Conn) gatherInPlace(ctx context.Context) error {
	in := &c.in
	start, want := len(in.msg), c.in.m.Want()
	if uint64(cap(in.msg)-start) < min(want, readBufferSize) {
		in.msg = slices.Grow(in.msg, max(start, readBufferSize))
	}
	n, err := c.readPayload(ctx, in.msg[start:cap(in.msg)])
	if err != nil {
		return err
	}
	in.takePlain()
	in.msg = in.msg[:start+n]
	return nil
}

// readPayload reads payload of the current frame, at most all of it, into p.
func (c *Conn) readPayload(ctx context.Context, p []byte) (n int, err error) {
	in := &c.in
	p = p[:min(uint64(len(p)), c.in.m.Want())]
	if n, err = c.readStream(ctx, p); err != nil {
		return 0, err
	}
	if _, err := c.in.m.Step(&in.ev, p[:n]); err != nil {
		return 0, c.fault(err)
	}
	c.tellStep(n)
	c.touch()
	return n, nil
}

// Messages returns the messages to come, for use with range. The loop ends after
// the first error. Data is not copied: it is valid until the next turn of the
// loop, or its end.
//
//	for m, err := range c.Messages(ctx) {
//		if err != nil {
//			return err
//		}
//		...
//	}
func (c *Conn) Messages(ctx context.Context) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		if err := c.takeInbox(ctx); err != nil {
			yield(Message{}, err)
			return
		}
		mine, out := true, false
		defer func() {
			if mine || out && c.takeBack() { // out: the loop's body panicked
				c.freeInbox()
			}
		}()
		for {
			m, err := c.nextLent(ctx)
			if err != nil {
				mine = false
				c.freeInbox() // first: the loop's body may let somebody else read
				yield(Message{}, err)
				return
			}
			mine, out = false, true
			c.lend()
			more := yield(m, nil)
			mine, out = c.takeBack(), false
			if !mine && more {
				// Close has read on to the end meanwhile, or is about to.
				<-c.Done()
				yield(Message{}, c.Err())
				return
			}
			if !more {
				return
			}
		}
	}
}

// nextLent finds the next whole message, in the read buffer if it is all there.
func (c *Conn) nextLent(ctx context.Context) (Message, error) {
	in := &c.in
	in.freeMessage()
	if err := c.nextMessage(ctx); err != nil {
		return Message{}, err
	}
	if in.first && in.last && !in.deflated {
		return Message{MessageType(in.ev.Opcode), in.piece}, nil
	}
	c.borrowMessage()
	if err := c.gather(ctx); err != nil {
		return Message{}, err
	}
	return Message{MessageType(in.ev.Opcode), in.msg}, nil
}

// Reader waits for the next message and returns a reader of its payload, which
// ends with io.EOF. Use it for messages that should not be held in memory whole;
// the text of a text message is checked as it goes by. Options.MaxMessage holds.
//
// The reader is good until the next read of another kind on the connection,
// which skips what was left. ctx is that of all its reads.
func (c *Conn) Reader(ctx context.Context) (MessageType, io.Reader, error) {
	r := new(messageReader)
	t, err := c.beginReader(ctx, r)
	if err != nil {
		return 0, nil, err
	}
	return t, r, nil
}

// beginReader makes r the reader of the next message.
func (c *Conn) beginReader(ctx context.Context, r *messageReader) (MessageType, error) {
	if err := c.takeInbox(ctx); err != nil {
		return 0, err
	}
	defer c.freeInbox()
	if err := c.nextMessage(ctx); err != nil {
		return 0, err
	}
	in := &c.in
	*r = messageReader{c: c, ctx: ctx, head: in.pile.moveTo(in.msg)}
	in.msg, in.msgBuf = nil, nil
	in.reader, in.unused = r, true
	return MessageType(in.ev.Opcode), nil
}

// messageReader gives out the pieces of one message.
type messageReader struct {
	c    *Conn
	ctx  context.Context
	head []byte // gathered by a reader that gave up
	// ended: all of it has been given out.
	ended bool
	// passed: a later read has begun to skip the rest.
	passed bool
}

func (r *messageReader) Read(p []byte) (int, error) {
	c, in := r.c, &r.c.in
	if err := c.takeInbox(r.ctx); err != nil {
		return 0, err
	}
	defer c.freeInbox()
	switch {
	case r.ended:
		return 0, io.EOF
	case in.reader != r && c.Err() != nil:
		return 0, c.Err()
	case in.reader != r, r.passed:
		return 0, errReaderPassed
	case len(p) == 0:
		return 0, nil
	case len(r.head) > 0:
		n := copy(p, r.head)
		r.head = r.head[n:]
		return n, nil
	}
	for {
		if in.unused {
			n := copy(p, in.piece)
			in.piece = in.piece[n:]
			in.unused = len(in.piece) > 0
			if n > 0 {
				return n, nil
			}
		}
		if !in.inside {
			in.reader, r.ended = nil, true
			return 0, io.EOF
		}
		if err := c.nextPiece(r.ctx, p); err != nil {
			return 0, err
		}
	}
}

// nextPiece finds the next piece of the message, in p itself if it can.
func (c *Conn) nextPiece(ctx context.Context, p []byte) error {
	in := &c.in
	var err error
	if c.in.m.Want() > 0 && in.r == in.w && !in.deflated {
		if _, err = c.readPayload(ctx, p); err == nil {
			in.takePlain()
		}
	} else {
		err = c.next(ctx)
	}
	in.unused = err == nil
	return err
}

// skipReader reads past what a Reader left of its message.
func (c *Conn) skipReader(ctx context.Context) error {
	in := &c.in
	in.reader.passed, in.unused = true, false
	for in.inside {
		if err := c.next(ctx); err != nil {
			return err
		}
	}
	in.reader = nil
	return nil
}
