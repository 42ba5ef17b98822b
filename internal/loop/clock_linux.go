package loop

import (
	"math"
	"math/bits"
	"sync"
	"time"

	"github.com/swan-ws/websocket/internal/instant"
)

// clock wakes sockets, with one timer for all of them.
var clock struct {
	mu    sync.Mutex
	timer *time.Timer
	next  instant.Time // when it rings; 0: it does not
}

// WakeAfter has w woken after d, or up to a sixty-fourth of it later, unless it is
// called again before or the socket is closed. Wake must be quick.
func (s *Socket) WakeAfter(d time.Duration, w interface{ Wake() }) {
	if !s.use() {
		return
	}
	defer s.unuse()
	s.mu.Lock()
	s.sleeper = w
	s.mu.Unlock()
	at := roundUp(instant.Now().Add(d), d)
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
	s.sleeper = nil
	s.mu.Unlock()
}

// roundUp lets what is to be at about the same time be at the same time.
func roundUp(t instant.Time, d time.Duration) instant.Time {
	rest := time.Duration(1)<<max(bits.Len64(uint64(max(d, 0)))-7, 0) - 1
	return t.Add(rest) &^ instant.Time(rest)
}

func ringAt(t instant.Time) {
	c := &clock
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next != 0 && c.next <= t {
		return
	}
	c.next = t
	if c.timer == nil {
		c.timer = time.AfterFunc(t.Until(), ring)
	} else {
		c.timer.Reset(t.Until())
	}
}

// ring wakes those whose time has come. To look through all slots costs less than to
// keep them in order: times are rounded, so that this is seldom.
func ring() {
	clock.mu.Lock()
	clock.next = 0
	clock.mu.Unlock()
	now, next := instant.Now(), instant.Time(math.MaxInt64)
	for _, chunk := range chunks() {
		for i := range chunk {
			slot := &chunk[i]
			s := slot.socket.Load() // whose time it is: later there may be another
			switch at := slot.wakeAt.Load(); {
			case at == 0:
			case instant.Time(at) > now:
				next = min(next, instant.Time(at))
			case slot.wakeAt.CompareAndSwap(at, 0):
				s.ring()
			}
		}
	}
	if next < math.MaxInt64 {
		ringAt(next)
	}
}

// ring wakes whom WakeAfter has been given. s may be nil: gone already.
func (s *Socket) ring() {
	if s == nil {
		return
	}
	s.mu.Lock()
	w := s.sleeper
	s.mu.Unlock()
	if w != nil {
		w.Wake()
	}
}
