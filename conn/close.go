package conn

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
	"github.com/swan-ws/websocket/internal/instant"
)

const (
	// lingerTime is how long a closing side waits for the peer to end the
	// stream, so that the last frame is read before a reset can overtake it.
	lingerTime = time.Second
	// lingerBytes is how much of what the peer still sends is read meanwhile.
	lingerBytes = 16 << 20
	// noHurry is a time in which nobody waits any more.
	noHurry = 365 * 24 * time.Hour
)

// Close ends the connection with a closing handshake (§7.1.2): it sends a Close
// frame, waits for the peer's and closes the stream. Messages that still come in
// go to the reader in progress, or nowhere if there is none; then its read ends.
//
// The code must be one that may be sent, or frame.CloseNoStatus for a Close
// without one; the reason has at most 123 bytes. Otherwise the error says so and
// the connection is still open. Close returns nil after a handshake in order,
// else why there was none. It takes Options.CloseTimeout at most, and a second
// more for the stream to end; the connection is closed then in any case. On a
// connection that is closed already it does nothing.
//
// Called from OnPing or OnPong, or while they run, it is StartClose: the reader is
// waiting for the callback to return. OnPing and OnPong are not called for what
// Close reads itself.
func (c *Conn) Close(code frame.CloseCode, reason string) error {
	return c.close(context.Background(), c.opt.CloseTimeout, code, reason)
}

// CloseContext is Close that takes as long as ctx lasts, be that more or less than
// Options.CloseTimeout; Options.WriteTimeout and PongWithin hold all the same. When
// ctx ends the connection is closed as it is.
func (c *Conn) CloseContext(ctx context.Context, code frame.CloseCode, reason string) error {
	timeout := noHurry
	if by, ok := ctx.Deadline(); ok {
		timeout = max(time.Until(by), 1)
	}
	return c.close(ctx, timeout, code, reason)
}

func (c *Conn) close(ctx context.Context, timeout time.Duration, code frame.CloseCode, reason string) error {
	if c.flags.has(streamClosed) {
		return nil
	}
	if c.in.inHook.Load() {
		return c.StartClose(code, reason)
	}
	start := time.Now()
	if err := c.sendClose(ctx, timeout, code, reason); err != nil {
		return err
	}
	c.awaitClose(ctx, timeout-time.Since(start))
	if !c.flags.has(closeCame) {
		return fmt.Errorf("websocket: not closed in order: %w", c.closeTrouble())
	}
	return nil
}

// StartClose is the first half of Close: it sends the Close frame and returns.
// What the peer has under way can still be read, until its own Close frame ends
// the reads. Somebody must read on; after Options.CloseTimeout the connection is
// closed in any case.
func (c *Conn) StartClose(code frame.CloseCode, reason string) error {
	start := time.Now()
	if err := c.sendClose(context.Background(), c.opt.CloseTimeout, code, reason); err != nil {
		return err
	}
	time.AfterFunc(c.opt.CloseTimeout-time.Since(start), c.closeStream)
	return nil
}

