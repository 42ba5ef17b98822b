package loop

import (
	"math"
	"math/bits"
	"sync"
	"time"
)

// clock wakes sockets, with one timer for all of them.
var clock struct {
	mu    sync.Mutex
	timer *time.Timer
	next  instant // when it rings; 0: it does not
}

// WakeAfter has f called after d, or up to a sixty-fourth of it later, unless it is
// called again before or the socket is closed. f must be quick.
func (s *Socket) WakeAfter(d time.Duration, f func()) {
	if !s.use() {
		return
	}
	defer s.unuse()
	s.mu.Lock()
	s.alarm = f
	s.mu.Unlock()
	at := roundUp(now().add(d), d)
	slotOf(int(s.fd)).wakeAt.Store(int64(at))
	ringAt(at)
}

// Sleep undoes WakeAfter.
func (s *Socket) Sleep() {
	if !s.use() {
		return
	}
	defer s.unuse()
	slotOf(int(s.fd)).wakeAt.Store(0)
	s.mu.Lock()
	s.alarm = nil
	s.mu.Unlock()
}

// roundUp lets what is to be at about the same time be at the same time.
func roundUp(t instant, d time.Duration) instant {
	unit := instant(1) << max(bits.Len64(uint64(max(d, 0)))-7, 0)
	return (t + unit - 1) &^ (unit - 1)
}

func ringAt(t instant) {
	c := &clock
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next != 0 && c.next <= t {
		return
	}
	c.next = t
	if c.timer == nil {
		c.timer = time.AfterFunc(t.left(), ring)
	} else {
		c.timer.Reset(t.left())
	}
}

// ring wakes those whose time has come. To look through all slots costs less than to
// keep them in order: times are rounded, so that this is seldom.
func ring() {
	clock.mu.Lock()
	clock.next = 0
	clock.mu.Unlock()
	now, next := now(), instant(math.MaxInt64)
	for _, chunk := range chunks() {
		for i := range chunk {
			slot := &chunk[i]
			s := slot.socket.Load() // whose time it is: later there may be another
			switch at := slot.wakeAt.Load(); {
			case at == 0:
			case instant(at) > now:
				next = min(next, instant(at))
			case slot.wakeAt.CompareAndSwap(at, 0):
				s.ring()
			}
		}
	}
	if next < math.MaxInt64 {
		ringAt(next)
	}
}

// ring calls what WakeAfter has been given. s may be nil: gone already.
func (s *Socket) ring() {
	if s == nil {
		return
	}
	s.mu.Lock()
	f := s.alarm
	s.mu.Unlock()
	if f != nil {
		f()
	}
}
