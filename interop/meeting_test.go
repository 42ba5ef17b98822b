//go:build interop

package interop

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os/exec"
	"testing"

	"github.com/swan-ws/websocket"
	deflate "github.com/swan-ws/websocket/permessage-deflate"
)

// A guest is a kind of peer.
type guest struct {
	name string
	*peer
	// library: it can do what browsers cannot: Pings, fragments, headers, any
	// close code, any bytes.
	library bool
	// Where it listens, and where it takes no more than 1000 bytes a message. 0:
	// it is a client.
	port, small int
	// compression is what our end wants if the terms do not say.
	compression deflate.Options
	// visit, if set, is called before it dials a server of ours.
	visit func(t *testing.T, h *host)
	// via, if set, takes our requests to a server, and host makes what a client comes
	// to: see TestHTTP2.
	via  http.RoundTripper
	host func(t *testing.T, o *websocket.AcceptOptions) *host
}

// guests are those that are scripts; Chromium comes on its own.
var guests = []struct {
	name    string
	library bool
	command func(t *testing.T) *exec.Cmd
}{
	{"Node", false, func(t *testing.T) *exec.Cmd { return node(t, "builtin") }},
	{"ws client", true, func(t *testing.T) *exec.Cmd { return node(t, "client") }},
	{"ws server", true, func(t *testing.T) *exec.Cmd { return node(t, "server") }},
	{"Python client", true, func(t *testing.T) *exec.Cmd { return python(t, "client") }},
	{"Python server", true, func(t *testing.T) *exec.Cmd { return python(t, "server") }},
}

func TestGuests(t *testing.T) {
	for _, g := range guests {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			p, ready := runPeer(t, g.command(t))
			g := &guest{name: g.name, peer: p, library: g.library, port: ready.Port, small: ready.Small}
			converse(t, g)
			t.Run("Compression", func(t *testing.T) { compressed(t, g) })
		})
	}
}

func node(t *testing.T, role string) *exec.Cmd {
	path := tool(t, "node")
	args := []string{"testdata/node.js", role}
	has := func(expression string, flags ...string) bool {
		return exec.Command(path, append(flags, "-e", expression)...).Run() == nil
	}
	switch experimental := "--experimental-websocket"; {
	case role != "builtin":
		if !has("require('./node_modules/ws')") {
			missing(t, "package ws for node is missing: interop/setup.sh installs it")
		}
	case has("WebSocket"): // from 22 on
	case has("WebSocket", experimental):
		args = append([]string{experimental, "--no-warnings"}, args...)
	default:
		missing(t, "node has no WebSocket of its own: install 20.10 or later")
	}
	return exec.Command(path, args...)
}

func python(t *testing.T, role string) *exec.Cmd {
	path := tool(t, "/usr/bin/python3") // Debian's own knows Debian's packages
	if err := exec.Command(path, "-c", "import websockets").Run(); err != nil {
		missing(t, "python3-websockets is missing: interop/setup.sh installs it")
	}
	return exec.Command(path, "testdata/peer.py", role)
}

// terms are what a meeting is to be like.
type terms struct {
	conn      websocket.ConnOptions // of our end
	max       int                   // the longest message the peer takes; 0: it decides, -1: 1000
	protocols []string              // that the client offers
	header    map[string]string     // that we send, and a client that is no browser
	deflate   map[string]any        // what the peer's library is told of compression
	meter     *meter                // of our end
}

// A meeting is one connection, ours at one end, a peer's at the other.
type meeting struct {
	ctx  context.Context
	ours *websocket.Conn
	*peer
	open event       // what the peer saw of the handshake
	sent http.Header // what we saw of the peer's
}

