package client

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/swan-ws/websocket/conn"
)

// What the zero Options stand for.
const (
	DefaultHandshakeTimeout  = 10 * time.Second
	DefaultMaxHandshakeBytes = 16 << 10
)

// Options say how to open a connection and what it is like. The zero value, and
// nil, will do.
type Options struct {
	// Header is added to the request: Origin, Cookie and the like.
	Header http.Header
	// Auth says who this is: Basic, Bearer, BearerFrom, or a function of your own.
	// nil: what Header has under Authorization, if anything.
	Auth Auth
	// Subprotocols are offered, the most wanted first.
	Subprotocols []string
	// Jar gives the request its cookies and keeps those of the response.
	Jar http.CookieJar

	// Proxy returns the proxy for a URL, whose scheme is ws or wss: http, https,
	// socks5 or socks5h, with user and password if it wants them; nil for none.
	// nil: ProxyFromEnvironment.
	Proxy func(*url.URL) (*url.URL, error)
	// ProxyHeader is sent to an HTTP proxy with CONNECT.
	ProxyHeader http.Header
	// DialContext opens TCP connections, to the server or the proxy. nil: a
	// net.Dialer's.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
	// TLSConfig is for wss. nil: the system's roots, and the URL's host as name.
	TLSConfig *tls.Config

	// HTTP2, if set, opens connections as streams of HTTP/2 (RFC 8441), many of which
	// share one TCP connection, to servers that let them: it sends the requests, and
	// chooses proxy, TLS and limits by itself, so that the four options above,
	// MaxHandshakeBytes and Serialize have no effect. It is a *http2.Transport of
	// golang.org/x/net/http2, or another http.RoundTripper that takes the field
	// ":protocol" of a CONNECT. nil: HTTP/1.1, which all servers understand.
	HTTP2 http.RoundTripper

	// Retry says whether and when Dial tries again, and Keep. nil: Dial never does,
	// Keep does as the zero Retry says.
	Retry *Retry
	// HandshakeTimeout bounds an attempt to connect as a whole, Auth included. 0:
	// DefaultHandshakeTimeout. Negative: only ctx does.
	HandshakeTimeout time.Duration
	// MaxHandshakeBytes is how long the header of a response may be, the proxy's
	// too. 0: DefaultMaxHandshakeBytes. Negative: no limit.
	MaxHandshakeBytes int
	// MaxRedirects is how many redirects are followed. Authorization, Cookie and
	// Proxy-Authorization go to the first host only, and never from wss to ws.
	// 0 or negative: none.
	MaxRedirects int
	// Serialize makes this handshake wait for others with the same option and the
	// same server address (§4.1: "There MUST be no more than one connection in a
	// CONNECTING state"). The rule is for programs that do not trust their own
	// users, as browsers; it is slow for those that open many connections.
	Serialize bool

	// Conn are the limits and habits of the connection.
	Conn conn.Options
}
