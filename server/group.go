package server

import (
	"context"
	"iter"
	"maps"
	"net/http"
	"slices"
	"sync"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
)

// A Group is a set of connections that can be counted, visited and shut down
// together. The zero value is ready. Name it in Options.Group under an
// http.Server of your own, and call its Shutdown with that of the server:
// http.Server.Shutdown does not know of WebSocket connections.
type Group struct {
	// Max is the most connections there may be; handshakes beyond it are
	// refused with 503. 0: no limit. Set it before use.
	Max int

	mu      sync.Mutex
	entered int                // handshakes accepted whose connection is not over
	conns   map[*conn.Conn]int // holds that keep it here
	closing bool
	empty   chan struct{} // closed when entered falls to 0 after closing
}

// Len returns how many connections there are.
func (g *Group) Len() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.conns)
}

// All returns the connections there are at the call.
func (g *Group) All() iter.Seq[*conn.Conn] {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Values(slices.Collect(maps.Keys(g.conns)))
}

// Shutdown refuses new connections from now on, closes those there are with 1001
// (§7.4.1: "going away"), and waits until all are over, the callbacks of a Service
// included. When ctx ends first, it cuts those that are left and returns ctx's
// error.
func (g *Group) Shutdown(ctx context.Context) error {
	g.mu.Lock()
	g.closing = true
	if g.empty == nil {
		g.empty = make(chan struct{})
		g.tellIfEmpty()
	}
	empty := g.empty
	g.mu.Unlock()
	for c := range g.All() {
		go c.Close(frame.CloseGoingAway, "server is shutting down")
	}
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
	}
	for c := range g.All() {
		c.CloseNow()
	}
	return ctx.Err()
}

var (
	errShutdown = &Rejection{Status: http.StatusServiceUnavailable, Body: "server is shutting down"}
	errFull     = &Rejection{Status: http.StatusServiceUnavailable, Header: http.Header{"Retry-After": {"10"}}, Body: "too many connections"}
)

// enter makes room for a connection before its handshake is answered.
func (g *Group) enter() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.closing:
		return errShutdown
	case g.Max > 0 && g.entered >= g.Max:
		return errFull
	}
	g.entered++
	return nil
}

// cancel undoes enter, where no connection came of it.
func (g *Group) cancel() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.entered--
	g.tellIfEmpty()
}

// hold keeps c in the group until it is let go as often as it is held. The first
// of them may come in the wrong order, for a connection that ends at once.
func (g *Group) hold(c *conn.Conn)  { g.count(c, +1) }
func (g *Group) letGo(c *conn.Conn) { g.count(c, -1) }

func (g *Group) count(c *conn.Conn, change int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.conns == nil {
		g.conns = make(map[*conn.Conn]int)
	}
	if g.conns[c] += change; g.conns[c] == 0 {
		delete(g.conns, c)
		g.entered--
		g.tellIfEmpty()
	}
}

func (g *Group) tellIfEmpty() {
	if g.closing && g.entered == 0 {
		select {
		case <-g.empty:
		default:
			close(g.empty)
		}
	}
}

// groupList are the groups that one connection belongs to.
type groupList []*Group

func (l groupList) enter() error {
	for i, g := range l {
		if err := g.enter(); err != nil {
			l[:i].cancel()
			return err
		}
	}
	return nil
}

func (l groupList) cancel() {
	for _, g := range l {
		g.cancel()
	}
}

func (l groupList) hold(c *conn.Conn) {
	for _, g := range l {
		g.hold(c)
	}
}

func (l groupList) letGo(c *conn.Conn) {
	for _, g := range l {
		g.letGo(c)
	}
}
