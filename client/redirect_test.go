package client_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"sync"
	"testing"

	"github.com/swan-ws/websocket/client"
)

// world answers each URL as redirects says: with the location, or, where there
// is none, by accepting. It notes the requests.
type world struct {
	redirects map[string]string // by addr + path
	status    int

	mu    sync.Mutex
	heads []string
}

func (w *world) reach(t testing.TB) (*client.Options, *network) {
	cert := authority.issue(farOff, "a.test", "b.test")
	o, n := reachEach(t, func(addr string) server {
		if strings.HasSuffix(addr, ":443") {
			return overTLS(cert, w.at(addr))
		}
		return w.at(addr)
	})
	o.TLSConfig = trusting()
	return o, n
}

func (w *world) at(addr string) server {
	return func(nc net.Conn) {
		head, err := readHead(nc)
		if err != nil {
			return
		}
		w.mu.Lock()
		w.heads = append(w.heads, head)
		w.mu.Unlock()
		path := strings.Fields(head)[1]
		location, ok := w.redirects[addr+path]
		if !ok {
			r, _ := readRequest(strings.NewReader(head))
			respond(nc, r, accepted)
			untilClosed(nc)
			return
		}
		fmt.Fprintf(nc, "HTTP/1.1 %d x\r\nLocation: %s\r\nSet-Cookie: seen=%s\r\nContent-Length: 3\r\n\r\nbye", w.status, location, strings.Trim(path, "/"))
	}
}

