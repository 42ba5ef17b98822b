package oauth

import (
	"container/list"
	"crypto/sha256"
	"sync"
	"time"
)

// A verdict is what is known of a token.
type verdict struct {
	said map[string]any // if it is valid
	err  error          // why it is not
}

// A memory keeps verdicts for so long, and so many. Tokens are not in it, only their
// hashes.
type memory struct {
	max int

	mu    sync.Mutex
	all   map[[sha256.Size]byte]*list.Element
	order *list.List // of *memo, the latest first
}

type memo struct {
	key     [sha256.Size]byte
	verdict verdict
	until   time.Time
}

func newMemory(max int) *memory {
	return &memory{max: max, all: make(map[[sha256.Size]byte]*list.Element), order: list.New()}
}

func (m *memory) get(key [sha256.Size]byte) (verdict, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.all[key]
	if !ok {
		return verdict{}, false
	}
	if memo := e.Value.(*memo); time.Now().Before(memo.until) {
		return memo.verdict, true
	}
	m.forget(e)
	return verdict{}, false
}

func (m *memory) put(key [sha256.Size]byte, v verdict, keep time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e, ok := m.all[key]; ok {
		m.forget(e)
	}
	m.all[key] = m.order.PushFront(&memo{key, v, time.Now().Add(keep)})
	for m.order.Len() > m.max {
		m.forget(m.order.Back())
	}
}

func (m *memory) forget(e *list.Element) {
	delete(m.all, e.Value.(*memo).key)
	m.order.Remove(e)
}
