package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/handshake"
	deflate "github.com/swan-ws/websocket/permessage-deflate"
)

// record is a server like answer, that passes on the head of each request.
func record(response string, heads chan<- string) server {
	return func(nc net.Conn) {
		head, err := readHead(nc)
		if err != nil {
			return
		}
		heads <- head
		_, key, _ := strings.Cut(head, "Sec-WebSocket-Key: ")
		key, _, _ = strings.Cut(key, "\r\n")
		io.WriteString(nc, strings.ReplaceAll(response, "ACCEPT", handshake.AcceptKey(key)))
		untilClosed(nc)
	}
}

// §4.1 in the order of its list, and nothing else.
func TestClient_SendsTheHandshake(t *testing.T) {
	for _, tt := range []struct {
		name, url, uri, host, addr string
	}{
		{"plain", "ws://example.test/chat?room=7", "/chat?room=7", "example.test", "example.test:80"},
		{"no path", "ws://example.test", "/", "example.test", "example.test:80"},
		{"port", "ws://example.test:8080/", "/", "example.test:8080", "example.test:8080"},
		{"scheme in capitals", "WS://Example.Test/", "/", "example.test", "example.test:80"},
		{"IPv6", "ws://[::1]:81/", "/", "[::1]:81", "[::1]:81"},
		{"unicode", "ws://bücher.test/ä?ö", "/%C3%A4?%C3%B6", "xn--bcher-kva.test", "xn--bcher-kva.test:80"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			heads := make(chan string, 1)
			o, n := reachEach(t, func(string) server { return record(accepted, heads) })
			o.Conn.Compression.Mode = deflate.Off
			dial(t, tt.url, o)
			head := <-heads
			_, key, _ := strings.Cut(head, "Sec-WebSocket-Key: ")
			key, _, _ = strings.Cut(key, "\r\n")
			want := "GET " + tt.uri + " HTTP/1.1\r\nHost: " + tt.host + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
				"Sec-WebSocket-Key: " + key + "\r\nSec-WebSocket-Version: 13\r\n\r\n"
			if head != want || !handshake.ValidKey(key) {
				t.Errorf("got %q, want %q", head, want)
			}
			if got := n.addresses(); got != tt.addr {
				t.Errorf("dialed %q, want %q", got, tt.addr)
			}
		})
	}
}

func TestClient_SendsTheHeaderGiven(t *testing.T) {
	heads := make(chan string, 1)
	o := reach(t, record(accepted, heads))
	o.Header = http.Header{"Authorization": {"Bearer t"}, "Origin": {"https://app.test"}, "Host": {"virtual.test"}, "X-Two": {"1", "2"}}
	dial(t, "ws://example.test/", o)
	head := <-heads
	for _, line := range []string{"Authorization: Bearer t", "Origin: https://app.test", "Host: virtual.test", "X-Two: 1", "X-Two: 2"} {
		if strings.Count(head, "\r\n"+line+"\r\n") != 1 {
			t.Errorf("want one %q in %q", line, head)
		}
	}
	if strings.Contains(head, "example.test") {
		t.Errorf("a second Host in %q", head)
	}
}

func TestClient_OffersSubprotocols(t *testing.T) {
	heads := make(chan string, 1)
	o := reach(t, record(withHeader("Sec-WebSocket-Protocol: b"), heads))
	o.Subprotocols = []string{"a", "b"}
	c, resp := dial(t, "ws://example.test/", o)
	if head := <-heads; !strings.Contains(head, "\r\nSec-WebSocket-Protocol: a, b\r\n") {
		t.Errorf("offered %q", head)
	}
	if c.Subprotocol() != "b" || resp.Header.Get("Sec-WebSocket-Protocol") != "b" {
		t.Errorf("agreed on %q", c.Subprotocol())
	}
}

func TestClient_ReturnsTheResponse(t *testing.T) {
	_, resp := dial(t, "ws://example.test/", reach(t, answer(withHeader("X-Served-By: 7"))))
	body, err := io.ReadAll(resp.Body)
	if resp.StatusCode != 101 || resp.Header.Get("X-Served-By") != "7" || len(body) > 0 || err != nil {
		t.Errorf("got %v, body %q, %v", resp, body, err)
	}
}

