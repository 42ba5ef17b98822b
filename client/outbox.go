package client

import (
	"bytes"
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/swan-ws/websocket/conn"
)

// DefaultMaxUnconfirmed is the limit of an Outbox whose MaxBytes is 0.
const DefaultMaxUnconfirmed = 1 << 20

const (
	// confirmWithin is how soon after a message a Ping follows, at the latest.
	confirmWithin = time.Second
	// heldSize is about what it takes to hold a message beside its payload.
	heldSize = 128
)

// An Outbox sends messages from any goroutine, over one connection after another, and
// knows which have not arrived for certain when one is lost. The zero value is ready.
//
// It keeps a copy of each message until the peer has confirmed it: a second after a
// message, or sooner if Write waits for room, follows a Ping, and its Pong says that everything
// before it has come as far as the peer's implementation of WebSocket. Whether the
// peer's application has acted upon it only that itself can say. Somebody must read
// the connection, or no Pong is met.
type Outbox struct {
	// MaxBytes is how much may be unconfirmed, in bytes of payload and 128 for each
	// message; Write waits when it would be more. A message that is longer goes
	// alone. 0: DefaultMaxUnconfirmed. Negative: no limit.
	MaxBytes int

	mu      sync.Mutex
	line    *line     // nil: none
	held    list.List // of *held, in the order in which they were first written
	size    int       // of them all
	changed chan struct{}
}

// held is a message that has not been confirmed.
type held struct {
	m    conn.Message
	at   *list.Element // nil: not held any more
	line *line         // the last one that it was given to
	sent bool          // on that
}

func (h *held) size() int { return len(h.m.Data) + heldSize }

// line is a connection that an Outbox sends on.
type line struct {
	c     *conn.Conn
	wake  chan struct{} // something has been sent
	hurry chan struct{} // and confirmWithin is too late
}

// Write waits for a connection and sends p as one message. p is the caller's again
// on return.
//
// nil means that the message has been sent, or will be given to the next Attach, or
// to Unconfirmed. An error means that it has not been, and will not: ctx has ended
// before, or it is a text that is not valid UTF-8.
func (o *Outbox) Write(ctx context.Context, t conn.MessageType, p []byte) error {
	if t != conn.Binary && (t != conn.Text || !utf8.Valid(p)) {
		return errNotSendable
	}
	h, l, err := o.admit(ctx, conn.Message{Type: t, Data: bytes.Clone(p)})
	if err != nil {
		return err
	}
	if err := o.send(ctx, h, l); err != nil && l.c.Err() == nil {
		o.remove(h)
		return err
	}
	return nil
}

var errNotSendable = errors.New("websocket: message not sent: neither binary nor text of valid UTF-8")

// admit waits until there is a connection, and room.
func (o *Outbox) admit(ctx context.Context, m conn.Message) (*held, *line, error) {
	h := &held{m: m}
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		if err := ctx.Err(); err != nil {
			return nil, nil, fmt.Errorf("websocket: message not sent: %w", err)
		}
		if o.line != nil && o.line.c.Phase() == conn.Open {
			if o.size == 0 || o.fits(o.size+h.size()) {
				h.at, h.line = o.held.PushBack(h), o.line
				o.size += h.size()
				return h, h.line, nil
			}
			poke(o.line.hurry)
		}
		o.wait(ctx)
	}
}

// fits reports whether that much may be unconfirmed.
func (o *Outbox) fits(size int) bool {
	if o.MaxBytes == 0 {
		return size <= DefaultMaxUnconfirmed
	}
	return o.MaxBytes < 0 || size <= o.MaxBytes
}

// send sends a message that is held over l.
func (o *Outbox) send(ctx context.Context, h *held, l *line) error {
	if err := l.c.Write(ctx, h.m.Type, h.m.Data); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if h.line != l { // Attach was faster
		return nil
	}
	h.sent = true
	poke(l.wake)
	return nil
}

// Attach makes c the connection that Write sends on, from the moment that Attach
// returns nil until c ends. Before that, it calls again with every message that
// earlier connections may have lost, oldest first, and sends those for which again
// reports true; the others are dropped. A nil again sends all.
//
// An error is that of a write to c. What again has not been asked about, and what
// has been sent to c, is for the next Attach then. Call Attach once in each session
// of Keep.
func (o *Outbox) Attach(ctx context.Context, c *conn.Conn, again func(m conn.Message) bool) error {
	l := &line{c, make(chan struct{}, 1), make(chan struct{}, 1)}
	go o.confirm(l)
	for _, h := range o.suspend() {
		if again != nil && !again(h.m) {
			o.remove(h)
			continue
		}
		o.mu.Lock()
		h.line, h.sent = l, false
		o.mu.Unlock()
		if err := o.send(ctx, h, l); err != nil {
			return err
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.line = l
	o.tell()
	return nil
}

// suspend makes Write wait and returns what is held.
func (o *Outbox) suspend() []*held {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.line = nil
	return o.all()
}

func (o *Outbox) all() []*held {
	all := make([]*held, 0, o.held.Len())
	for e := o.held.Front(); e != nil; e = e.Next() {
		all = append(all, e.Value.(*held))
	}
	return all
}

// Unconfirmed returns the messages that may not have arrived, oldest first, and
// forgets them. Call it when there will be no other connection.
func (o *Outbox) Unconfirmed() []conn.Message {
	o.mu.Lock()
	defer o.mu.Unlock()
	var left []conn.Message
	for _, h := range o.all() {
		left = append(left, h.m)
		o.drop(h)
	}
	return left
}

// Flush waits until every message written so far has been confirmed. Use it before
// the end: what has been sent within the last second is unconfirmed else.
func (o *Outbox) Flush(ctx context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, h := range o.all() {
		for h.at != nil {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("websocket: %d messages are not confirmed: %w", o.held.Len(), err)
			}
			if o.line != nil {
				poke(o.line.hurry)
			}
			o.wait(ctx)
		}
	}
	return nil
}

// confirm sends the Pings for l, until its end.
func (o *Outbox) confirm(l *line) {
	for {
		select {
		case <-l.wake:
		case <-l.c.Done():
			return
		}
		select {
		case <-time.After(confirmWithin):
		case <-l.hurry:
		case <-l.c.Done():
			return
		}
		sent := o.sentOn(l)
		if len(sent) == 0 {
			continue
		}
		if _, err := l.c.Ping(l.c.Context()); err == nil {
			o.remove(sent...)
		}
	}
}

func (o *Outbox) sentOn(l *line) (sent []*held) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, h := range o.all() {
		if h.line == l && h.sent {
			sent = append(sent, h)
		}
	}
	return sent
}

func (o *Outbox) remove(gone ...*held) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, h := range gone {
		o.drop(h)
	}
}

// drop ends the holding of h. mu is held.
func (o *Outbox) drop(h *held) {
	if h.at == nil {
		return
	}
	o.held.Remove(h.at)
	h.at = nil
	o.size -= h.size()
	o.tell()
}

// wait waits for tell. mu is held before and after.
func (o *Outbox) wait(ctx context.Context) {
	if o.changed == nil {
		o.changed = make(chan struct{})
	}
	changed := o.changed
	o.mu.Unlock()
	defer o.mu.Lock()
	select {
	case <-changed:
	case <-ctx.Done():
	}
}

// tell wakes all that wait. mu is held.
func (o *Outbox) tell() {
	if o.changed != nil {
		close(o.changed)
		o.changed = nil
	}
}

func poke(signal chan<- struct{}) {
	select {
	case signal <- struct{}{}:
	default:
	}
}
