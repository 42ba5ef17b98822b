package conn

import (
	"strconv"
	"time"

	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
)

// An Observer is told what happens on connections, so that it can be counted and
// measured. Name it in Options.Observer: one is enough for many connections, and is
// called by all their goroutines. Any field may be nil, and a field that is costs
// nothing.
//
// The functions run where it happens, on the goroutine that reads or writes, with no
// lock of the connection's held. They must be quick, and not read, write, ping or
// close the connection; to Set a value is fine. For each connection Opened comes
// first and calls of Received never overlap; those of Sent may, and the last of them
// may come a moment after Ended.
type Observer struct {
	// Opened is called by New.
	Opened func(c *Conn)
	// Ended is called once for each connection that was Opened, whatever its end, just
	// before Conn.Done is closed.
	Ended func(c *Conn, e End)

	// Sent is called for each message and each control frame that has been written,
	// or queued to be. On a connection that is lost not all of it has arrived.
	Sent func(c *Conn, t Traffic)
	// Received is called for each message, as soon as the last of it has been read,
	// and each control frame. What comes after a fault, or after the peer's Close
	// frame, is not received; of a message that is not finished nothing is told.
	Received func(c *Conn, t Traffic)

	// RoundTrip is called with the time between a Ping, of Conn.Ping or
	// Options.PingEvery, and its Pong. If nobody reads meanwhile, that is counted.
	// Those of PingEvery have 8 bytes of payload for it, and none otherwise.
	RoundTrip func(c *Conn, d time.Duration)

	// Queued is called when a frame has been left behind a write of somebody else's,
	// with the bytes that wait for the stream then: at 64 KiB writers wait too.
	Queued func(c *Conn, bytes int)
	// Waiting is called when a message has been read and the one before it is still
	// being handled, with the number that wait then: see Handle and client.ReadAhead.
	Waiting func(c *Conn, messages int)

	// Error is called for each fault in the peer's bytes, in which errors.As finds a
	// *frame.ProtocolError, and for what goes wrong in the callbacks of a
	// server.Service, as its OnError is.
	Error func(c *Conn, kind ErrorKind, err error)
	// Refused is called when an opening handshake has come to nothing: on a server
	// with the HTTP status that it sent, on a client with the one that it got. It is
	// 0 if there was none.
	Refused func(status int, err error)
}

// Traffic is a message, or a control frame, that has passed.
type Traffic struct {
	// Opcode is frame.OpText or frame.OpBinary for a message, else that of the frame.
	Opcode frame.Opcode
	// Bytes is the length of the payload: of a message, as applications see it.
	Bytes int64
	// Wire is what it took on the stream: the headers of its frames, and the payload,
	// compressed if it was.
	Wire int64
	// Code is that of a Close frame, frame.CloseNoStatus if it had none.
	Code frame.CloseCode
}

// An End is how a connection ended.
type End struct {
	// Err is what Conn.Err returns.
	Err error
	// Code is what Err stands for: see CloseStatus.
	Code frame.CloseCode
	// Remote: the peer closed the connection, or it was lost. Otherwise this side
	// did, be it for the peer's fault.
	Remote bool
	// Lifetime is how long it was open, closing included.
	Lifetime time.Duration
}

// An ErrorKind is what an Observer's Error is about.
type ErrorKind uint8

// The kinds of errors.
const (
	ProtocolFault ErrorKind = iota // the peer broke the protocol
	BadMessage                     // a message was not what its handler wanted: a *BindError
	CallbackError                  // a callback returned an error
	CallbackPanic                  // a callback panicked
)

// String returns "protocol", "message", "callback" or "panic".
func (k ErrorKind) String() string {
	if int(k) < len(errorKinds) {
		return errorKinds[k]
	}
	return "error kind " + strconv.Itoa(int(k))
}

var errorKinds = [...]string{"protocol", "message", "callback", "panic"}

// CloseLabel returns code as a label for metrics, of which there are few whatever
// peers send: "1000" and the like for those that are registered, "3xxx" and "4xxx"
// for those of libraries and applications, "other" for the rest.
func CloseLabel(code frame.CloseCode) string {
	switch {
	case code.Registered():
		return strconv.Itoa(int(code))
	case code/1000 == 3:
		return "3xxx"
	case code/1000 == 4:
		return "4xxx"
	}
	return "other"
}

// Observer returns Options.Observer, for those who serve connections and have
// something to tell it. It may be nil.
func (c *Conn) Observer() *Observer { return c.opt.Observer }

func (c *Conn) tellOpened() {
	if o := c.opt.Observer; o != nil && o.Opened != nil {
		o.Opened(c)
	}
}

func (c *Conn) tellEnded(err error) {
	o := c.opt.Observer
	if o == nil || o.Ended == nil {
		return
	}
	e, closed := err.(*CloseError)
	o.Ended(c, End{
		Err:      err,
		Code:     CloseStatus(err),
		Remote:   closed && e.Remote,
		Lifetime: c.alive.start.Since(),
	})
}

