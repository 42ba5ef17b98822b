package conn

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/swan-ws/websocket/conn/machine"
)

const (
	// queueBudget is how many bytes may wait behind a write that is under way;
	// beyond it, writers wait too.
	queueBudget = 64 << 10
	// pongBudget is how many bytes of Pongs may wait. A peer that pings on
	// without reading gets only the newest of the rest (§5.5.3 allows it).
	pongBudget = 1 << 10
	// patience is how many writes of others' frames a writer does after its own.
	patience = 16
	// gatherSize is the payload from which copying it behind its header costs
	// more than handing both to the stream.
	gatherSize = 16 << 10
	// gatherMost is the payload beyond which, as measured, two system calls are less
	// work for the system than one with both.
	gatherMost = 256 << 10
	// corkBudget is how many bytes may wait for others to leave with, and corkTime
	// how long.
	corkBudget = 16 << 10
	corkTime   = time.Millisecond
	// writeSlice is how much of a large message the peer is given WriteTimeout
	// for.
	writeSlice = 1 << 20
	// maskSlice is how much of one is copied at a time, to mask it.
	maskSlice = 64 << 10
)

// outbox is the sending side. Frames queue up in pending and whoever finds no
// write under way writes them, together with what others add in the meantime.
// So a write call takes one system call at the most, writers never wait for each
// other's, and no frame can be cut by another.
type outbox struct {
	mu      sync.Mutex
	m       machine.Sender
	queue   *buffer       // frames waiting for the stream; nil: none
	change  chan struct{} // closed at the next change somebody waits for; nil: nobody
	*seldom               // nil: it has not been needed

	fresh   instant // until then, the stream's write deadline is good enough
	pongs   int32   // bytes of Pongs in queue
	large   int32   // writers that wait for the queue to run dry: nobody overtakes them
	ended   bool    // nothing goes out any more: Err says why
	writing bool    // somebody is in stream.Write, without mu
	corked  bool    // what is queued waits for more to leave with it
	exact   bool    // the stream's write deadline was set for one write of a hurried context
}

// seldom is what sending seldom takes.
type seldom struct {
	message  *messageWriter
	cork     *time.Timer // runs while corked
	latePong []byte      // payload of the newest that found no room in queue; nil: none
	closeBy  instant     // when closing must be over
}

// needed returns o.seldom; mu is held.
func (o *outbox) needed() *seldom {
	if o.seldom == nil {
		o.seldom = new(seldom)
	}
	return o.seldom
}

// inPieces returns the writer of the message that is being sent in pieces; mu is held.
func (o *outbox) inPieces() *messageWriter {
	if o.seldom == nil {
		return nil
	}
	return o.message
}

// pending returns the queue to append to; mu is held.
func (o *outbox) pending() *buffer {
	if o.queue == nil {
		o.queue = writeBuffers.Get().(*buffer)
	}
	return o.queue
}

func (o *outbox) queued() int {
	if o.queue == nil {
		return 0
	}
	return len(o.queue.b)
}

// full reports whether a writer of so many bytes must wait for others.
func (o *outbox) full(size int) bool {
	if size <= queueBudget && o.large > 0 {
		return true
	}
	return o.writing && o.queued()+size > queueBudget
}

