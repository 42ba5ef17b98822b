package conn

import (
	"sync"
	"sync/atomic"

	"github.com/swan-ws/websocket/conn/machine"
)

// Who has the inbox.
const (
	free int32 = iota
	busy       // somebody reads
	lent       // nobody reads, but a message that lies in the buffer is in use
)

// inbox is the receiving side. It belongs to whoever has taken it.
type inbox struct {
	state  atomic.Int32
	inHook atomic.Bool // OnPing or OnPong is running
	ahead  atomic.Bool // another frame is in buf, whole: there will soon be another step

	burst    bool // the last read has brought much
	*reading      // nil while nobody reads and nothing is left to go on with
}

// reading is what the receiving side needs while somebody reads, or has stopped half-way.
type reading struct {
	m      machine.Receiver
	buf    *buffer // may be nil, and is while nobody reads and nothing is left in it
	r, w   int     // buf.b[r:w] has been read but not understood
	hasty  bool    // whoever reads does not wait: notReady
	ev     machine.Event
	limit  int64 // MaxMessage, for the message in progress
	owed   bool  // replies have been queued since the last flush
	inside bool  // a message has begun and its last piece has not been met

	piece       []byte // of the message at hand, inflated if it was deflated
	first, last bool   // piece begins it, ends it
	deflated    bool   // the message at hand is compressed
	z           inflating

	msg    []byte         // a message being gathered, or lent
	msgBuf *buffer        // where msg began, if that is from a pool
	pile   pile           // one being gathered that is compressed
	reader *messageReader // has a message that has not been read to its end
	deaf   bool           // Close reads: no hook is called on its goroutine
	unused bool           // what is left in piece is for reader

	bytes, wire int64 // of the message at hand so far, inflated and on the stream; for the Observer
}

var readings = sync.Pool{New: func() any { return new(reading) }}

// becomeReader makes the caller the reader, unless there is one.
func (c *Conn) becomeReader() bool {
	if !c.in.state.CompareAndSwap(free, busy) {
		return false
	}
	c.beginReading()
	return true
}

// beginReading takes up what is left to go on with, or begins anew.
func (c *Conn) beginReading() {
	if c.in.reading == nil {
		c.in.reading = readings.Get().(*reading)
		c.in.m = machine.NewReceiver(machine.Config{
			Role:         c.opt.role,
			MaxFragments: c.opt.MaxFragments,
			Deflate:      c.z != nil,
		})
	}
}

// resumeReading takes up what endReading has given back, with what has been read into b.
func (c *Conn) resumeReading(b *buffer) {
	c.beginReading()
	c.in.release() // the one that may be there
	c.in.buf = b
}

// endReading gives back what is only needed while there is something to go on with. A
// connection that nobody reads holds no buffer.
func (in *inbox) endReading() {
	r := in.reading
	switch {
	case r.r < r.w || r.unused: // something in the buffer is wanted
	case r.ended():
		if r.buf != nil && len(r.buf.b) != readBufferSize {
			in.release()
		}
		*r = reading{buf: r.buf} // whoever reads next needs one as well
		readings.Put(r)
		in.reading = nil
	case len(r.z.in) == 0:
		in.release()
	}
}

// ended reports whether a new reading would do as well.
func (r *reading) ended() bool {
	return r.m.AtRest() && !r.inside && r.msg == nil && r.reader == nil && !r.deaf
}

// start begins with bytes that have been read already.
func (in *inbox) start(buffered []byte) {
	if len(buffered) == 0 {
		return
	}
	in.buf = &buffer{make([]byte, max(len(buffered), readBufferSize))}
	in.w = copy(in.buf.b, buffered)
}

// lend hands the piece in the buffer to the application until it is taken back.
// The inbox stays taken, but Close may read on in a buffer of its own.
func (c *Conn) lend() {
	c.sendOwed()
	c.in.lookAhead()
	c.in.state.Store(lent)
}

// takeBack ends lend and reports whether the inbox is still the caller's.
func (c *Conn) takeBack() bool { return c.in.state.CompareAndSwap(lent, busy) }

// takeOver makes Close the reader although a message may be lent.
func (c *Conn) takeOver() bool {
	in := &c.in
	if !c.becomeReader() {
		if !in.state.CompareAndSwap(lent, busy) {
			return false
		}
		in.leave()
	}
	in.reader, in.unused, in.hasty = nil, false, false // it gets no more
	in.deaf = true
	return true
}

// takeLent lets anybody read although a message is lent.
func (c *Conn) takeLent() bool {
	if !c.in.state.CompareAndSwap(lent, busy) {
		return false
	}
	c.in.leave()
	c.freeInbox()
	return true
}

// leave leaves the buffers in which a lent message lies alone, to the garbage
// collector in the end.
func (in *inbox) leave() {
	left := in.unread()
	in.buf, in.msg, in.msgBuf = nil, nil, nil
	in.r, in.w = 0, 0
	in.start(left)
}
