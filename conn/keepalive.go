package conn

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/swan-ws/websocket/frame"
	"github.com/swan-ws/websocket/internal/instant"
)

// keepalive pings the peer, notices that it is gone, and closes what is idle, all
// with one timer.
type keepalive struct {
	start instant.Time
	since atomic.Int64 // the instant at which the last message passed; with IdleTimeout only
	heard atomic.Bool  // bytes have come since the ping

	mu       sync.Mutex // of what follows
	idling   bool       // OnIdle is running
	stopped  bool
	waiting  bool // for signs of life
	listened bool // somebody did when that began
	timer    *time.Timer
	pingAt   instant.Time // when the next ping is due
	giveUpAt instant.Time
}

func (c *Conn) startKeepalive() {
	k, now := &c.alive, instant.Now()
	if c.opt.PingEvery == 0 && c.opt.IdleTimeout == 0 {
		return
	}
	c.touch()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.pingAt = now.Add(c.opt.PingEvery)
	c.tickIn(c.nextTick(now))
}

// waker is a stream that wakes its connection, which needs no timer of its own then.
type waker interface {
	WakeAfter(d time.Duration, w interface{ Wake() })
}

// A sleeper is a connection that is woken.
type sleeper Conn

// Wake is the stream's.
func (s *sleeper) Wake() { (*Conn)(s).tick() }

func (c *Conn) tickIn(d time.Duration) {
	k := &c.alive
	if w, ok := c.stream.(waker); ok {
		w.WakeAfter(d, (*sleeper)(c))
	} else if k.timer == nil {
		k.timer = time.AfterFunc(d, c.tick)
	} else {
		k.timer.Reset(d)
	}
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
func (c *Conn) touch() {
	if c.opt.IdleTimeout > 0 {
		c.alive.since.Store(int64(instant.Now()))
	}
}

// hear is called when bytes have come.
func (k *keepalive) hear() {
	if !k.heard.Load() { // which costs less than to set it
		k.heard.Store(true)
	}
}

func (c *Conn) idleAt() instant.Time {
	return instant.Time(c.alive.since.Load()).Add(c.opt.IdleTimeout)
}

// tick does what is due and sets the timer for what is next.
func (c *Conn) tick() {
	k := &c.alive
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.stopped {
		return
	}
	now := instant.Now()
	if c.in.state.Load() == lent || c.flags.has(atWork) {
		c.touch() // a message is being worked on
	}
	if c.opt.IdleTimeout > 0 && now >= c.idleAt() {
		if c.opt.OnIdle == nil {
			go c.closeIdle()
			return
		}
		c.touch()
		if !k.idling { // one call at a time
			k.idling = true
			go c.idle()
		}
	}
	if c.opt.PingEvery > 0 && !c.tickPing(now) {
		go c.lost(ErrPongTimeout)
		return
	}
	c.tickIn(c.nextTick(now))
}

func (c *Conn) idle() {
	k := &c.alive
	defer func() {
		k.mu.Lock()
		k.idling = false
		k.mu.Unlock()
	}()
	c.opt.OnIdle(c)
}

func (c *Conn) closeIdle() {
	const code, reason = frame.CloseGoingAway, "idle timeout"
	c.end(&CloseError{Code: code, Reason: reason, Cause: ErrIdleTimeout})
	c.Close(code, reason)
}

// tickPing reports whether the peer may still be alive.
func (c *Conn) tickPing(now instant.Time) bool {
	k := &c.alive
	if k.waiting && k.heard.Load() {
		k.waiting = false
	}
	if k.waiting && now >= k.giveUpAt {
		if k.listened && c.listens() {
			return false
		}
		c.awaitLife(now) // nobody listens, or has only just begun: silence means nothing
	}
	if now >= k.pingAt {
		k.pingAt = now.Add(c.opt.PingEvery)
		if !k.waiting && c.opt.PongWithin > 0 {
			k.waiting = true
			k.heard.Store(false)
			c.awaitLife(now)
		}
		var payload []byte
		if c.timesPings() {
			payload = c.pinging().expectRegular()
		}
		go c.SendPing(context.Background(), payload) // the peer may not be reading
	}
	return true
}

// awaitLife gives the peer PongWithin from now on.
func (c *Conn) awaitLife(now instant.Time) {
	c.alive.giveUpAt, c.alive.listened = now.Add(c.opt.PongWithin), c.listens()
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
func (c *Conn) nextTick(now instant.Time) time.Duration {
	k := &c.alive
	next := instant.Time(math.MaxInt64)
	if c.opt.PingEvery > 0 {
		next = min(next, k.pingAt)
	}
	if k.waiting {
		next = min(next, k.giveUpAt)
	}
	if c.opt.IdleTimeout > 0 {
		next = min(next, c.idleAt())
	}
	return next.Sub(now)
}
