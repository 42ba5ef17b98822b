package client_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"

	"github.com/swan-ws/websocket/client"
)

func trusting() *tls.Config { return &tls.Config{RootCAs: authority.roots()} }

// connectProxy is an HTTP proxy in front of s: it tells of the request and opens
// the tunnel.
func connectProxy(heads chan<- string, s server) server {
	return func(nc net.Conn) {
		head, err := readHead(nc)
		if err != nil {
			return
		}
		if heads != nil {
			heads <- head
		}
		io.WriteString(nc, "HTTP/1.1 200 Connection established\r\n\r\n")
		s(nc)
	}
}

// refusing is a proxy, or server, that says something to whoever sends a head.
func refusing(text string) server {
	return func(nc net.Conn) {
		if _, err := readHead(nc); err == nil {
			io.WriteString(nc, text)
		}
	}
}

func through(proxy string) func(*url.URL) (*url.URL, error) {
	return func(*url.URL) (*url.URL, error) { return url.Parse(proxy) }
}

func TestClient_AsksAnHTTPProxyForATunnel(t *testing.T) {
	for _, tt := range []struct{ name, proxy, url, dialed, connect string }{
		{"ws", "http://proxy.test", "ws://example.test/", "proxy.test:80", "example.test:80"},
		{"wss", "http://proxy.test:3128", "wss://example.test/", "proxy.test:3128", "example.test:443"},
		{"port", "http://proxy.test:3128", "ws://example.test:8080/", "proxy.test:3128", "example.test:8080"},
		{"IPv6", "http://[::1]:3128", "ws://[2001:db8::1]/", "[::1]:3128", "[2001:db8::1]:80"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			heads := make(chan string, 1)
			inner := answer(accepted)
			if strings.HasPrefix(tt.url, "wss") {
				inner = overTLS(authority.issue(farOff, "example.test"), inner)
			}
			o, n := reachEach(t, func(string) server { return connectProxy(heads, inner) })
			var asked string
			o.Proxy = func(u *url.URL) (*url.URL, error) {
				asked = u.String()
				return url.Parse(tt.proxy)
			}
			o.TLSConfig = trusting()
			dial(t, tt.url, o)
			want := "CONNECT " + tt.connect + " HTTP/1.1\r\nHost: " + tt.connect + "\r\n\r\n"
			if got := <-heads; got != want {
				t.Errorf("the proxy got %q, want %q", got, want)
			}
			if got := n.addresses(); got != tt.dialed {
				t.Errorf("dialed %q, want %q", got, tt.dialed)
			}
			if asked != tt.url {
				t.Errorf("Proxy was asked about %q", asked)
			}
		})
	}
}

func TestClient_KeepsTheProxysHeadersFromTheServer(t *testing.T) {
	toProxy, toServer := make(chan string, 1), make(chan string, 1)
	o := reach(t, connectProxy(toProxy, record(accepted, toServer)))
	o.Proxy = through("http://ada:pass%20word@proxy.test")
	o.ProxyHeader = http.Header{"X-Proxy": {"1"}}
	o.Header = http.Header{"Authorization": {"Bearer server"}}
	dial(t, "ws://example.test/", o)
	proxy, server := <-toProxy, <-toServer
	for _, line := range []string{"Proxy-Authorization: Basic YWRhOnBhc3Mgd29yZA==", "X-Proxy: 1"} {
		if !strings.Contains(proxy, "\r\n"+line+"\r\n") {
			t.Errorf("no %q in %q", line, proxy)
		}
	}
	if strings.Contains(server, "roxy") || strings.Contains(proxy, "Bearer") {
		t.Errorf("the server got %q, the proxy %q", server, proxy)
	}
}

