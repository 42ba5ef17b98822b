package conn

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/swan-ws/websocket/frame"
)

// keepalive pings the peer, notices that it is gone, and closes what is idle, all
// with one timer.
type keepalive struct {
	heard atomic.Uint64 // reads that brought bytes
	since atomic.Int64  // when the last message passed, in ns after start; idle only

	idle   time.Duration
	idling atomic.Bool // OnIdle is running
	start  time.Time

	mu       sync.Mutex
	timer    *time.Timer
	stopped  bool
	pingAt   time.Time // when the next ping is due
	waiting  bool      // for signs of life
	giveUpAt time.Time
	heardAt  uint64 // what heard was at the ping
}

func (c *Conn) startKeepalive() {
	k := &c.alive
	k.idle = c.opt.IdleTimeout
	if c.opt.PingEvery == 0 && k.idle == 0 {
		return
	}
	k.start = time.Now()
	k.pingAt = k.start.Add(c.opt.PingEvery)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.timer = time.AfterFunc(c.nextTick(k.start), c.tick)
}

func (k *keepalive) stop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stopped = true
	if k.timer != nil {
		k.timer.Stop()
	}
}

// touch is called when a message passes.
func (k *keepalive) touch() {
	if k.idle > 0 {
		k.since.Store(int64(time.Since(k.start)))
	}
}

func (k *keepalive) idleAt() time.Time {
	return k.start.Add(time.Duration(k.since.Load()) + k.idle)
}

// tick does what is due and sets the timer for what is next.
func (c *Conn) tick() {
	k := &c.alive
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.stopped {
		return
	}
	now := time.Now()
	if k.idle > 0 && (c.in.state.Load() == lent || c.handling.Load()) {
		k.touch() // a message is being worked on
	}
	if k.idle > 0 && !now.Before(k.idleAt()) {
		if c.opt.OnIdle == nil {
			go c.closeIdle()
			return
		}
		k.touch()
		if k.idling.CompareAndSwap(false, true) { // one call at a time
			go func() {
				defer k.idling.Store(false)
				c.opt.OnIdle(c)
			}()
		}
	}
	if c.opt.PingEvery > 0 && !c.tickPing(now) {
		go c.lost(ErrPongTimeout)
		return
	}
	k.timer.Reset(c.nextTick(now))
}

func (c *Conn) closeIdle() {
	const code, reason = frame.CloseGoingAway, "idle timeout"
	c.end(&CloseError{Code: code, Reason: reason, Cause: ErrIdleTimeout})
	c.Close(code, reason)
}

// tickPing reports whether the peer may still be alive.
func (c *Conn) tickPing(now time.Time) bool {
	k := &c.alive
	if k.waiting && k.heard.Load() != k.heardAt {
		k.waiting = false
	}
	if k.waiting && !now.Before(k.giveUpAt) {
		if c.in.state.Load() == busy && !c.in.inHook.Load() {
			return false
		}
		k.giveUpAt = now.Add(c.opt.PongWithin) // nobody listens: silence means nothing
	}
	if !now.Before(k.pingAt) {
		k.pingAt = now.Add(c.opt.PingEvery)
		if !k.waiting && c.opt.PongWithin > 0 {
			k.waiting, k.giveUpAt, k.heardAt = true, now.Add(c.opt.PongWithin), k.heard.Load()
		}
		go c.SendPing(context.Background(), nil) // the peer may not be reading
	}
	return true
}

// nextTick returns how long it is until something may be due.
func (c *Conn) nextTick(now time.Time) time.Duration {
	k := &c.alive
	var next time.Time
	earlier := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	if c.opt.PingEvery > 0 {
		earlier(k.pingAt)
	}
	if k.waiting {
		earlier(k.giveUpAt)
	}
	if k.idle > 0 {
		earlier(k.idleAt())
	}
	return next.Sub(now)
}
