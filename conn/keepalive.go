package conn

import (
	"context"
	"math"
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
	start  time.Time   // what follows is counted from here

	mu       sync.Mutex
	timer    *time.Timer
	stopped  bool
	pingAt   time.Duration // when the next ping is due
	waiting  bool          // for signs of life
	giveUpAt time.Duration
	heardAt  uint64 // what heard was at the ping
}

func (c *Conn) startKeepalive() {
	k := &c.alive
	k.idle = c.opt.IdleTimeout
	k.start = time.Now()
	if c.opt.PingEvery == 0 && k.idle == 0 {
		return
	}
	k.pingAt = c.opt.PingEvery
	k.mu.Lock()
	defer k.mu.Unlock()
	k.timer = time.AfterFunc(c.nextTick(0), c.tick)
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

func (k *keepalive) idleAt() time.Duration {
	return time.Duration(k.since.Load()) + k.idle
}

// tick does what is due and sets the timer for what is next.
func (c *Conn) tick() {
	k := &c.alive
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.stopped {
		return
	}
	now := time.Since(k.start)
	if k.idle > 0 && (c.in.state.Load() == lent || c.handling.Load()) {
		k.touch() // a message is being worked on
	}
	if k.idle > 0 && now >= k.idleAt() {
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
func (c *Conn) tickPing(now time.Duration) bool {
	k := &c.alive
	if k.waiting && k.heard.Load() != k.heardAt {
		k.waiting = false
	}
	if k.waiting && now >= k.giveUpAt {
		if c.listens() {
			return false
		}
		k.giveUpAt = now + c.opt.PongWithin // nobody listens: silence means nothing
	}
	if now >= k.pingAt {
		k.pingAt = now + c.opt.PingEvery
		if !k.waiting && c.opt.PongWithin > 0 {
			k.waiting, k.giveUpAt, k.heardAt = true, now+c.opt.PongWithin, k.heard.Load()
		}
		var payload []byte
		if c.timesPings() {
			payload = c.pings.expectRegular()
		}
		go c.SendPing(context.Background(), payload) // the peer may not be reading
	}
	return true
}

// listens reports whether somebody would hear of the peer.
func (c *Conn) listens() bool {
	if c.in.inHook.Load() {
		return false
	}
	if events := c.events.Load(); events != nil && events.idle() {
		return true
	}
	return c.in.state.Load() == busy
}

// nextTick returns how long it is until something may be due.
func (c *Conn) nextTick(now time.Duration) time.Duration {
	k := &c.alive
	next := time.Duration(math.MaxInt64)
	if c.opt.PingEvery > 0 {
		next = min(next, k.pingAt)
	}
	if k.waiting {
		next = min(next, k.giveUpAt)
	}
	if k.idle > 0 {
		next = min(next, k.idleAt())
	}
	return next - now
}