func TestClient_CarriesCookies(t *testing.T) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	httpURL, _ := url.Parse("http://example.test/")
	jar.SetCookies(httpURL, []*http.Cookie{{Name: "old", Value: "1"}})
	heads := make(chan string, 1)
	o := reach(t, record(withHeader("Set-Cookie: fresh=2", "Set-Cookie: tls=3; Secure"), heads))
	o.Jar = jar
	o.Header = http.Header{"Cookie": {"own=a", "other=b"}}
	dial(t, "ws://example.test/", o)
	if head := <-heads; !strings.Contains(head, "\r\nCookie: own=a; other=b; old=1\r\n") {
		t.Errorf("of the jar and the options, got %q", head)
	}
	if got := o.Header["Cookie"]; len(got) != 2 {
		t.Errorf("the options were changed: %q", got)
	}
	o.Header = nil
	dial(t, "ws://example.test/", o)
	if head := <-heads; !strings.Contains(head, "\r\nCookie: old=1; fresh=2\r\n") {
		t.Errorf("of the response before, got %q", head)
	}
	dial(t, "ws://other.test/", o)
	if head := <-heads; strings.Contains(head, "Cookie") {
		t.Errorf("another host got %q", head)
	}
}

// A refusal's cookies count too: a login page may set them.
func TestClient_KeepsTheCookiesOfARefusal(t *testing.T) {
	jar, _ := cookiejar.New(nil)
	o := reach(t, answer("HTTP/1.1 403 Forbidden\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n"))
	o.Jar = jar
	dialFails(t, "ws://example.test/", o)
	u, _ := url.Parse("http://example.test/")
	if got := fmt.Sprint(jar.Cookies(u)); got != "[a=1]" {
		t.Errorf("got %v", got)
	}
}

// What cannot be meant is told before anybody else hears of it.
func TestClient_FailsBeforeItDials(t *testing.T) {
	const good = "ws://example.test/"
	proxy := func(*url.URL) (*url.URL, error) { return url.Parse("http://proxy.test") }
	for _, tt := range []struct {
		name, url string
		o         client.Options
	}{
		{"no scheme", "example.test", client.Options{}},
		{"empty", "", client.Options{}},
		{"http", "http://example.test/", client.Options{}},
		{"https", "https://example.test/", client.Options{}},
		{"ftp", "ftp://example.test/", client.Options{}},
		{"no host", "ws:///x", client.Options{}},
		{"opaque", "ws:example.test", client.Options{}},
		{"userinfo", "ws://user:password@example.test/", client.Options{}},
		{"fragment", "ws://example.test/#x", client.Options{}},
		{"bad escape", "ws://example.test/%zz", client.Options{}},
		{"space", "ws://example.test/a b", client.Options{}},
		{"line break", "ws://example.test/\r\nEvil: 1", client.Options{}},
		{"port 0", "ws://example.test:0/", client.Options{}},
		{"port 65536", "ws://example.test:65536/", client.Options{}},
		{"port of letters", "ws://example.test:http/", client.Options{}},
		{"IPv6 without brackets", "ws://::1/", client.Options{}},
		{"IPv6 zone", "ws://[fe80::1%25eth0]/", client.Options{}},
		{"short IPv4", "ws://127.1/", client.Options{}},
		{"long label", "ws://" + strings.Repeat("a", 64) + ".test/", client.Options{}},
		{"not UTF-8", "ws://example.test/\xff", client.Options{}},
		{"header of the handshake", good, client.Options{Header: http.Header{"Upgrade": {"x"}}}},
		{"header with a prefix of the handshake", good, client.Options{Header: http.Header{"Sec-WebSocket-Key": {"x"}}}},
		{"header with a body", good, client.Options{Header: http.Header{"Content-Length": {"1"}}}},
		{"header with a line break", good, client.Options{Header: http.Header{"X": {"a\r\nb"}}}},
		{"header without a name", good, client.Options{Header: http.Header{"": {"a"}}}},
		{"two Hosts", good, client.Options{Header: http.Header{"Host": {"a", "b"}}}},
		{"subprotocol with a space", good, client.Options{Subprotocols: []string{"a b"}}},
		{"subprotocol empty", good, client.Options{Subprotocols: []string{""}}},
		{"subprotocol twice", good, client.Options{Subprotocols: []string{"a", "a"}}},
		{"proxy header with a line break", good, client.Options{Proxy: proxy, ProxyHeader: http.Header{"X": {"a\nb"}}}},
		{"proxy header without a name", good, client.Options{Proxy: proxy, ProxyHeader: http.Header{"": {"a"}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.DialContext = func(context.Context, string, string) (net.Conn, error) {
				t.Error("dialed")
				return nil, net.ErrClosed
			}
			resp, err := dialFails(t, tt.url, &tt.o)
			if _, ok := errors.AsType[*handshake.Error](err); !ok || resp != nil {
				t.Errorf("want a *handshake.Error and no response, got %v, %v", err, resp)
			}
			if !strings.HasPrefix(err.Error(), "websocket: dial ") {
				t.Errorf("got %q", err)
			}
		})
	}
}

// Frames that come in one segment with the 101 are not lost, wherever it is cut.
func TestClient_KeepsFramesThatComeWithTheResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		frames := string(conntest.Hex(`81 05 "Hello" 8901 "p" 8200`))
		for cut := range len(fill(accepted, &http.Request{})) + len(frames) + 1 {
			o := reach(t, func(nc net.Conn) {
				r, err := readRequest(nc)
				if err != nil {
					t.Error(err)
					return
				}
				wire := fill(accepted, r) + frames
				io.WriteString(nc, wire[:cut])
				synctest.Wait() // until the client has taken it and waits for more
				io.WriteString(nc, wire[cut:])
				untilClosed(nc)
			})
			c, _ := dial(t, "ws://example.test/", o)
			for _, want := range []string{"text Hello", "binary "} {
				m, err := c.Read(t.Context())
				if got := fmt.Sprintf("%v %s", m.Type, m.Data); err != nil || got != want {
					t.Fatalf("cut at %d: got %q, %v, want %q", cut, got, err, want)
				}
			}
			c.CloseNow()
		}
	})
}

