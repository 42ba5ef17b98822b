package conn

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// slowCallback is how long a callback may take before somebody else reads on.
const slowCallback = 50 * time.Millisecond

// Handle calls f with every message, one after the other, on the caller's
// goroutine, until the connection ends or f returns false; it returns the error
// that a read would. A message is valid until f returns.
//
// While f takes its time the connection is read on by another goroutine, from the
// 50th millisecond on: Pings are answered, the peer's Close is seen, and up to
// waiting messages are kept. Then nothing more is read, and the peer has to wait. If
// waiting is negative, nothing is read while f runs.
func (c *Conn) Handle(waiting int, f func(Message) bool) error {
	ctx := context.Background()
	if err := c.takeInbox(ctx); err != nil {
		return err
	}
	h := &handling{c: c, most: waiting}
	h.change.L = &h.mu
	mine, out := true, false
	defer func() {
		h.stop()
		if mine || out && c.takeBack() { // out: f panicked
			c.freeInbox()
		}
	}()
	for {
		m, err := c.nextLent(ctx)
		if err != nil {
			return err
		}
		h.begin()
		mine, out = false, true
		c.lend()
		more := f(m)
		mine, out = c.takeBack(), false
		h.turn.Add(1)
		if !more {
			return c.Err()
		}
		if mine {
			continue
		}
		if more, err := h.drain(f); err != nil || !more {
			return err
		}
		if err := c.takeInbox(ctx); err != nil {
			return err
		}
		mine = true
	}
}

// handling is one call of Handle and its relief: whoever reads on while f is slow.
type handling struct {
	c    *Conn
	most int

	turn  atomic.Uint64 // odd while f has a message that is lent
	armed atomic.Bool   // the timer runs
	timer *time.Timer
	seen  uint64 // what turn was when it ran out last

	mu       sync.Mutex
	change   sync.Cond
	over     bool
	relieved bool // somebody else has the reading, or has had it since drain
	reading  bool // and is at it
	cancel   context.CancelFunc
	waiting  []Message
	err      error // that ended the relief's reading
}

// begin starts a turn. The timer is not set for each: it runs out now and then, as
// long as there are any, and looks whether it is still the same one.
func (h *handling) begin() {
	h.turn.Add(1)
	if h.most >= 0 && !h.armed.Load() {
		h.armed.Store(true)
		h.arm()
	}
}

func (h *handling) arm() {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.over:
	case h.timer == nil:
		h.timer = time.AfterFunc(slowCallback, h.tick)
	default:
		h.timer.Reset(slowCallback)
	}
}

func (h *handling) tick() {
	turn := h.turn.Load()
	if turn == h.seen {
		if turn%2 == 1 {
			h.relieve()
		}
		h.armed.Store(false)
		if h.turn.Load() == turn || !h.armed.CompareAndSwap(false, true) {
			return // the next turn sets the timer
		}
	}
	h.seen = turn
	h.arm()
}

// relieve starts the relief, if f still has its message.
func (h *handling) relieve() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over || !h.c.takeLent() {
		return
	}
	var ctx context.Context
	ctx, h.cancel = context.WithCancel(context.Background())
	h.relieved, h.reading, h.err = true, true, nil
	h.c.handling.Store(true)
	go h.readOn(ctx)
}

func (h *handling) readOn(ctx context.Context) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for ctx.Err() == nil {
		if len(h.waiting) > h.most {
			h.change.Wait()
			continue
		}
		h.mu.Unlock()
		m, err := h.c.Read(ctx)
		h.mu.Lock()
		if err == nil {
			h.waiting = append(h.waiting, m)
			h.change.Broadcast()
			continue
		}
		if ctx.Err() == nil {
			h.err = err
		}
		break
	}
	h.reading = false
	h.change.Broadcast()
}

// drain is called when the inbox is not the caller's any more. It handles what has
// been read meanwhile and ends the relief when nothing is left.
func (h *handling) drain(f func(Message) bool) (more bool, err error) {
	for {
		m, ok, err := h.next()
		if !ok {
			return err == nil, err
		}
		if !f(m) {
			return false, h.c.Err()
		}
	}
}

// next returns what the relief has read, or that it has ended and nothing is left.
func (h *handling) next() (m Message, ok bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.relieved { // Close has read on to the end, or is about to
		<-h.c.done
		return m, false, h.c.Err()
	}
	for len(h.waiting) == 0 && h.reading {
		h.cancel()
		h.change.Wait()
	}
	if len(h.waiting) == 0 {
		h.relieved, h.waiting = false, nil
		h.c.handling.Store(false)
		return m, false, h.err
	}
	m = h.waiting[0]
	h.waiting = h.waiting[1:]
	h.change.Broadcast()
	return m, true, nil
}

// stop ends the relief, whatever it has read.
func (h *handling) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.over = true
	if h.timer != nil {
		h.timer.Stop()
	}
	for h.reading {
		h.cancel()
		h.change.Broadcast()
		h.change.Wait()
	}
	h.c.handling.Store(false)
}
