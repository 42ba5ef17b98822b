package client

import (
	"context"
	"sync"
)

// connecting are the addresses with a handshake under way that must be the only
// one.
var connecting turns

// turns are locks by name.
type turns struct {
	mu   sync.Mutex
	held map[string]*turn
}

type turn struct {
	token chan struct{}
	users int
}

// lock waits for the name's turn and returns what ends it.
func (t *turns) lock(ctx context.Context, name string) (unlock func(), err error) {
	own := t.join(name)
	select {
	case own.token <- struct{}{}:
		return func() {
			<-own.token
			t.part(name, own)
		}, nil
	case <-ctx.Done():
		t.part(name, own)
		return nil, ctx.Err()
	}
}

func (t *turns) join(name string) *turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held == nil {
		t.held = make(map[string]*turn)
	}
	own := t.held[name]
	if own == nil {
		own = &turn{token: make(chan struct{}, 1)}
		t.held[name] = own
	}
	own.users++
	return own
}

func (t *turns) part(name string, own *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if own.users--; own.users == 0 {
		delete(t.held, name)
	}
}