// "Once the client's opening handshake has been sent, the client MUST wait for a
// response from the server before sending any further data" (§4.1).
func TestClient_SendsNothingBeforeTheResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := reach(t, func(nc net.Conn) {
			r, err := readRequest(nc)
			if err != nil {
				t.Error(err)
				return
			}
			nc.SetReadDeadline(time.Now().Add(5 * time.Second))
			if n, err := nc.Read(make([]byte, 1)); n > 0 || !isTimeout(err) {
				t.Errorf("after the request came %d bytes, %v", n, err)
			}
			respond(nc, r, accepted)
			untilClosed(nc)
		})
		o.Conn.PingEvery = time.Second
		dial(t, "ws://example.test/", o)
	})
}

func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

// keyed is a stream that takes note of the key, and ends.
type keyed struct {
	*conntest.Conn
	keys map[string]bool
}

func (k *keyed) Write(p []byte) (int, error) {
	_, key, _ := strings.Cut(string(p), "Sec-WebSocket-Key: ")
	k.keys[key[:24]] = true
	return 0, io.ErrClosedPipe
}

// "The nonce MUST be selected randomly for each connection" (§4.1 item 7).
func TestClient_UsesEachKeyOnce(t *testing.T) {
	const dials = 10_000
	keys := make(map[string]bool, dials)
	nc, _ := conntest.Pipe()
	o := &client.Options{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return &keyed{nc, keys}, nil
	}}
	for range dials {
		dialFails(t, "ws://example.test/", o)
	}
	if len(keys) != dials {
		t.Errorf("%d keys for %d handshakes", len(keys), dials)
	}
	for key := range keys {
		if !handshake.ValidKey(key) {
			t.Fatalf("%q is no key", key)
		}
	}
}

// The zero options, over a socket of the system.
func TestClient_DialsTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		nc, err := l.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		defer nc.Close()
		answer(accepted + string(conntest.Hex(`8105 "Hello"`)))(nc)
	}()
	c, _ := dial(t, "ws://"+l.Addr().String(), nil)
	if m, err := c.Read(t.Context()); err != nil || string(m.Data) != "Hello" {
		t.Errorf("got %q, %v", m.Data, err)
	}
	if c.RemoteAddr().String() != l.Addr().String() {
		t.Errorf("RemoteAddr %v", c.RemoteAddr())
	}
	if err := c.Close(1000, ""); err != nil {
		t.Error(err)
	}
	<-served
	l.Close()
	if _, err := dialFails(t, "ws://"+l.Addr().String(), nil); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("nobody listens: %v", err)
	}
}

func TestClient_DialsConcurrently(t *testing.T) {
	o := reach(t, answer(withHeader("Set-Cookie: a=1")))
	o.Jar, _ = cookiejar.New(nil)
	o.Header = http.Header{"Cookie": {"b=2"}}
	var dials sync.WaitGroup
	for i := range 50 {
		dials.Go(func() {
			c, _, err := client.Dial(t.Context(), fmt.Sprintf("ws://h%d.test/", i), o)
			if err != nil {
				t.Error(err)
				return
			}
			if err := c.Close(1000, ""); err != nil {
				t.Error(err)
			}
		})
	}
	dials.Wait()
}

func TestClient_HandsTheOptionsToTheConnection(t *testing.T) {
	o := reach(t, answer(accepted+string(conntest.Hex(`8105 "Hello"`))))
	o.Conn = conn.Options{MaxMessage: 4}
	c, _ := dial(t, "ws://example.test/", o)
	if _, err := c.Read(t.Context()); conn.CloseStatus(err) != 1009 {
		t.Errorf("got %v, want 1009", err)
	}
}

// Tokens stand in queries, and errors in logs.
func TestClient_KeepsTheQueryOutOfErrors(t *testing.T) {
	o := &client.Options{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, syscall.ECONNREFUSED }}
	_, err := dialFails(t, "ws://example.test/chat?token=secret", o)
	if want := `websocket: dial "ws://example.test/chat": connection refused`; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}
