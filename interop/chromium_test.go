//go:build interop

package interop

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/swan-ws/websocket"
)

func TestChromium(t *testing.T) {
	g, tb := browserGuest(t)
	g.visit = func(t *testing.T, h *host) { g.load(t, tb, h.url("http", "/page.html")) }
	converse(t, g)
	t.Run("Compression", func(t *testing.T) { compressed(t, g) })
	t.Run("Page of another site is refused", func(t *testing.T) { g.otherSite(t, tb) })
	t.Run("Header of a page", func(t *testing.T) {
		m := g.meet(t, terms{})
		if !strings.HasPrefix(m.sent.Get("Origin"), "http://127.0.0.1:") || !strings.Contains(m.sent.Get("User-Agent"), "Chrom") {
			t.Errorf("header: %v", m.sent)
		}
	})
	t.Run("Tab that is closed says 1001", func(t *testing.T) { tabCloses(t, g, tb, websocket.CloseGoingAway) })
}

func tabCloses(t *testing.T, g *guest, tb *tab, want websocket.CloseCode) {
	t.Helper()
	m := g.meet(t, terms{})
	tb.must(t, "", "Target.closeTarget", map[string]any{"targetId": tb.target}, nil)
	if _, err := m.ours.Read(m.ctx); websocket.CloseStatus(err) != want {
		t.Errorf("we saw %v, want %d", err, want)
	}
}

// browserGuest starts a browser and makes a tab of it a guest.
func browserGuest(t *testing.T, flags ...string) (*guest, *tab) {
	t.Helper()
	b := startBrowser(t, flags...)
	var version struct{ Product string }
	b.must(t, "", "Browser.getVersion", nil, &version)
	t.Log(version.Product)
	p := &peer{events: make(chan event, 4096)}
	tb := b.open(t, p.report)
	tb.must(t, tb.session, "Runtime.addBinding", map[string]any{"name": "report"}, nil)
	p.send = func(line []byte) error { return tb.run(t.Context(), "peer.do("+string(line)+")", nil) }
	return &guest{name: "Chromium", peer: p}, tb
}

// report is told of all that happens in the tab.
func (p *peer) report(method string, params json.RawMessage) {
	if method != "Runtime.bindingCalled" {
		return
	}
	var call struct{ Name, Payload string }
	var e event
	if json.Unmarshal(params, &call) != nil || json.Unmarshal([]byte(call.Payload), &e) != nil {
		e = event{On: "no event: " + string(params), N: -1}
	}
	p.events <- e
}

// load opens the page in which the guest lives.
func (g *guest) load(t *testing.T, tb *tab, url string) {
	t.Helper()
	tb.visit(t, url)
	for g.next(t, "ready").On != "ready" { // the page before ended
	}
}

// otherSite has a page dial a server that it does not come from.
func (g *guest) otherSite(t *testing.T, tb *tab) {
	tests := []struct {
		name    string
		origins func(page string) []string
		page    func(page *host, target *host) string
		ok      bool
	}{
		{"other port", nil, func(page, _ *host) string { return page.addr }, false},
		{"other name of the same host", nil, func(_, target *host) string {
			return strings.Replace(target.addr, "127.0.0.1", "localhost", 1)
		}, false},
		{"other port that is allowed", func(page string) []string { return []string{page} },
			func(page, _ *host) string { return page.addr }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			page := newHost(t, nil)
			asked := make(chan bool, 1)
			o := &websocket.AcceptOptions{Check: func(*http.Request) error { asked <- true; return nil }}
			if tt.origins != nil {
				o.Origins = tt.origins(page.addr)
			}
			target := newHost(t, o)
			g.load(t, tb, "http://"+tt.page(page, target)+"/page.html")
			g.n++
			g.do(t, command{Do: "dial", N: g.n, URL: "ws://" + target.addr + "/socket"})
			a := target.wait(t)
			if tt.ok {
				if a.err != nil {
					t.Fatal(a.err)
				}
				defer a.conn.CloseNow()
				g.want(t, "open")
				return
			}
			g.want(t, "error")
			g.wantClose(t, websocket.CloseAbnormal, "")
			if a.err == nil || len(asked) > 0 {
				t.Errorf("Accept: %v; Check was called: %v", a.err, len(asked) > 0)
			}
		})
	}
}