// wait lets go of mu until something has changed.
func (o *outbox) wait(ctx context.Context) error {
	if o.change == nil {
		o.change = make(chan struct{})
	}
	change := o.change
	o.mu.Unlock()
	defer o.mu.Lock()
	select {
	case <-change:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// changed wakes those in wait; mu is held.
func (o *outbox) changed() {
	if o.change != nil {
		close(o.change)
		o.change = nil
	}
}

// flush writes what is queued, unless somebody is about it. mu is held before
// and not after. The error is the connection's, if it can send no more.
func (o *outbox) flush(c *Conn, ctx context.Context) error {
	if o.writing {
		waiting := o.queued()
		o.mu.Unlock()
		c.tellQueued(waiting)
		return nil
	}
	o.writing = true
	o.drain(c, ctx, 1)
	return o.finish(c, ctx)
}

// flushMessage is flush of a message, which may wait a little: as long as there is
// more of the peer's input at hand, what answers it leaves in one write.
func (o *outbox) flushMessage(c *Conn, ctx context.Context) error {
	if o.writing || !c.in.ahead.Load() || o.queued() >= corkBudget {
		return o.flush(c, ctx)
	}
	if _, hurried := ctx.Deadline(); hurried {
		return o.flush(c, ctx)
	}
	if !o.corked {
		o.corked = true
		if s := o.needed(); s.cork == nil {
			s.cork = time.AfterFunc(corkTime, func() {
				c.in.ahead.Store(false) // whoever reads does not come for it
				o.flushSoon(c)
			})
		} else {
			s.cork.Reset(corkTime)
		}
	}
	o.mu.Unlock()
	return nil
}

// take empties the queue to have it written; mu is held.
func (o *outbox) take() *buffer {
	out := o.queue
	o.queue, o.pongs = nil, 0
	if o.corked {
		o.corked = false
		o.cork.Stop()
	}
	return out
}

// finish ends the turn of a caller that has set writing and written its own. It
// writes what others have queued, unless it is in a hurry: its deadline must not
// cut their frames.
func (o *outbox) finish(c *Conn, ctx context.Context) error {
	if _, hurried := ctx.Deadline(); !hurried {
		o.drain(c, ctx, patience)
	}
	ended := o.ended
	if !ended && o.waiting() {
		go o.flushRest(c)
	} else {
		o.writing = false
		o.changed()
	}
	o.mu.Unlock()
	if ended {
		return c.Err()
	}
	return nil
}

// flushRest goes on where a writer lost patience, or must not wait at all. Its
// caller has set writing.
func (o *outbox) flushRest(c *Conn) {
	o.mu.Lock()
	o.drain(c, context.Background(), math.MaxInt)
	o.writing = false
	o.changed()
	o.mu.Unlock()
}

// drain writes what is queued, in as many rounds as it may; the caller has set
// writing. mu is held before and after, and free during each write.
func (o *outbox) drain(c *Conn, ctx context.Context, rounds int) {
	for ; rounds > 0 && !o.ended && o.waiting(); rounds-- {
		late := o.answerLatePing(c)
		out := o.take()
		o.mu.Unlock()
		late.tell(c)
		err := o.send(c, ctx, out.b)
		freeWriteBuffer(out)
		o.wrote(c, err)
	}
}

// send writes p. As a rule a socket takes it at once, and no deadline is needed.
func (o *outbox) send(c *Conn, ctx context.Context, p []byte) error {
	if c.raw != nil {
		p = p[c.raw.tryWrite(p):]
	}
	if len(p) == 0 {
		return nil
	}
	o.setDeadline(c, ctx)
	_, err := c.stream.Write(p)
	return err
}

// waiting reports whether there is something to write.
func (o *outbox) waiting() bool { return o.queued() > 0 || o.late() }

// late reports whether a Pong has found no room.
func (o *outbox) late() bool { return o.seldom != nil && o.latePong != nil }

// wrote takes mu again after a write. An error is final: a frame may have been cut.
func (o *outbox) wrote(c *Conn, err error) {
	if err != nil {
		c.lost(err)
	}
	o.mu.Lock()
	o.ended = o.ended || err != nil // another closer may not have come to stop yet
	o.changed()
}

// stop refuses all that would still be sent, for the reason that the connection has
// ended for.
func (o *outbox) stop() {
	o.mu.Lock()
	o.ended = true
	o.changed()
	o.mu.Unlock()
}

// setDeadline gives the peer WriteTimeout, or less if ctx has a deadline. It is
// called by whoever is writing. Most calls find a deadline that is good enough:
// setting it costs more than a small frame.
func (o *outbox) setDeadline(c *Conn, ctx context.Context) {
	limit := c.opt.WriteTimeout
	hurry, hurried := ctx.Deadline()
	if limit == 0 && !hurried && !o.exact {
		return
	}
	now := now()
	fresh := !o.exact && now < o.fresh
	if !hurried && fresh {
		return
	}
	var deadline time.Time
	if limit > 0 {
		deadline = time.Now().Add(limit)
	}
	switch {
	case hurried && (limit == 0 || hurry.Before(deadline)):
		deadline = hurry
		o.exact = true
	case fresh:
		return
	case limit > 0:
		deadline = deadline.Add(limit / 4)
		fallthrough
	default:
		o.exact, o.fresh = false, now.add(limit/4)
	}
	c.stream.SetWriteDeadline(deadline)
}

// flushSoon writes what is queued without making the reader wait for the peer, who
// may be waiting for the reader: what the socket does not take at once is left to
// another goroutine.
func (o *outbox) flushSoon(c *Conn) {
	o.mu.Lock()
	if o.writing || o.ended || !o.waiting() {
		o.mu.Unlock()
		return
	}
	o.writing = true
	o.writeQueued(c)
}

// writeQueued is writeSoon of what is queued.
func (o *outbox) writeQueued(c *Conn) {
	late := o.answerLatePing(c)
	out := o.take()
	o.writeSoon(c, out.b, out)
	late.tell(c)
}

// writeSoon writes p, which lies in out if that is not nil, without waiting for the
// peer: what the socket does not take at once is left to another goroutine. Its
// caller has set writing. mu is held before and not after.
func (o *outbox) writeSoon(c *Conn, p []byte, out *buffer) {
	o.mu.Unlock()
	n := 0
	if c.raw != nil {
		n = c.raw.tryWrite(p)
	}
	if n < len(p) {
		go o.writeRest(c, p[n:], out)
		return
	}
	if out != nil {
		freeWriteBuffer(out)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.waiting() {
		go o.flushRest(c)
		return
	}
	o.writing = false
	o.changed()
}

// busy reports whether who does not wait can send nothing; mu is held.
func (o *outbox) busy() bool { return o.writing || o.inPieces() != nil || o.large > 0 }

// uncork writes what waits to leave with others, if the peer takes it at once.
func (o *outbox) uncork(c *Conn) {
	o.mu.Lock()
	corked := o.corked
	o.mu.Unlock()
	switch {
	case !corked:
	case c.raw != nil:
		o.flushSoon(c)
	default:
		ctx, cancel := context.WithTimeout(context.Background(), 10*corkTime)
		defer cancel()
		o.mu.Lock()
		o.flush(c, ctx)
	}
}

// writeRest is the part of writeSoon that waits; then it goes on as flushRest.
func (o *outbox) writeRest(c *Conn, p []byte, out *buffer) {
	err := c.writeSlices(context.Background(), p, nil)
	if out != nil {
		freeWriteBuffer(out)
	}
	o.wrote(c, err)
	o.mu.Unlock()
	o.flushRest(c)
}

// flushAll writes what is queued and waits until it is written, by whomever. mu
// is held before and not after.
func (o *outbox) flushAll(c *Conn, ctx context.Context) error {
	for o.writing && !o.ended {
		if err := o.wait(ctx); err != nil {
			o.mu.Unlock()
			return err
		}
	}
	return o.flush(c, ctx)
}