func TestClient_ReportsAProxyThatDoesNotConnect(t *testing.T) {
	for _, tt := range []struct{ name, response, want string }{
		{"403", "HTTP/1.1 403 No\r\n\r\n", "CONNECT refused with 403 Forbidden"},
		{"407", "HTTP/1.1 407 \x1b[31m\r\nProxy-Authenticate: Basic\r\nContent-Length: 2\r\n\r\nno", "407 Proxy Authentication Required"},
		{"502", "HTTP/1.1 502 Bad Gateway\r\n\r\n", "502 Bad Gateway"},
		{"nothing", "", "no answer to CONNECT"},
		{"truncated", "HTTP/1.1 200 Connec", "no answer to CONNECT"},
		{"truncated header", "HTTP/1.1 200 OK\r\nVia: x", "no answer to CONNECT"},
		{"garbage", "\x00\x01\x02\r\n\r\n", "no answer to CONNECT"},
		{"endless", "HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", 10_000), "too long"},
		{"early bytes", "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 101 Switching Protocols\r\n", "bytes behind the answer"},
		{"body", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "bytes behind the answer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := reach(t, refusing(tt.response))
			o.Proxy = through("http://ada:secret@proxy.test")
			dials := watchDials(o)
			resp, err := dialFails(t, "ws://example.test/", o)
			if resp != nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "proxy http://ada:xxxxx@proxy.test: ") {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
			if strings.Contains(err.Error(), "\x1b") || strings.Contains(err.Error(), "secret") {
				t.Errorf("the error shows too much: %q", err)
			}
			if _, ok := errors.AsType[*client.HandshakeError](err); ok {
				t.Error("a proxy's answer is none of the server")
			}
			if !dials()[0].isClosed() {
				t.Error("the stream is still open")
			}
		})
	}
}

func TestClient_ReportsAProxyThatCannotBeUsed(t *testing.T) {
	trouble := errors.New("trouble")
	for _, tt := range []struct {
		name  string
		proxy func(*url.URL) (*url.URL, error)
		want  string
	}{
		{"unknown scheme", through("ftp://proxy.test"), `scheme "ftp" is not supported: use http, https, socks5 or socks5h`},
		{"no choice", func(*url.URL) (*url.URL, error) { return nil, trouble }, "choosing a proxy: trouble"},
	} {
		o := reach(t, answer(accepted))
		o.Proxy = tt.proxy
		if _, err := dialFails(t, "ws://example.test/", o); !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q in it", tt.name, err, tt.want)
		}
	}
	for _, proxy := range []string{"http://proxy.test", "https://proxy.test", "socks5://proxy.test"} {
		o := &client.Options{Proxy: through(proxy), DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, trouble }}
		if _, err := dialFails(t, "ws://example.test/", o); !errors.Is(err, trouble) {
			t.Errorf("%s: %v", proxy, err)
		}
	}
}

// The proxy's certificate is checked like any other, against the system's roots.
func TestClient_SpeaksTLSToAnHTTPSProxy(t *testing.T) {
	if runtime.GOOS == "darwin" || runtime.GOOS == "windows" {
		t.Skip("the system's roots cannot be replaced here")
	}
	heads := make(chan string, 1)
	proxyCert, serverCert := authority.issue(farOff, "proxy.test"), authority.issue(farOff, "example.test")
	o, n := reachEach(t, func(string) server {
		return overTLS(proxyCert, connectProxy(heads, overTLS(serverCert, answer(accepted))))
	})
	o.Proxy = through("https://proxy.test")
	o.TLSConfig = trusting()
	c, _ := dial(t, "wss://example.test/", o)
	if err := c.Close(1000, ""); err != nil {
		t.Error(err)
	}
	if head := <-heads; !strings.HasPrefix(head, "CONNECT example.test:443 ") || n.addresses() != "proxy.test:443" {
		t.Errorf("dialed %q, asked for %q", n.addresses(), head)
	}
	o = reach(t, overTLS(serverCert, connectProxy(nil, answer(accepted))))
	o.Proxy = through("https://proxy.test")
	if _, err := dialFails(t, "ws://example.test/", o); !strings.Contains(err.Error(), "not proxy.test") {
		t.Errorf("a proxy by another name: %v", err)
	}
}

// socksProxy is a SOCKS5 proxy (RFC 1928) in front of s, which wants the
// password if that is not empty (RFC 1929).
func socksProxy(targets chan<- string, password string, s server) server {
	return func(nc net.Conn) {
		br := bufio.NewReader(nc)
		next := func(n int) []byte {
			b := make([]byte, n)
			io.ReadFull(br, b)
			return b
		}
		head := next(2)
		methods := next(int(head[1]))
		switch {
		case password == "":
			nc.Write([]byte{5, 0})
		case strings.IndexByte(string(methods), 2) < 0:
			nc.Write([]byte{5, 0xff})
			return
		default:
			nc.Write([]byte{5, 2})
			user := next(int(next(2)[1]))
			given := next(int(next(1)[0]))
			if string(user) != "ada" || string(given) != password {
				nc.Write([]byte{1, 1})
				return
			}
			nc.Write([]byte{1, 0})
		}
		var host string
		switch head := next(4); head[3] {
		case 1:
			host = net.IP(next(4)).String()
		case 3:
			host = string(next(int(next(1)[0])))
		case 4:
			host = net.IP(next(16)).String()
		}
		port := binary.BigEndian.Uint16(next(2))
		if targets != nil {
			targets <- net.JoinHostPort(host, fmt.Sprint(port))
		}
		if _, err := nc.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0}); err == nil {
			s(nc)
		}
	}
}

