package server

import (
	"context"
	"iter"
	"net/http"
	"slices"
	"sync"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
)

// A Group is a set of connections that can be counted, visited and shut down
// together. The zero value is ready. Name it in Options.Group under an
// http.Server of your own, and call its Shutdown before that of the server:
// http.Server.Shutdown tells no WebSocket connection, and waits for those that came
// over HTTP/2. To send something to many connections there is package hub.
type Group struct {
	// Max is the most connections there may be; handshakes beyond it are
	// refused with 503. 0: no limit. Set it before use.
	Max int

	mu      sync.Mutex
	entered int     // handshakes accepted whose connection is not over
	seats   []*seat // of connections, in no order
	closing bool
	empty   chan struct{} // closed when entered falls to 0 after closing
}

// Len returns how many connections there are.
func (g *Group) Len() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.seats)
}

// All returns the connections there are at the call.
func (g *Group) All() iter.Seq[*conn.Conn] {
	g.mu.Lock()
	defer g.mu.Unlock()
	conns := make([]*conn.Conn, len(g.seats))
	for i, s := range g.seats {
		conns[i] = s.c
	}
	return slices.Values(conns)
}

// Shutdown refuses new connections from now on, closes those there are with 1001
// (§7.4.1: "going away"), and waits until all are over, the callbacks of a Service
// included. When ctx ends first, it cuts those that are left and returns ctx's
// error.
func (g *Group) Shutdown(ctx context.Context) error {
	empty := g.shut()
	for c := range g.All() {
		go goAway(c)
	}
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		g.cut()
		return ctx.Err()
	}
}

// shut refuses new connections and returns a channel that is closed when those
// there are are over.
func (g *Group) shut() (empty <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closing = true
	if g.empty == nil {
		g.empty = make(chan struct{})
		g.tellIfEmpty()
	}
	return g.empty
}

// cut is Shutdown without a goodbye.
func (g *Group) cut() {
	g.shut()
	for c := range g.All() {
		c.CloseNow()
	}
}

var (
	errShutdown = &Rejection{Status: http.StatusServiceUnavailable, Body: "server is shutting down"}
	errFull     = &Rejection{Status: http.StatusServiceUnavailable, Header: http.Header{"Retry-After": {"10"}}, Body: "too many connections"}
)

// A seat is that of one connection in a Group. It knows where it is: connections end
// deep down on small stacks, which a map would make grow.
type seat struct {
	g    *Group     // nil: there is none, and nothing to do
	c    *conn.Conn // nil: it is not among g's seats
	at   int32
	left int32 // how often c has yet to be let go
}

// enter makes room for a connection before its handshake is answered.
func (s *seat) enter() error {
	g := s.g
	if g == nil {
		return nil
	}
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
func (s *seat) cancel() {
	g := s.g
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.entered--
	g.tellIfEmpty()
}

// hold keeps c in the group until it has been let go n times. The first of them
// may come before, from a connection that ends at once.
func (s *seat) hold(c *conn.Conn, n int) {
	g := s.g
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if s.left+int32(n) > 0 {
		s.c, s.at = c, int32(len(g.seats))
		g.seats = append(g.seats, s)
	}
	s.count(int32(n))
	if g.closing { // Shutdown came during the handshake and has not seen c
		go goAway(c)
	}
}

func (s *seat) letGo(*conn.Conn) {
	if s.g == nil {
		return
	}
	s.g.mu.Lock()
	defer s.g.mu.Unlock()
	s.count(-1)
}

func goAway(c *conn.Conn) { c.Close(frame.CloseGoingAway, "server is shutting down") }

func (s *seat) count(change int32) {
	if s.left += change; s.left != 0 {
		return
	}
	g := s.g
	if s.c != nil { // the last one takes its place
		last := len(g.seats) - 1
		g.seats[last].at = s.at
		g.seats[s.at], g.seats[last] = g.seats[last], nil
		g.seats = g.seats[:last]
	}
	g.entered--
	g.tellIfEmpty()
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

// seats are those of one connection, which is in one group as a rule, and what else
// counts it.
type seats struct {
	first  seat
	others []member
}

// add adds a seat in g.
func (s *seats) add(g *Group) {
	if s.first.g == nil {
		s.first.g = g
	} else {
		s.others = append(s.others, &seat{g: g})
	}
}

func (s *seats) enter() error {
	if err := s.first.enter(); err != nil {
		return err
	}
	for i, m := range s.others {
		if err := m.enter(); err != nil {
			(&seats{s.first, s.others[:i]}).cancel()
			return err
		}
	}
	return nil
}

func (s *seats) cancel() {
	s.first.cancel()
	for _, m := range s.others {
		m.cancel()
	}
}

func (s *seats) hold(c *conn.Conn, n int) {
	s.first.hold(c, n)
	for _, m := range s.others {
		m.hold(c, n)
	}
}

func (s *seats) letGo(c *conn.Conn) {
	s.first.letGo(c)
	for _, m := range s.others {
		m.letGo(c)
	}
}