func TestClient_FollowsRedirects(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, tt := range []struct {
			name, url string
			redirects map[string]string
			dialed    string
			path      string // of the last request
		}{
			{"relative", "ws://a.test/x/y", map[string]string{"a.test:80/x/y": "z?q=1"}, "a.test:80 a.test:80", "/x/z?q=1"},
			{"absolute path", "ws://a.test/x/y", map[string]string{"a.test:80/x/y": "/z"}, "a.test:80 a.test:80", "/z"},
			{"other host", "ws://a.test/", map[string]string{"a.test:80/": "ws://b.test:81/z"}, "a.test:80 b.test:81", "/z"},
			{"without a scheme", "wss://a.test/", map[string]string{"a.test:443/": "//b.test/z"}, "a.test:443 b.test:443", "/z"},
			{"http for ws", "ws://a.test/", map[string]string{"a.test:80/": "http://b.test/z"}, "a.test:80 b.test:80", "/z"},
			{"ws to wss", "ws://a.test/", map[string]string{"a.test:80/": "wss://a.test/"}, "a.test:80 a.test:443", "/"},
			{"ws to https", "ws://a.test/", map[string]string{"a.test:80/": "https://a.test/"}, "a.test:80 a.test:443", "/"},
			{"fragment", "ws://a.test/", map[string]string{"a.test:80/": "/z#here"}, "a.test:80 a.test:80", "/z"},
			{"escapes", "ws://a.test/a%2fb/c", map[string]string{"a.test:80/a%2fb/c": "d%20e"}, "a.test:80 a.test:80", "/a%2fb/d%20e"},
			{"three times", "ws://a.test/1", map[string]string{"a.test:80/1": "/2", "a.test:80/2": "ws://b.test/3", "b.test:80/3": "/4"},
				"a.test:80 a.test:80 b.test:80 b.test:80", "/4"},
		} {
			t.Run(fmt.Sprintf("%d/%s", status, tt.name), func(t *testing.T) {
				w := &world{redirects: tt.redirects, status: status}
				o, n := w.reach(t)
				o.MaxRedirects = 3
				c, resp := dial(t, tt.url, o)
				if got := n.addresses(); got != tt.dialed {
					t.Errorf("dialed %q, want %q", got, tt.dialed)
				}
				keys := map[string]bool{}
				for _, head := range w.heads {
					_, key, _ := strings.Cut(head, "Sec-WebSocket-Key: ")
					keys[key[:24]] = true
				}
				if len(keys) != len(w.heads) {
					t.Errorf("%d keys in %d requests", len(keys), len(w.heads))
				}
				if last := w.heads[len(w.heads)-1]; !strings.HasPrefix(last, "GET "+tt.path+" HTTP/1.1\r\n") || resp.StatusCode != 101 {
					t.Errorf("the last request is %.40q, the response %d", last, resp.StatusCode)
				}
				if err := c.Close(1000, ""); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func TestClient_StopsAtARedirect(t *testing.T) {
	loop := map[string]string{"a.test:80/": "/"}
	for _, tt := range []struct {
		name      string
		url       string
		redirects map[string]string
		max       int
		dials     int
		want      string // in the error
	}{
		{"by default", "ws://a.test/", loop, 0, 1, "server refused with 307"},
		{"if negative", "ws://a.test/", loop, -1, 1, "server refused with 307"},
		{"in a loop", "ws://a.test/", loop, 5, 6, "server refused with 307"},
		{"to and fro", "ws://a.test/", map[string]string{"a.test:80/": "ws://b.test/", "b.test:80/": "ws://a.test/"}, 4, 5, "server refused with 307"},
		{"that gives up TLS", "wss://a.test/", map[string]string{"a.test:443/": "ws://a.test/"}, 5, 1, "redirect from wss to ws"},
		{"that gives up TLS in http", "wss://a.test/", map[string]string{"a.test:443/": "http://a.test/"}, 5, 1, "redirect from wss to ws"},
		{"to nowhere", "ws://a.test/", map[string]string{"a.test:80/": ""}, 5, 1, `redirect to "": not a URL`},
		{"to no URL", "ws://a.test/", map[string]string{"a.test:80/": "ws://[/"}, 5, 1, `redirect to "ws://[/": not a URL`},
		{"to another protocol", "ws://a.test/", map[string]string{"a.test:80/": "ftp://a.test/"}, 5, 1, "want the scheme ws or wss"},
		{"to no host", "ws://a.test/", map[string]string{"a.test:80/": "ws:///x"}, 5, 1, "the host is empty"},
		{"with a password", "ws://a.test/", map[string]string{"a.test:80/": "ws://u:p@a.test/"}, 5, 1, "userinfo"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{redirects: tt.redirects, status: 307}
			o, n := w.reach(t)
			o.MaxRedirects = tt.max
			dials := watchDials(o)
			resp, err := dialFails(t, tt.url, o)
			e := asHandshakeError(t, err)
			if e.Status != 307 || e.Header.Get("Location") != strings.TrimSpace(tt.redirects[strings.Fields(n.addresses())[len(dials())-1]+"/"]) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v with %v, want %q in it", err, e.Header, tt.want)
			}
			if text, _ := io.ReadAll(resp.Body); resp.StatusCode != 307 || string(text) != "bye" {
				t.Errorf("the response is %d %q", resp.StatusCode, text)
			}
			if len(dials()) != tt.dials {
				t.Errorf("dialed %q, want %d times", n.addresses(), tt.dials)
			}
			for _, d := range dials() {
				if !d.isClosed() {
					t.Error("a stream is still open")
				}
			}
		})
	}
}

func TestClient_ShowsSecretsToTheFirstHostOnly(t *testing.T) {
	secrets := http.Header{"Authorization": {"Bearer t"}, "Cookie": {"own=1"}, "Proxy-Authorization": {"Basic x"}, "Host": {"virtual.test"}, "X-Other": {"stays"}}
	w := &world{status: 302, redirects: map[string]string{
		"a.test:80/1": "/2", "a.test:80/2": "ws://b.test/3", "b.test:80/3": "ws://a.test/4", "a.test:80/4": "ws://a.test:81/5",
	}}
	o, _ := w.reach(t)
	o.MaxRedirects = 10
	o.Header = secrets
	o.Jar, _ = cookiejar.New(nil)
	dial(t, "ws://a.test/1", o)
	if len(w.heads) != 5 {
		t.Fatalf("%d requests", len(w.heads))
	}
	for i, head := range w.heads {
		shown := i < 2
		for _, line := range []string{"Authorization: Bearer t\r\n", "own=1", "Proxy-Authorization: Basic x\r\n", "Host: virtual.test\r\n"} {
			if strings.Contains(head, line) != shown {
				t.Errorf("request %d: %q is there: %v: %q", i+1, line, !shown, head)
			}
		}
		if !strings.Contains(head, "X-Other: stays\r\n") {
			t.Errorf("request %d lacks X-Other: %q", i+1, head)
		}
	}
	// The jar knows by itself which host gets what.
	for i, want := range []string{"own=1\r\n", "own=1; seen=1\r\n", "", "Cookie: seen=2\r\n", "Cookie: seen=4\r\n"} {
		if head := w.heads[i]; !strings.Contains(head, want) || want == "" && strings.Contains(head, "Cookie") {
			t.Errorf("request %d: want the cookies %q in %q", i+1, want, head)
		}
	}
	if secrets.Get("Authorization") == "" {
		t.Error("the caller's header was changed")
	}
}

func TestClient_KeepsTheRefusalAfterARedirect(t *testing.T) {
	o, _ := reachEach(t, func(addr string) server {
		if addr == "a.test:80" {
			return refusing("HTTP/1.1 302 Found\r\nLocation: ws://b.test/\r\nContent-Length: 0\r\n\r\n")
		}
		return refusing("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
	})
	o.MaxRedirects = 1
	if _, err := dialFails(t, "ws://a.test/", o); asHandshakeError(t, err).Status != 404 || errors.Is(err, io.EOF) {
		t.Errorf("got %v", err)
	}
}
