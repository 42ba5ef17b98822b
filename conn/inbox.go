package conn

import (
	"context"
	"fmt"
	"io"

	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
)

// maxEmptyReads is how many reads may bring neither bytes nor an error.
const maxEmptyReads = 100

// takeInbox makes the caller the reader.
func (c *Conn) takeInbox(ctx context.Context) error {
	if c.events.Load() == nil && c.becomeReader() {
		return nil
	}
	if c.flags.has(closeSent) { // Close reads
		select {
		case <-c.Done():
		case <-ctx.Done():
			return givenUp(ctx.Err())
		}
	}
	if c.flags.has(streamClosed) {
		return c.Err()
	}
	return errConcurrentRead
}

// freeInbox ends a turn.
func (c *Conn) freeInbox() {
	c.sendOwed()
	in := &c.in
	if c.z != nil && !in.unused {
		c.freeInflater()
	}
	in.freeMessage()
	in.lookAhead()
	in.hasty = false
	in.endReading()
	in.state.Store(free)
}

// lookAhead notes, for those who write, whether there is another frame to be dealt
// with before anything is read.
func (in *inbox) lookAhead() {
	if in.r < in.w || in.ahead.Load() {
		in.lookAtUnread()
	}
}

func (in *inbox) lookAtUnread() {
	var h frame.Header
	unread := in.unread()
	n, err := h.Parse(unread)
	if ahead := err == nil && n > 0 && h.Length <= uint64(len(unread)-n) && !in.deaf; ahead != in.ahead.Load() {
		in.ahead.Store(ahead)
	}
}

// freeMessage lets go of a gathered message that nobody uses any more. One that
// is not finished stays.
func (in *inbox) freeMessage() {
	if in.msg != nil && !in.inside {
		in.dropMessage()
	}
}

func (in *inbox) dropMessage() {
	if in.msgBuf != nil {
		in.msgBuf.b = in.msg
		freeMessageBuffer(in.msgBuf)
		in.msgBuf = nil
	}
	in.msg = nil
}

// borrowMessage makes room for a message to be gathered in, if none has begun.
func (c *Conn) borrowMessage() {
	in := &c.in
	if in.msg == nil {
		in.msgBuf = messageBuffers.Get().(*buffer)
		in.msg = in.msgBuf.b[:0]
	}
}

// next finds the next piece of a message and leaves it in in.piece. Everything else
// that the peer sends is dealt with on the way. An error is final, unless it is
// that of the context.
func (c *Conn) next(ctx context.Context) error {
	in := &c.in
	for {
		if in.inside && in.deflated {
			if came, err := c.inflate(); came || err != nil {
				return err
			}
			if in.m.Want() >= readBufferSize && in.r == in.w {
				if err := c.readDeflated(ctx); err != nil {
					return err
				}
				continue
			}
		}
		if !in.inside && in.r == in.w { // Step could tell nothing
			if err := c.fill(ctx); err != nil {
				return err
			}
		}
		if !in.inside && in.m.Want() == 0 { // between messages
			in.limit = c.maxMessage.Load()
			in.m.SetMaxMessage(uint64(in.limit))
		}
		n, err := in.m.Step(&in.ev, in.unread())
		if err != nil {
			return c.fault(err)
		}
		in.r += n
		c.tellStep(n)
		switch in.ev.Kind {
		case machine.NeedMore:
			if err := c.fill(ctx); err != nil {
				return err
			}
		case machine.Data:
			c.touch()
			if !in.ev.Compressed {
				in.takePlain()
				return nil
			}
			in.inflateNext(&in.ev)
		case machine.Ping:
			c.answerPing(&in.ev)
		case machine.Pong:
			c.pongCame(in.ev.Payload)
		case machine.Close:
			return c.peerClosed()
		}
	}
}

// takePlain makes the payload in ev the next piece.
func (in *inbox) takePlain() {
	in.piece, in.first, in.last = in.ev.Payload, in.ev.First, in.ev.Last
	in.deflated, in.inside = false, !in.ev.Last
}

func (in *inbox) unread() []byte {
	if in.buf == nil {
		return nil
	}
	return in.buf.b[in.r:in.w]
}

