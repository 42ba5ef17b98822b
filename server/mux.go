package server

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// A Mux is an http.ServeMux whose handlers can be attached and detached while it
// serves. Patterns are as there: [METHOD ][HOST]/path, with wildcards, where "/chat"
// is that path alone and "/chat/" also all below it; the most specific one wins.
// The zero value has no handlers, and answers with 404.
type Mux struct {
	mux      atomic.Pointer[http.ServeMux]
	mu       sync.Mutex // held while handlers changes
	handlers map[string]http.Handler
}

// Attach has h answer the requests that match pattern, from now on. It is an error
// if pattern is no pattern, or if it is taken: if there is one that matches the same
// requests, or some of them without being more or less specific.
func (m *Mux) Attach(pattern string, h http.Handler) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.handlers[pattern] != nil {
		return fmt.Errorf("websocket: Attach(%q): there is a handler already", pattern)
	}
	mux := m.mux.Load()
	if mux == nil {
		mux = http.NewServeMux()
	}
	if err := register(mux, pattern, h); err != nil {
		return err
	}
	if m.handlers == nil {
		m.handlers = make(map[string]http.Handler)
	}
	m.handlers[pattern] = h
	m.mux.Store(mux)
	return nil
}

// Detach undoes Attach: from now on pattern matches nothing. Requests that are
// being answered and connections that are open go on; to end those too, shut down
// the Group in their Options. It is an error if pattern is not attached.
func (m *Mux) Detach(pattern string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.handlers[pattern] == nil {
		return fmt.Errorf("websocket: Detach(%q): nothing is attached there", pattern)
	}
	delete(m.handlers, pattern)
	mux := http.NewServeMux() // in which nothing can be undone
	for pattern, h := range m.handlers {
		mux.Handle(pattern, h)
	}
	m.mux.Store(mux)
	return nil
}

// ServeHTTP calls the handler for the request, or answers with 404 or 405.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if mux := m.mux.Load(); mux != nil {
		mux.ServeHTTP(w, r)
		return
	}
	http.NotFound(w, r)
}

// register is mux.Handle with an error instead of a panic.
func register(mux *http.ServeMux, pattern string, h http.Handler) (err error) {
	defer func() {
		if v := recover(); v != nil {
			why := fmt.Sprint(v)
			if _, conflict, ok := strings.Cut(why, ":\n"); ok { // before it are lines of this file
				why = strings.ReplaceAll(conflict, "\n", " ")
			}
			err = fmt.Errorf("websocket: Attach(%q): %s", pattern, why)
		}
	}()
	mux.Handle(pattern, h)
	return nil
}