// tellSent tells of one frame, which holds payload bytes of the n.
func (c *Conn) tellSent(op frame.Opcode, n, payload int) {
	if c.opt.Observer != nil {
		c.sentFrame(op, n, payload)
	}
}

func (c *Conn) sentFrame(op frame.Opcode, n, payload int) {
	c.sent(Traffic{Opcode: op, Bytes: int64(n), Wire: c.frameSize(payload)})
}

func (c *Conn) tellClose(code frame.CloseCode, reason string) {
	if c.opt.Observer != nil {
		n := closeSize(code, len(reason))
		c.sent(Traffic{Opcode: frame.OpClose, Bytes: n, Wire: c.frameSize(int(n)), Code: code})
	}
}

func (c *Conn) sent(t Traffic) {
	if o := c.opt.Observer; o.Sent != nil {
		o.Sent(c, t)
	}
}

// frameSize is what a frame of this side's takes.
func (c *Conn) frameSize(payload int) int64 {
	h := frame.Header{Masked: c.opt.role == machine.Client, Length: uint64(payload)}
	return int64(h.Size() + payload)
}

// closeSize is the payload of a Close frame (§5.5.1).
func closeSize(code frame.CloseCode, reason int) int64 {
	if code == frame.CloseNoStatus {
		return 0
	}
	return int64(2 + reason)
}

// tellStep tells of the n bytes of a step, and what it found.
func (c *Conn) tellStep(n int) {
	if c.opt.Observer != nil {
		c.stepped(int64(n))
	}
}

func (c *Conn) stepped(n int64) {
	ev := &c.in.ev
	t := Traffic{Bytes: int64(len(ev.Payload)), Wire: n}
	switch ev.Kind {
	case machine.Ping:
		t.Opcode = frame.OpPing
	case machine.Pong:
		t.Opcode = frame.OpPong
	case machine.Close:
		t.Opcode, t.Code, t.Bytes = frame.OpClose, ev.Code, closeSize(ev.Code, len(ev.Payload))
	case machine.Data:
		if c.in.wire += n; !ev.Compressed {
			c.pieceCame(ev.Payload, ev.Last)
		}
		return
	default: // the header of a frame of a message, at the most
		c.in.wire += n
		return
	}
	c.received(t)
}

// tellInflated tells of the piece of a message at hand.
func (c *Conn) tellInflated() {
	if c.opt.Observer != nil {
		c.pieceCame(c.in.piece, c.in.last)
	}
}

func (c *Conn) pieceCame(p []byte, last bool) {
	in := &c.in
	if in.bytes += int64(len(p)); last {
		t := Traffic{Opcode: in.ev.Opcode, Bytes: in.bytes, Wire: in.wire}
		in.bytes, in.wire = 0, 0
		c.received(t)
	}
}

func (c *Conn) received(t Traffic) {
	if o := c.opt.Observer; o.Received != nil {
		o.Received(c, t)
	}
}

// timesPings reports whether somebody wants to know how long Pings take.
func (c *Conn) timesPings() bool {
	return c.opt.Observer != nil && c.opt.Observer.RoundTrip != nil
}

func (c *Conn) tellRoundTrip(d time.Duration) {
	if c.timesPings() {
		c.opt.Observer.RoundTrip(c, d)
	}
}

func (c *Conn) tellQueued(bytes int) {
	if o := c.opt.Observer; o != nil && o.Queued != nil {
		o.Queued(c, bytes)
	}
}

func (c *Conn) tellWaiting(messages int) {
	if o := c.opt.Observer; o != nil && o.Waiting != nil {
		o.Waiting(c, messages)
	}
}

func (c *Conn) tellFault(err error) {
	if o := c.opt.Observer; o != nil && o.Error != nil {
		o.Error(c, ProtocolFault, err)
	}
}

// JoinObservers returns an Observer that tells all of those, in that order. nil ones
// are left out.
func JoinObservers(all ...*Observer) *Observer {
	j := new(Observer)
	for _, o := range all {
		if o == nil {
			continue
		}
		if a, b := j.Opened, o.Opened; a == nil {
			j.Opened = b
		} else if b != nil {
			j.Opened = func(c *Conn) { a(c); b(c) }
		}
		j.Ended = both(j.Ended, o.Ended)
		j.Sent = both(j.Sent, o.Sent)
		j.Received = both(j.Received, o.Received)
		j.RoundTrip = both(j.RoundTrip, o.RoundTrip)
		j.Queued = both(j.Queued, o.Queued)
		j.Waiting = both(j.Waiting, o.Waiting)
		j.Refused = both(j.Refused, o.Refused)
		if a, b := j.Error, o.Error; a == nil {
			j.Error = b
		} else if b != nil {
			j.Error = func(c *Conn, kind ErrorKind, err error) { a(c, kind, err); b(c, kind, err) }
		}
	}
	return j
}

func both[A, B any](a, b func(A, B)) func(A, B) {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return func(x A, y B) { a(x, y); b(x, y) }
}