// awaitClose waits for the peer's Close frame, as the reader if there is no
// other, and closes the stream when it waited in vain.
func (c *Conn) awaitClose(ctx context.Context, timeout time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for !c.takeOver() {
		select { // a reader that stops meanwhile leaves the peer's Close frame to us
		case <-c.Done():
			return
		case <-ctx.Done():
			c.closeStream()
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
	for c.next(ctx) == nil { // what still comes in is dropped
	}
	c.freeInbox()
	c.closeStream()
}

// CloseNow closes the stream without a handshake; the peer sees 1006. Use it with
// defer, after Close or when there is nothing left to say: on a closed connection
// it does nothing. Messages that have arrived by then can still be read.
func (c *Conn) CloseNow() error {
	c.out.uncork(c)
	c.end(&CloseError{Code: frame.CloseAbnormal, Cause: errCloseNow})
	c.closeStream()
	return nil
}

// sendClose starts the closing handshake, once. The stream is closed if ctx ends
// while the peer does not take the frame.
func (c *Conn) sendClose(ctx context.Context, timeout time.Duration, code frame.CloseCode, reason string) error {
	o := &c.out
	o.mu.Lock()
	if o.ended || c.out.m.CloseSent() {
		o.mu.Unlock()
		return nil
	}
	q := o.pending()
	var err error
	if q.b, err = c.out.m.AppendClose(q.b, code, reason); err != nil {
		o.mu.Unlock()
		return fmt.Errorf("websocket: not closed: %w", err)
	}
	c.end(&CloseError{Code: code, Reason: reason})
	defer context.AfterFunc(ctx, c.closeStream)()
	c.flushClose(timeout) // what goes wrong shows in the wait for the peer's Close
	c.tellClose(code, reason)
	return nil
}

// flushClose writes everything up to the Close frame that has just been queued. All
// of closing has one deadline, the first. out.mu is held before and not after.
func (c *Conn) flushClose(timeout time.Duration) error {
	c.flags.set(closeSent)
	c.out.changed()
	if timeout == 0 {
		timeout = DefaultCloseTimeout
	}
	s := c.out.needed()
	if s.closeBy == 0 {
		s.closeBy = instant.Now().Add(timeout)
	}
	return c.out.flushAll(c, s.closeBy)
}

// closeTrouble says why there was no closing handshake.
func (c *Conn) closeTrouble() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.err.(*CloseError); ok && e.Cause != nil {
		return e.Cause
	}
	if _, ok := c.err.(*faultError); ok {
		return c.err
	}
	return errNoClose
}

// peerClosed answers the Close frame in in.ev and ends the connection.
func (c *Conn) peerClosed() error {
	ev := &c.in.ev
	err := c.end(&CloseError{Code: ev.Code, Reason: string(ev.Payload), Remote: true})
	c.flags.set(closeCame)
	c.sendLast(ev.Code, "", func(dst []byte) []byte { return c.out.m.AppendReply(dst, ev) })
	// §7.1.1: "the server MUST close the connection immediately ... the client
	// SHOULD wait for the server to close the connection".
	if c.opt.role == machine.Client {
		c.linger()
	}
	c.closeStream()
	return err
}

// fault tells the peer what it did wrong and ends the connection (§7.1.7).
func (c *Conn) fault(err error) error {
	fault, ok := errors.AsType[*frame.ProtocolError](err)
	if !ok {
		return c.lost(err)
	}
	if c.flags.has(streamClosed) { // it has been told
		return c.Err()
	}
	err = &faultError{fault}
	c.tellFault(err)
	err = c.end(err)
	if c.sendLast(fault.Code, fault.Reason, func(dst []byte) []byte { return c.out.m.AppendFail(dst, fault) }) == nil {
		closeWrite(c.stream) // which would wait for a write under way
	}
	c.linger()
	c.closeStream()
	return err
}

// sendLast sends the Close frame that ends this side's part, if none has been
// sent.
func (c *Conn) sendLast(code frame.CloseCode, reason string, appendTo func([]byte) []byte) error {
	o := &c.out
	o.mu.Lock()
	first := !o.ended && !c.out.m.CloseSent()
	if first {
		q := o.pending()
		q.b = appendTo(q.b)
	}
	err := c.flushClose(c.opt.CloseTimeout)
	if first {
		c.tellClose(code, reason)
	}
	return err
}

// linger waits, within bounds, for the peer to end the stream. A stream closed
// with input unread is reset, and a reset can overtake the Close frame.
func (c *Conn) linger() {
	c.watch.drop(c) // the reader's context has no say in this
	c.stream.SetReadDeadline(time.Now().Add(lingerTime))
	buf := readBuffers.Get().(*buffer)
	defer readBuffers.Put(buf)
	for got := 0; got < lingerBytes; {
		n, err := c.stream.Read(buf.b)
		if got += n; err != nil {
			return
		}
	}
}

// lost ends the connection for an error of the stream.
func (c *Conn) lost(cause error) error {
	err := c.end(&CloseError{Code: frame.CloseAbnormal, Remote: true, Cause: cause})
	c.closeStream()
	return err
}