// fill reads more bytes behind those not understood yet. Those are less than a
// control frame, so there is always room.
func (c *Conn) fill(ctx context.Context) error {
	in := &c.in
	if in.r == in.w && !in.hasty {
		in.release()
	}
	var p []byte // nil: a socket's buffer is borrowed when there is something to read
	if in.buf != nil || in.hasty || c.raw == nil {
		in.makeRoom()
		p = in.buf.b[in.w:]
	}
	n, err := c.readStream(ctx, p)
	if n > 0 {
		in.w += n
		in.burst = c.bursting(in.w)
	}
	return err
}

// makeRoom moves what has not been understood yet to the start of a buffer.
func (in *inbox) makeRoom() {
	old := in.buf
	if old == nil || in.burst && len(old.b) < burstBufferSize {
		in.buf = getReadBuffer(in.burst)
	}
	if in.r < in.w {
		copy(in.buf.b, old.b[in.r:in.w])
	}
	in.r, in.w = 0, in.w-in.r
	if old != nil && old != in.buf {
		freeReadBuffer(old)
	}
}

// bursting reports whether a read that filled so much of its buffer is likely to be
// followed by one that needs a large one. That is lent to a socket for nothing; other
// streams hold it while they wait.
func (c *Conn) bursting(n int) bool {
	if c.raw == nil {
		return n == len(c.in.buf.b)
	}
	return n >= readBufferSize
}

// release gives the buffer back, of which nothing is used any more.
func (in *inbox) release() {
	if in.buf != nil {
		freeReadBuffer(in.buf)
	}
	in.buf, in.r, in.w = nil, 0, 0
}

// readStream reads at least one byte into p, or says why it could not. If p is
// nil, it reads to the start of a buffer that becomes in.buf. Here is where most
// goroutines wait: what they do not need for that is in functions of its own.
func (c *Conn) readStream(ctx context.Context, p []byte) (n int, err error) {
	in := &c.in
	if in.ahead.Load() {
		in.ahead.Store(false)
		in.owed = true
	}
	c.sendOwed()
	if in.hasty {
		if n, err = c.eventStream.TryRead(p); n == 0 {
			return 0, c.nothing(err)
		}
		c.alive.hear()
		return n, nil // an error will come again
	}
	if err = c.watchContext(ctx); err != nil {
		return 0, givenUp(err)
	}
	for range maxEmptyReads {
		if p != nil {
			n, err = c.stream.Read(p)
		} else {
			in.endReading()
			var b *buffer
			b, n, err = c.raw.read(in.burst)
			c.resumeReading(b)
		}
		switch {
		case n > 0:
			c.alive.hear()
			return n, nil
		case err != nil:
			return 0, c.notRead(ctx, err)
		}
	}
	return 0, c.lost(io.ErrNoProgress)
}

// nothing says why a hasty read has brought nothing.
func (c *Conn) nothing(err error) error {
	if err == nil {
		return notReady{}
	}
	return c.lost(err)
}

// notRead says why a read has brought nothing: its context has ended, or the stream.
func (c *Conn) notRead(ctx context.Context, err error) error {
	if c.watch.rearm(c) {
		return givenUp(ctx.Err())
	}
	return c.lost(err)
}

// givenUp wraps the error of a context that ended before a message was there.
// The connection is as good as before: the next read goes on where this stopped.
func givenUp(err error) error { return fmt.Errorf("websocket: read given up: %w", err) }

// sendOwed sends the replies that have been queued. Replies to what came at once
// leave at once, but none waits for the application's next read.
func (c *Conn) sendOwed() {
	if c.in.owed {
		c.in.owed = false
		c.out.flushSoon(c)
	}
}

func (c *Conn) answerPing(ev *machine.Event) {
	ping := ev.Payload
	if answer := c.opt.AnswerPing; answer != nil {
		c.hook(func(c *Conn, payload []byte) {
			if pong := answer(c, payload); pong != nil && len(pong) <= frame.MaxControlPayload {
				ev.Payload = pong
			}
		}, ping)
	}
	if c.out.queuePong(c, ev) {
		c.tellSent(frame.OpPong, len(ev.Payload), len(ev.Payload))
	}
	c.in.owed = true
	c.hook(c.opt.OnPing, ping)
}

func (c *Conn) pongCame(payload []byte) {
	if d, ok := c.pinged().answered(payload); ok {
		c.tellRoundTrip(d)
	}
	c.hook(c.opt.OnPong, payload)
}

func (c *Conn) hook(f func(*Conn, []byte), payload []byte) {
	if f == nil || c.in.deaf {
		return
	}
	c.in.inHook.Store(true)
	defer c.in.inHook.Store(false)
	f(c, payload)
}
