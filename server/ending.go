package server

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// silentTime is how long Shutdown lets connections be on which no request has come:
// one may be on its way. Browsers keep some in store, and net/http would wait five
// seconds for them.
const silentTime = 500 * time.Millisecond

// streams are the connections that HTTP is spoken on, and whether a request has come.
type streams struct {
	mu    sync.Mutex
	heard map[net.Conn]bool
}

// state is an http.Server.ConnState.
func (s *streams) state(nc net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateHijacked, http.StateClosed:
		delete(s.heard, nc)
		return
	}
	if s.heard == nil {
		s.heard = make(map[net.Conn]bool)
	}
	s.heard[nc] = state != http.StateNew
}

func (s *streams) closeSilent() { s.close(false) }

// close closes those on which nothing has come, or all.
func (s *streams) close(all bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for nc, heard := range s.heard {
		if all || !heard {
			nc.Close()
		}
	}
}

// A tally counts what is under way.
type tally struct {
	mu   sync.Mutex
	n    int
	zero chan struct{} // closed when n is 0 again; nil: nobody waits
}

func (t *tally) add(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n += n; t.n == 0 && t.zero != nil {
		close(t.zero)
		t.zero = nil
	}
}

// wait waits until nothing is under way, or returns ctx's error.
func (t *tally) wait(ctx context.Context) error {
	t.mu.Lock()
	if t.n == 0 {
		t.mu.Unlock()
		return nil
	}
	if t.zero == nil {
		t.zero = make(chan struct{})
	}
	zero := t.zero
	t.mu.Unlock()
	select {
	case <-zero:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