func TestClient_GoesThroughASOCKSProxy(t *testing.T) {
	cert := authority.issue(farOff, "example.test")
	for _, tt := range []struct{ name, proxy, password, url, dialed, target string }{
		{"ws", "socks5://proxy.test", "", "ws://example.test/", "proxy.test:1080", "example.test:80"},
		{"wss", "socks5://proxy.test:9050", "", "wss://example.test/", "proxy.test:9050", "example.test:443"},
		{"names resolved there", "socks5h://proxy.test", "", "ws://example.test:81/", "proxy.test:1080", "example.test:81"},
		{"password", "socks5://ada:open@proxy.test", "open", "ws://example.test/", "proxy.test:1080", "example.test:80"},
		{"password not wanted", "socks5://ada:open@proxy.test", "", "ws://192.0.2.1/", "proxy.test:1080", "192.0.2.1:80"},
		{"IPv6", "socks5://[::1]", "", "ws://[2001:db8::1]/", "[::1]:1080", "[2001:db8::1]:80"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			targets := make(chan string, 1)
			inner := answer(accepted)
			if strings.HasPrefix(tt.url, "wss") {
				inner = overTLS(cert, inner)
			}
			o, n := reachEach(t, func(string) server { return socksProxy(targets, tt.password, inner) })
			o.Proxy, o.TLSConfig = through(tt.proxy), trusting()
			c, _ := dial(t, tt.url, o)
			if got := <-targets; got != tt.target || n.addresses() != tt.dialed {
				t.Errorf("dialed %q for %q, want %q for %q", n.addresses(), got, tt.dialed, tt.target)
			}
			if err := c.Close(1000, ""); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestClient_ReportsASOCKSProxyThatDoesNotConnect(t *testing.T) {
	for _, tt := range []struct {
		name, proxy string
		s           server
	}{
		{"no password", "socks5://proxy.test", socksProxy(nil, "open", answer(accepted))},
		{"wrong password", "socks5://ada:sesame@proxy.test", socksProxy(nil, "open", answer(accepted))},
		{"ends", "socks5://proxy.test", func(nc net.Conn) { nc.Read(make([]byte, 10)) }},
		{"garbage", "socks5://proxy.test", func(nc net.Conn) { nc.Read(make([]byte, 10)); io.WriteString(nc, "HTTP/1.1 400 Bad Request\r\n\r\n") }},
	} {
		o := reach(t, tt.s)
		o.Proxy = through(tt.proxy)
		dials := watchDials(o)
		_, err := dialFails(t, "ws://example.test/", o)
		if !strings.Contains(err.Error(), "proxy socks5://") || strings.Contains(err.Error(), "sesame") || !dials()[0].isClosed() {
			t.Errorf("%s: %v, closed %v", tt.name, err, dials()[0].isClosed())
		}
	}
}

// HTTP_PROXY is for ws, HTTPS_PROXY for wss, NO_PROXY for neither.
func TestClient_TakesTheProxyFromTheEnvironment(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://plain.test:1")
	t.Setenv("HTTPS_PROXY", "secure.test:2")
	t.Setenv("NO_PROXY", "direct.test,.internal.test,192.0.2.0/24")
	for _, tt := range []struct{ url, want string }{
		{"ws://example.test/", "plain.test:1"},
		{"wss://example.test/", "secure.test:2"},
		{"ws://direct.test/", "direct.test:80"},
		{"wss://direct.test:444/", "direct.test:444"},
		{"ws://a.internal.test/", "a.internal.test:80"},
		{"ws://192.0.2.7/", "192.0.2.7:80"},
		{"ws://localhost/", "localhost:80"},
		{"ws://127.0.0.1:8080/", "127.0.0.1:8080"},
	} {
		o, n := reachEach(t, func(string) server { return func(nc net.Conn) { nc.Read(make([]byte, 4096)) } })
		client.Dial(t.Context(), tt.url, o)
		if got := n.addresses(); got != tt.want {
			t.Errorf("%s: dialed %q, want %q", tt.url, got, tt.want)
		}
	}
	o, n := reachEach(t, func(string) server { return answer(accepted) })
	o.Proxy = func(*url.URL) (*url.URL, error) { return nil, nil }
	dial(t, "ws://example.test/", o)
	if got := n.addresses(); got != "example.test:80" {
		t.Errorf("with a Proxy that says none: dialed %q", got)
	}
}
