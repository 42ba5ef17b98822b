package conn

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/internal/instant"
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
	// untilDry is as many as it takes.
	untilDry = math.MaxInt - patience
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

	fresh   instant.Time // until then, the stream's write deadline is good enough
	pongs   int32        // bytes of Pongs in queue
	large   int32        // writers that wait for the queue to run dry: nobody overtakes them
	ended   bool         // nothing goes out any more: Err says why
	writing bool         // somebody is in stream.Write, without mu
	corked  bool         // what is queued waits for more to leave with it
	exact   bool         // the stream's write deadline was set for one write of a hurried context
}

// seldom is what sending seldom takes.
type seldom struct {
	message  *messageWriter
	cork     *time.Timer  // runs while corked
	latePong []byte       // payload of the newest that found no room in queue; nil: none
	closeBy  instant.Time // when closing must be over
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
		return ctx.Err() // it may have ended at the same time
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

// flush writes what is queued, unless somebody is about it. mu is held before and
// not after. by is when the caller's time is over. The error is the connection's, if
// it can send no more.
func (o *outbox) flush(c *Conn, by instant.Time) error {
	if o.writing {
		o.leave(c)
		return nil
	}
	return o.drain(c, by, 1)
}

// leaveMessage leaves a message that has been queued to whoever writes, or has it wait
// a little: as long as there is more of the peer's input at hand, what answers it leaves
// in one write. It reports whether it has, and mu is not held any more then; if not, the
// caller is to drain.
func (o *outbox) leaveMessage(c *Conn, by instant.Time) bool {
	switch {
	case o.writing:
		o.leave(c)
	case by == 0 && c.in.ahead.Load() && o.queued() < corkBudget:
		o.holdBack(c)
	default:
		return false
	}
	return true
}

// leave leaves what is queued to whoever writes. mu is held before and not after.
func (o *outbox) leave(c *Conn) {
	waiting := o.queued()
	o.mu.Unlock()
	c.tellQueued(waiting)
}

// holdBack has what is queued wait for more to leave with it. mu is held before and
// not after.
func (o *outbox) holdBack(c *Conn) {
	defer o.mu.Unlock()
	if o.corked {
		return
	}
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

// drain is the turn of the one who writes. It writes what is queued in as many rounds as
// the caller wants for its own, and then some for others, unless it is in a hurry: its
// deadline must not cut their frames. mu is held before, free during each write, and not
// held after.
func (o *outbox) drain(c *Conn, by instant.Time, rounds int) error {
	o.writing = true
	if by == 0 {
		rounds += patience
	}
	for ; rounds > 0 && !o.ended && o.waiting(); rounds-- {
		if o.late() {
			o.answerLatePing(c)
		}
		out := o.take()
		o.mu.Unlock()
		if n := c.tryWrite(out.b); n < len(out.b) {
			o.insist(c, by, out.b[n:])
		}
		freeWriteBuffer(out)
		o.wrote()
	}
	o.done(c)
	ended := o.ended
	o.mu.Unlock()
	if ended {
		return c.Err()
	}
	return nil
}

// insist writes p, however long the peer takes, within by.
func (o *outbox) insist(c *Conn, by instant.Time, p []byte) {
	o.setDeadline(c, by)
	if _, err := c.stream.Write(p); err != nil {
		o.broke(c, err)
	}
}

// broke is told the error of a write, which is final: a frame may have been cut.
func (o *outbox) broke(c *Conn, err error) {
	c.lost(err)
	o.stop() // another closer may not have come to it yet
}

// wrote takes mu again after a write.
func (o *outbox) wrote() {
	o.mu.Lock()
	o.changed()
}

// done ends the turn of whoever writes. What others have queued since is not left
// alone. mu is held.
func (o *outbox) done(c *Conn) {
	if o.waiting() && !o.ended {
		go o.flushRest(c)
		return
	}
	o.writing = false
	o.changed()
}

// flushRest goes on where a writer lost patience, or must not wait at all.
func (o *outbox) flushRest(c *Conn) {
	o.mu.Lock()
	o.drain(c, 0, untilDry)
}

// waiting reports whether there is something to write.
func (o *outbox) waiting() bool { return o.queued() > 0 || o.late() }

// late reports whether a Pong has found no room.
func (o *outbox) late() bool { return o.seldom != nil && o.latePong != nil }

// stop refuses all that would still be sent, for the reason that the connection has
// ended for.
func (o *outbox) stop() {
	o.mu.Lock()
	o.ended = true
	o.changed()
	o.mu.Unlock()
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
	if o.late() {
		o.answerLatePing(c)
	}
	out := o.take()
	o.writeSoon(c, out.b, out)
}

// writeSoon writes p, which lies in out if that is not nil, without waiting for the
// peer: what the socket does not take at once is left to another goroutine. Its
// caller has set writing. mu is held before and not after.
func (o *outbox) writeSoon(c *Conn, p []byte, out *buffer) {
	o.mu.Unlock()
	if n := c.tryWrite(p); n < len(p) {
		go o.writeRest(c, p[n:], out)
		return
	}
	if out != nil {
		freeWriteBuffer(out)
	}
	o.wrote()
	o.done(c)
	o.mu.Unlock()
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
		o.mu.Lock()
		o.flush(c, instant.Now().Add(10*corkTime))
	}
}

// writeRest is the part of writeSoon that waits; then it goes on as flushRest.
func (o *outbox) writeRest(c *Conn, p []byte, out *buffer) {
	if err := c.writeSlices(0, p); err != nil {
		o.broke(c, err)
	}
	if out != nil {
		freeWriteBuffer(out)
	}
	o.wrote()
	o.drain(c, 0, untilDry)
}

// flushAll writes what is queued and waits until it is written, by whomever. mu
// is held before and not after.
func (o *outbox) flushAll(c *Conn, by instant.Time) error {
	if o.writing && !o.ended {
		if err := o.waitForWriter(by); err != nil {
			o.mu.Unlock()
			return err
		}
	}
	return o.flush(c, by)
}

func (o *outbox) waitForWriter(by instant.Time) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), by.Until())
	defer cancel()
	for o.writing && !o.ended && err == nil {
		err = o.wait(ctx)
	}
	return err
}
