//go:build interop

package interop

//lint:file-ignore SA1019 net/http's Transport does not take ":protocol".

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"

	"github.com/swan-ws/websocket"
	_ "github.com/swan-ws/websocket/http2" // for all hosts of these tests
)

// TestHTTP2 is about connections over HTTP/2 (RFC 8441), at both ends or at ours.
func TestHTTP2(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		keep func(t *testing.T)
	}{
		{"Chromium", http2Chromium},
		{"ws client", http2Client},
		{"ws server", http2Server},
		{"Hypercorn", http2Hypercorn},
		{"HAProxy", http2HAProxy},
		{"HAProxy, a page", http2HAProxyPage},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.keep(t)
		})
	}
}

func http2Client(t *testing.T) {
	p, _ := runPeer(t, node(t, "client2"))
	keepOverHTTP2(t, &guest{name: "ws client", peer: p, library: true, host: newHTTP2Host})
}

func http2Server(t *testing.T) {
	p, ready := runPeer(t, node(t, "server2"))
	keepOverHTTP2(t, &guest{name: "ws server", peer: p, library: true, port: ready.Port, small: ready.Small, via: transport(t, nil)})
}

// keepOverHTTP2 keeps the promises without compression, for the most data.
func keepOverHTTP2(t *testing.T, g *guest) {
	g.compression = off
	keepPromises(t, g)
	t.Run("Compression", func(t *testing.T) {
		m := g.meet(t, terms{conn: websocket.ConnOptions{Compression: takeover}})
		wantAgreement(t, g, m, "")
		for _, s := range samples {
			m.there(t, s.Type, string(s.Data))
			m.back(t, s.Type, string(s.Data))
		}
	})
	if g.library {
		t.Run("Ends of streams", func(t *testing.T) { endsOfStreams(t, g) })
	}
}

// endsOfStreams looks at what the peer's HTTP/2 saw: an end in order, as TCP's is (RFC
// 8441 §5).
func endsOfStreams(t *testing.T, g *guest) {
	for _, tt := range []struct {
		name string
		end  func(t *testing.T, m *meeting)
		code websocket.CloseCode // that both saw
	}{
		{"Close", func(t *testing.T, m *meeting) { m.ours.Close(websocket.CloseNormal, "") }, websocket.CloseNormal},
		{"CloseNow", func(t *testing.T, m *meeting) { m.ours.CloseNow() }, websocket.CloseAbnormal},
		{"END_STREAM of theirs", func(t *testing.T, m *meeting) { m.do(t, command{Do: "end"}) }, websocket.CloseAbnormal},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := g.meet(t, terms{})
			end := reading(m.ctx, m.ours)
			tt.end(t, m)
			if err := <-end; websocket.CloseStatus(err) != tt.code {
				t.Errorf("we saw %v, want %d", err, tt.code)
			}
			m.wantClose(t, tt.code, "")
			m.do(t, command{Do: "reset"})
			if e := m.want(t, "reset"); http2.ErrCode(e.Code) != http2.ErrCodeNo {
				t.Errorf("the stream ended with %v", http2.ErrCode(e.Code))
			}
		})
	}
}

func http2Chromium(t *testing.T) {
	g, tb := browserGuest(t, "--ignore-certificate-errors")
	g.host = newHTTP2Host
	g.visit = func(t *testing.T, h *host) { g.load(t, tb, h.url("http", "/page.html")) }
	keepOverHTTP2(t, g)
	t.Run("Refusal leaves the page its TCP connection", func(t *testing.T) {
		var asked atomic.Int32
		h := newHTTP2Host(t, &websocket.AcceptOptions{Check: func(*http.Request) error {
			if asked.Add(1) == 1 {
				return &websocket.Rejection{Status: http.StatusForbidden}
			}
			return nil
		}})
		g.wantRefusal(t, h, command{}, http.StatusForbidden, "")
		g.wantClose(t, websocket.CloseAbnormal, "")
		if a := h.wait(t); a.err == nil {
			t.Error("Accept has not refused")
		}
		var status int
		err := tb.run(bounded(t), `fetch("/peer.js", {cache: "no-store"}).then(r => r.status)`, &status)
		if err != nil || status != http.StatusOK {
			t.Errorf("what the page asks for next: %d, %v", status, err)
		}
		g.n++
		g.do(t, command{Do: "dial", N: g.n, URL: h.url("ws", "/socket")})
		g.want(t, "open")
		h.wait(t).conn.CloseNow()
	})
	t.Run("Shutdown", func(t *testing.T) {
		h := newHTTP2Host(t, nil)
		g.n++
		g.dial(t, h, command{})
		a := h.wait(t)
		g.want(t, "open")
		end := reading(bounded(t), a.conn)
		if err := h.Shutdown(bounded(t)); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		g.wantClose(t, websocket.CloseGoingAway, "server is shutting down")
		<-end
	})
	// Over HTTP/1.1 it sends a Close with 1001 before.
	t.Run("Tab that is closed resets the stream", func(t *testing.T) { tabCloses(t, g, tb, websocket.CloseAbnormal) })
}

