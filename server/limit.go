package server

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/swan-ws/websocket/conn"
)

var errCrowded = &Rejection{
	Status: http.StatusTooManyRequests,
	Header: http.Header{"Retry-After": {"10"}},
	Body:   "too many connections from your address",
}

// A crowd counts a Server's connections by where they come from, from their first
// byte on: those that never finish a request take up as much as others.
type crowd struct {
	max int
	log *slog.Logger

	mu     sync.Mutex
	homes  map[netip.Prefix]*home
	places map[net.Conn]*place // of connections that are net/http's
}

// A home is where connections come from, as long as there are any.
type home struct {
	conns int
	told  bool // the log knows that they are too many
}

func newCrowd(max int, log *slog.Logger) *crowd {
	return &crowd{max: max, log: log, homes: make(map[netip.Prefix]*home), places: make(map[net.Conn]*place)}
}

// limited returns l without the connections that are too many by far.
func (s *Server) limited(l net.Listener) net.Listener {
	if s.crowd == nil {
		return l
	}
	return crowdListener{l, s.crowd}
}

type crowdListener struct {
	net.Listener
	crowd *crowd
}

func (l crowdListener) Accept() (net.Conn, error) {
	for {
		nc, err := l.Listener.Accept()
		if err != nil || l.crowd.admit(nc) {
			return nc, err
		}
		nc.Close()
	}
}

// admit gives nc a place, and reports whether there was one.
func (a *crowd) admit(nc net.Conn) bool {
	from, ok := homeOf(nc.RemoteAddr())
	if !ok {
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	h := a.homes[from]
	if h == nil {
		h = new(home)
		a.homes[from] = h
	}
	if h.conns >= a.max && !h.told {
		h.told = true
		a.log.Warn("websocket: too many connections from one address", "from", from, "limit", a.max)
	}
	if h.conns >= 2*a.max {
		return false
	}
	h.conns++
	p := &place{crowd: a, from: from, over: h.conns > a.max}
	p.holders.Store(1)
	a.places[bare(nc)] = p
	return true
}

// homeOf returns the network that an address is counted with. Whoever has an IPv6
// address has the whole /64 around it.
func homeOf(addr net.Addr) (netip.Prefix, bool) {
	ap, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return netip.Prefix{}, false // not IP
	}
	ip, bits := ap.Addr().Unmap(), 32
	if ip.Is6() {
		bits = 64
	}
	p, err := ip.Prefix(bits) // which drops the zone
	return p, err == nil
}

// bare returns the connection below TLS, and below what a front has begun.
func bare(nc net.Conn) net.Conn {
	switch c := nc.(type) {
	case *tls.Conn:
		return c.NetConn()
	case *begun:
		return c.Conn
	case *caller:
		return c.eventSocket
	}
	return nc
}

type placeKey struct{}

// context is an http.Server.ConnContext.
func (a *crowd) context(ctx context.Context, nc net.Conn) context.Context {
	return context.WithValue(ctx, placeKey{}, a.placeOf(nc))
}

func (a *crowd) placeOf(nc net.Conn) *place {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.places[bare(nc)]
}

// rename has what was from before go by the name of to.
func (a *crowd) rename(from, to net.Conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p := a.places[bare(from)]; p != nil {
		delete(a.places, bare(from))
		a.places[to] = p
	}
}

// state is an http.Server.ConnState.
func (a *crowd) state(nc net.Conn, state http.ConnState) {
	if state != http.StateClosed && state != http.StateHijacked {
		return
	}
	a.mu.Lock()
	p := a.places[bare(nc)]
	delete(a.places, bare(nc))
	a.mu.Unlock()
	if p != nil {
		p.cancel()
	}
}

func placeOf(r *http.Request) *place {
	p, _ := r.Context().Value(placeKey{}).(*place)
	return p
}

// A place is that of one connection in a crowd. net/http holds it until the
// connection is closed or hijacked, and as a member the WebSocket connection until
// it is over.
type place struct {
	crowd   *crowd
	from    netip.Prefix
	over    bool // one too many
	holders atomic.Int32
	once    sync.Once
}

func (p *place) enter() error {
	p.holders.Add(1)
	return nil
}

func (p *place) cancel() {
	if p.holders.Add(-1) == 0 {
		p.once.Do(p.free)
	}
}

// hold may come after the first letGo, and find the place free by then.
func (p *place) hold(_ *conn.Conn, n int) { p.holders.Add(int32(n) - 1) }

func (p *place) letGo(*conn.Conn) { p.cancel() }

func (p *place) free() {
	a := p.crowd
	a.mu.Lock()
	defer a.mu.Unlock()
	h := a.homes[p.from]
	if h.conns--; h.conns == 0 {
		delete(a.homes, p.from)
	}
}

// A member is told of a connection's life: a Group, or its place in the crowd.
type member interface {
	enter() error             // there may be a connection
	cancel()                  // there is none
	hold(c *conn.Conn, n int) // there is, until it was let go n times
	letGo(c *conn.Conn)
}
