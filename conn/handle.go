package conn

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// slowCallback is how often it is looked at whether a callback is the one of the
// last time. After twice that at most, somebody else reads on.
const slowCallback = 50 * time.Millisecond

// Handle calls begin, if it is not nil, and then f with every message, one after the
// other, on the caller's goroutine, until the connection ends or one of them returns
// false; it returns the error that a read would. A message is valid until f returns.
//
// While one of them takes its time, the connection is read on by another goroutine,
// after 100 milliseconds at the latest: Pings are answered, the peer's Close is seen,
// and up to waiting messages are kept, which are dropped if f then returns false. Then
// nothing more is read, and the peer has to wait. If waiting is 0 or less, nothing is
// read while f runs.
func (c *Conn) Handle(waiting int, begin func() bool, f func(Message) bool) (err error) {
	ctx := context.Background()
	h := &handling{c: c, f: f, most: waiting}
	if err = c.takeInbox(ctx); err != nil {
		if begin != nil {
			begin()
		}
		return err
	}
	h.mine = true
	defer h.stop()
	more := true
	if begin != nil {
		h.lend()
		more, err = h.takeBack(begin())
	}
	for more {
		var m Message
		if m, err = c.nextLent(ctx); err != nil {
			return err
		}
		h.lend()
		more, err = h.takeBack(f(m))
	}
	return err
}

// handling is one call of Handle and its relief: whoever reads on while f is slow.
type handling struct {
	c    *Conn
	f    func(Message) bool
	most int

	mine, out bool        // the caller has the inbox; a message is lent
	armed     atomic.Bool // the timer runs
	timer     *time.Timer
	turn      atomic.Uint64 // odd while f has a message that is lent
	seen      uint64        // what turn was when the timer ran out last

	mu      sync.Mutex
	*relief // somebody else has the reading, or has had it since drain; nil: nobody
	over    bool
	reading bool // the relief is at it
	cancel  context.CancelFunc
}

// lend begins a turn, before f is called with a message that is lent.
func (h *handling) lend() {
	h.start()
	h.mine, h.out = false, true
	h.c.lend()
}

// takeBack ends a turn, after f has said whether it wants more, and calls it with what
// has been read meanwhile.
func (h *handling) takeBack(wanted bool) (more bool, err error) {
	h.mine, h.out = h.c.takeBack(), false
	h.turn.Add(1)
	switch {
	case !wanted:
		return false, h.c.Err()
	case h.mine:
		return true, nil
	}
	if more, err = h.drain(); !more {
		return false, err
	}
	if err = h.c.takeInbox(context.Background()); err != nil {
		return false, err
	}
	h.mine = true
	return true, nil
}

// start starts a turn. The timer is not set for each: it runs out now and then, as
// long as there are any, and looks whether it is still the same one.
func (h *handling) start() {
	h.turn.Add(1)
	if h.most > 0 && !h.armed.Load() && h.armed.CompareAndSwap(false, true) {
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
	h.relief = &relief{change: sync.Cond{L: &h.mu}}
	h.c.flags.set(atWork)
	h.read()
}

// read begins to read on; mu is held.
func (h *handling) read() {
	var ctx context.Context
	ctx, h.cancel = context.WithCancel(context.Background())
	h.reading = true
	go h.readOn(ctx)
}

func (h *handling) readOn(ctx context.Context) {
	err := errHookExit
	h.mu.Lock()
	defer func() {
		if ctx.Err() == nil {
			h.err = err
		}
		h.reading = false
		h.change.Broadcast()
		h.mu.Unlock()
	}()
	for ctx.Err() == nil {
		if len(h.waiting) == h.most {
			h.change.Wait()
			continue
		}
		var m Message
		if m, err = h.readNext(ctx); err != nil {
			return
		}
		err = errHookExit
		h.waiting = append(h.waiting, m)
		h.change.Broadcast()
		if n := len(h.waiting); h.c.opt.Observer != nil {
			h.mu.Unlock()
			h.c.tellWaiting(n)
			h.mu.Lock()
		}
	}
}

func (h *handling) readNext(ctx context.Context) (Message, error) {
	h.mu.Unlock()
	defer h.mu.Lock()
	return h.c.Read(ctx)
}

// drain is called when the inbox is not the caller's any more. It handles what has
// been read meanwhile and ends the relief when nothing is left.
func (h *handling) drain() (more bool, err error) {
	for {
		m, ok, err := h.next()
		if !ok {
			return err == nil, err
		}
		if !h.f(m) {
			return false, h.c.Err()
		}
	}
}

// next returns what the relief has read, or that it has ended and nothing is left.
func (h *handling) next() (m Message, ok bool, err error) {
	h.mu.Lock()
	if h.relief == nil { // Close has read on to the end, or is about to
		h.mu.Unlock() // which the timer may want
		<-h.c.Done()
		return m, false, h.c.Err()
	}
	defer h.mu.Unlock()
	for len(h.waiting) == 0 && h.reading {
		h.cancel()
		h.change.Wait()
	}
	if len(h.waiting) == 0 {
		err = h.err
		h.relief = nil
		h.c.flags.clear(atWork)
		return m, false, err
	}
	m = h.waiting[0]
	h.waiting = h.waiting[1:]
	if !h.reading && h.err == nil { // m came when the relief was to end
		h.read()
	}
	h.change.Broadcast()
	return m, true, nil
}

// stop ends Handle, whatever the relief has read, and gives the inbox back, which it
// still has if f panicked.
func (h *handling) stop() {
	h.stopRelief()
	if h.mine || h.out && h.c.takeBack() {
		h.c.freeInbox()
	}
}

func (h *handling) stopRelief() {
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
	h.c.flags.clear(atWork)
}