// http2Hypercorn is with an echo, of whose connections each has a TCP connection of
// its own.
func http2Hypercorn(t *testing.T) {
	path := tool(t, "/usr/bin/python3")
	if err := exec.Command(path, "-c", "import hypercorn").Run(); err != nil {
		missing(t, "python3-hypercorn is missing: interop/setup.sh installs it")
	}
	p, ready := runPeer(t, exec.Command(path, "testdata/http2.py"))
	url := fmt.Sprintf("ws://127.0.0.1:%d", ready.Port)
	t.Run("Close of ours", func(t *testing.T) {
		c := dialEcho(t, url+"/?n=1")
		if err := c.Close(3000, "enough"); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	t.Run("Close of theirs", func(t *testing.T) {
		c := dialEcho(t, url+"/?n=2")
		if err := c.WriteText(bounded(t), "close 3001 had enough"); err != nil {
			t.Fatal(err)
		}
		_, err := c.Read(bounded(t))
		if e, ok := errors.AsType[*websocket.CloseError](err); !ok || e.Code != 3001 || e.Reason != "had enough" || !e.Remote {
			t.Errorf("we saw %v, want 3001 by peer", err)
		}
	})
	t.Run("CloseNow", func(t *testing.T) {
		p.n = 3
		dialEcho(t, url+"/?n=3").CloseNow()
		if e := p.want(t, "close"); e.Code != websocket.CloseAbnormal {
			t.Errorf("peer saw %d, want 1006", e.Code)
		}
	})
	t.Run("Refusal", func(t *testing.T) {
		_, _, err := websocket.Dial(bounded(t), url+"/refuse", &websocket.DialOptions{HTTP2: transport(t, nil)})
		if e, ok := errors.AsType[*websocket.HandshakeError](err); !ok || e.Status != http.StatusForbidden {
			t.Errorf("Dial: %v, want 403", err)
		}
	})
}

// dialEcho returns a connection that has proved itself.
func dialEcho(t *testing.T, url string) *websocket.Conn {
	t.Helper()
	c, resp, err := websocket.Dial(bounded(t), url, &websocket.DialOptions{
		HTTP2: transport(t, nil), Subprotocols: []string{"goose.v2", "swan.v1"}, Conn: websocket.ConnOptions{Compression: takeover},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow() })
	agreed := resp.Header.Get("Sec-WebSocket-Extensions")
	if resp.Header.Get("X-Http-Version") != "2" || c.Subprotocol() != "swan.v1" || !strings.HasPrefix(agreed, "permessage-deflate") {
		t.Errorf("response %s %v", resp.Proto, resp.Header)
	}
	for _, s := range samples {
		if err := c.Write(bounded(t), s.Type, s.Data); err != nil {
			t.Fatal(err)
		}
		m, err := c.Read(bounded(t))
		if err != nil {
			t.Fatal(err)
		}
		wantMessage(t, m, s.Type, string(s.Data))
	}
	return c
}

// http2HAProxy has HTTP/2 behind the proxy, and in front of it what we choose.
func http2HAProxy(t *testing.T) {
	h := newClearHTTP2Host(t, &websocket.AcceptOptions{Conn: pings})
	p := startHAProxy(t, h)
	for _, tt := range []struct {
		name, url, front string
		via              http.RoundTripper
	}{
		{"in the clear", "ws://" + p.Plain + "/socket", "2", transport(t, nil)},
		{"over TLS", "wss://" + p.Secure + "/socket", "2", transport(t, p.roots)},
		{"from HTTP/1.1", "ws://" + p.Plain + "/socket", "1", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, end := range []func(t *testing.T, from, to *websocket.Conn){closeCrosses, closeNowCrosses} {
				for _, clients := range []bool{true, false} {
					s, c := crossTo(t, h, tt.url, &websocket.DialOptions{HTTP2: tt.via})
					wantFront(t, s, tt.front)
					pass(t, c, s.conn, 1<<20)
					pass(t, s.conn, c, 1<<20)
					if clients {
						end(t, c, s.conn)
					} else {
						end(t, s.conn, c)
					}
				}
			}
			refusalCrosses(t, tt.url, tt.via)
			h.wait(t)
		})
	}
}

func closeNowCrosses(t *testing.T, from, to *websocket.Conn) {
	t.Helper()
	end := reading(bounded(t), to)
	from.CloseNow()
	err := <-end
	if e, ok := errors.AsType[*websocket.CloseError](err); !ok || e.Code != websocket.CloseAbnormal || !e.Remote {
		t.Errorf("the other end saw %v, want 1006 by peer", err)
	}
}

// A page comes to the proxy over HTTP/2, and its sockets to us.
func http2HAProxyPage(t *testing.T) {
	h := newClearHTTP2Host(t, &websocket.AcceptOptions{Conn: pings})
	wantFront(t, browserCrosses(t, h, startHAProxy(t, h)), "2")
}

// wantFront asks what HTTP the proxy was spoken to in.
func wantFront(t *testing.T, a arrival, version string) {
	t.Helper()
	if got := a.request.Header.Get("X-Front-HTTP"); got != version {
		t.Errorf("HTTP/%s in front, want HTTP/%s", got, version)
	}
}

// newHTTP2Host is a host to which all must come over HTTP/2, and by one TCP connection:
// the page of a browser and its sockets.
func newHTTP2Host(t *testing.T, o *websocket.AcceptOptions) *host {
	t.Helper()
	pem := filepath.Join(t.TempDir(), "pem")
	certify(t, pem)
	h := newHostBy(t, o, func(h *host, l net.Listener) error {
		h.Handler = wantHTTP2(t, true, h.Handler)
		return h.ServeTLS(l, pem, pem)
	})
	h.secure = true
	return h
}

// newClearHTTP2Host is a host behind a proxy.
func newClearHTTP2Host(t *testing.T, o *websocket.AcceptOptions) *host {
	t.Helper()
	h := newHostBy(t, o, func(h *host, l net.Listener) error {
		s := &http.Server{Handler: websocket.StreamHandler(wantHTTP2(t, false, h.Handler)), Protocols: new(http.Protocols)}
		s.Protocols.SetUnencryptedHTTP2(true)
		defer context.AfterFunc(t.Context(), func() { s.Close() })()
		return s.Serve(l)
	})
	h.clear2 = true
	return h
}

func wantHTTP2(t *testing.T, one bool, next http.Handler) http.Handler {
	var from atomic.Value // who came first
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from.CompareAndSwap(nil, r.RemoteAddr)
		if r.ProtoMajor != 2 || one && r.RemoteAddr != from.Load() {
			t.Errorf("%s %s came over %s from %s, want HTTP/2; the first came from %s", r.Method, r.URL, r.Proto, r.RemoteAddr, from.Load())
		}
		next.ServeHTTP(w, r)
	})
}

// transport sends our requests, over TLS if there are roots to trust.
func transport(t *testing.T, roots *x509.CertPool) *http2.Transport {
	via := &http2.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	if roots == nil {
		via.AllowHTTP = true
		via.DialTLSContext = func(ctx context.Context, network, addr string, _ *tls.Config) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, addr)
		}
	}
	t.Cleanup(via.CloseIdleConnections)
	return via
}