// meet opens a connection between us and the guest, whoever is the client.
func (g *guest) meet(t *testing.T, with terms) *meeting {
	t.Helper()
	g.n++
	m := &meeting{ctx: bounded(t), peer: g.peer}
	if with.conn.Compression == (deflate.Options{}) {
		with.conn.Compression = g.compression
	}
	if g.port != 0 {
		port := g.port
		if with.max != 0 {
			port = g.small
		}
		if with.deflate != nil {
			g.do(t, command{Do: "listen", N: g.n, Deflate: with.deflate})
			port = g.want(t, "listening").Port
		}
		c, resp, err := websocket.Dial(m.ctx, g.url("/", port), &websocket.DialOptions{
			Conn: with.conn, Subprotocols: with.protocols, Header: header(with.header), DialContext: with.meter.dial, HTTP2: g.via,
		})
		if err != nil {
			t.Fatal(err)
		}
		m.ours, m.sent = c, resp.Header
	} else {
		h := g.newHost(t, with.meter, &websocket.AcceptOptions{
			Conn: with.conn, Subprotocols: []string{"swan.v1"}, Header: header(with.header),
		})
		g.dial(t, h, command{Protocols: with.protocols, Headers: with.header, Max: with.max, Deflate: with.deflate})
		a := h.wait(t)
		if a.err != nil {
			t.Fatal(a.err)
		}
		m.ours, m.sent = a.conn, a.request.Header
	}
	t.Cleanup(func() { m.ours.CloseNow() })
	m.open = g.want(t, "open")
	return m
}

// newHost is where the guest, a client, is to come to.
func (g *guest) newHost(t *testing.T, m *meter, o *websocket.AcceptOptions) *host {
	t.Helper()
	if g.host != nil {
		return g.host(t, o)
	}
	return newMeteredHost(t, m, o)
}

// dial makes the guest, a client, dial h.
func (g *guest) dial(t *testing.T, h *host, c command) {
	t.Helper()
	if g.visit != nil {
		g.visit(t, h)
	}
	c.Do, c.N, c.URL = "dial", g.n, h.url("ws", "/socket")
	if !g.library {
		c.Headers, c.Max = nil, 0
	}
	g.do(t, c)
}

func (g *guest) url(path string, port int) string {
	return fmt.Sprintf("ws://127.0.0.1:%d%s?n=%d", port, path, g.n)
}

func header(fields map[string]string) http.Header {
	h := http.Header{}
	for name, value := range fields {
		h.Set(name, value)
	}
	return h
}

// read returns the next message that the peer sends.
func (m *meeting) read(t *testing.T) websocket.Message {
	t.Helper()
	message, err := m.ours.Read(m.ctx)
	if err != nil {
		t.Fatal(err)
	}
	return message
}

// reading reads in the background and hands over the error that ends it.
func reading(ctx context.Context, c *websocket.Conn) <-chan error {
	end := make(chan error, 1)
	go func() {
		var last error
		for _, last = range c.Messages(ctx) {
		}
		end <- last // when nobody reads any more
	}()
	return end
}

// A host is a server of ours that hands over what it accepts at /socket, and
// serves the files of testdata elsewhere.
type host struct {
	*websocket.Server
	addr     string
	secure   bool // it speaks TLS
	clear2   bool // it speaks HTTP/2 without
	arrivals chan arrival
}

// url has the scheme, "ws" or "http", with an "s" if need be.
func (h *host) url(scheme, path string) string {
	if h.secure {
		scheme += "s"
	}
	return scheme + "://" + h.addr + path
}

type arrival struct {
	conn    *websocket.Conn
	request *http.Request
	err     error
}

func newHost(t *testing.T, o *websocket.AcceptOptions) *host {
	t.Helper()
	return newMeteredHost(t, nil, o)
}

func newMeteredHost(t *testing.T, m *meter, o *websocket.AcceptOptions) *host {
	t.Helper()
	return newHostBy(t, o, func(h *host, l net.Listener) error { return h.Serve(m.listener(l)) })
}

// newHostBy has serve decide how it is served.
func newHostBy(t *testing.T, o *websocket.AcceptOptions, serve func(*host, net.Listener) error) *host {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &host{addr: l.Addr().String(), arrivals: make(chan arrival, 16)}
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir("testdata")))
	mux.HandleFunc("/socket", func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, o)
		h.arrivals <- arrival{c, r, err}
	})
	h.Server = &websocket.Server{Handler: mux, Logger: slog.New(slog.DiscardHandler)}
	served := make(chan error)
	go func() { served <- serve(h, l) }()
	t.Cleanup(func() {
		h.Close()
		<-served
	})
	return h
}

// wait returns the next handshake that came to an end.
func (h *host) wait(t *testing.T) arrival {
	t.Helper()
	select {
	case a := <-h.arrivals:
		return a
	case <-bounded(t).Done():
		t.Fatal("no handshake came")
	}
	panic("unreachable")
}
