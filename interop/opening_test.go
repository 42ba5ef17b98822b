//go:build interop

package interop

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/swan-ws/websocket"
)

func subprotocolIsAgreed(t *testing.T, g *guest) {
	m := g.meet(t, terms{protocols: []string{"goose.v2", "swan.v1"}})
	if m.open.Protocol != "swan.v1" || m.ours.Subprotocol() != "swan.v1" {
		t.Errorf("peer agreed on %q, we on %q", m.open.Protocol, m.ours.Subprotocol())
	}
}

func noSubprotocol(t *testing.T, g *guest) {
	m := g.meet(t, terms{})
	if m.open.Protocol != "" || m.ours.Subprotocol() != "" {
		t.Errorf("peer agreed on %q, we on %q", m.open.Protocol, m.ours.Subprotocol())
	}
	m.there(t, websocket.Text, "swan")
}

func headersArrive(t *testing.T, g *guest) {
	m := g.meet(t, terms{header: map[string]string{"X-Swan": "mute; whooper"}})
	if got := m.open.Headers["x-swan"]; got != "mute; whooper" {
		t.Errorf("peer got X-Swan: %q", got)
	}
	if g.port != 0 {
		if m.sent.Get("X-Peer") == "" {
			t.Errorf("the server's X-Peer did not arrive: %v", m.sent)
		}
	} else if got := m.sent.Get("X-Swan"); got != "mute; whooper" {
		t.Errorf("the client's X-Swan arrived as %q", got)
	}
}

func refusal(t *testing.T, g *guest) {
	if g.port != 0 {
		theyRefuse(t, g)
		return
	}
	t.Run("by Check", func(t *testing.T) {
		h := g.newHost(t, nil, &websocket.AcceptOptions{Check: func(r *http.Request) error {
			return &websocket.Rejection{
				Status: http.StatusUnauthorized,
				Header: http.Header{"WWW-Authenticate": {`Basic realm="swan"`}},
				Body:   "log in first",
			}
		}})
		g.wantRefusal(t, h, command{}, http.StatusUnauthorized, "log in first")
		if a := h.wait(t); a.err == nil || !strings.Contains(a.err.Error(), "401") {
			t.Errorf("Accept: %v", a.err)
		}
	})
	if !g.library {
		return // see TestChromium for the Origin of pages
	}
	t.Run("of another site", func(t *testing.T) {
		h := g.newHost(t, nil, &websocket.AcceptOptions{Check: func(r *http.Request) error {
			t.Error("Check was called")
			return nil
		}})
		g.wantRefusal(t, h, command{Origin: "https://goose.example"}, http.StatusForbidden, "goose.example")
	})
	t.Run("not of the same site", func(t *testing.T) {
		h := g.newHost(t, nil, nil)
		g.n++
		g.dial(t, h, command{Origin: h.url("http", "")})
		a := h.wait(t)
		if a.err != nil {
			t.Fatal(a.err)
		}
		g.want(t, "open")
		a.conn.CloseNow()
	})
}

// wantRefusal makes the guest dial h in vain. Browsers do not say why to pages.
func (g *guest) wantRefusal(t *testing.T, h *host, c command, status int, body string) {
	t.Helper()
	g.n++
	g.dial(t, h, c)
	if !g.library {
		g.want(t, "error")
		return
	}
	e := g.want(t, "refused")
	if e.Status != status {
		t.Errorf("peer was refused with %d, want %d", e.Status, status)
	}
	if status == http.StatusUnauthorized && e.Headers["www-authenticate"] == "" {
		t.Errorf("peer saw no WWW-Authenticate: %v", e.Headers)
	}
	// Not every client reads it.
	if e.Body != "" && !strings.Contains(e.Body, body) {
		t.Errorf("peer read %q, want %q in it", e.Body, body)
	}
}

func theyRefuse(t *testing.T, g *guest) {
	c, resp, err := websocket.Dial(bounded(t), g.url("/refuse", g.port), &websocket.DialOptions{HTTP2: g.via})
	if err == nil {
		c.CloseNow()
		t.Fatal("Dial opened a connection")
	}
	e, ok := errors.AsType[*websocket.HandshakeError](err)
	if !ok || e.Status != http.StatusUnauthorized || string(e.Body) != "log in first" ||
		e.Header.Get("WWW-Authenticate") == "" || resp.StatusCode != e.Status {
		t.Errorf("Dial: %v; want 401, its header and its body", err)
	}
}
