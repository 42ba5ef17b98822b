package hub

import (
	"runtime"
	"sync"
)

// A sweeper has what is queued written to many members by a few goroutines, which
// exist only while there is something, and wait for no peer. A member that does
// not take at once what it is sent gets a goroutine of its own until it has.
type sweeper struct {
	mu      sync.Mutex
	due     ring[*member]
	running int
	most    int
}

// atOnce is how many members a goroutine takes at a time.
const atOnce = 16

func (s *sweeper) add(m *member) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.due.push(m)
	if s.running == 0 {
		s.most = runtime.GOMAXPROCS(0)
	}
	if s.running < s.most && s.due.n > s.running*atOnce {
		s.running++
		go s.sweep()
	}
}

func (s *sweeper) sweep() {
	b := batches.Get().(*batch)
	defer batches.Put(b)
	var due [atOnce]*member
	for n := s.take(&due); n > 0; n = s.take(&due) {
		runtime.Gosched() // who writes without waiting gives nobody else a turn
		for _, m := range due[:n] {
			switch more, wait := m.write(b); {
			case wait:
				go m.writeSlowly()
			case more: // the others first
				s.add(m)
			}
		}
	}
}

var batches = sync.Pool{New: func() any { return new(batch) }}

// take moves those who are due to the slice and returns how many. If there are
// none, its caller must go.
func (s *sweeper) take(due *[atOnce]*member) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ; n < len(due) && s.due.n > 0; n++ {
		due[n] = s.due.pop()
	}
	if n == 0 {
		s.running--
	}
	return n
}
