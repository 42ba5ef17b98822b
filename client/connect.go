package client

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/http/httpproxy"
	"golang.org/x/net/proxy"

	"github.com/swan-ws/websocket/handshake"
)

// ProxyFromEnvironment returns the proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY
// name for u: for wss as for https, for ws as for http.
func ProxyFromEnvironment(u *url.URL) (*url.URL, error) {
	as := *u
	switch u.Scheme {
	case "ws":
		as.Scheme = "http"
	case "wss":
		as.Scheme = "https"
	}
	return httpproxy.FromEnvironment().ProxyFunc()(&as)
}

// connect opens the stream for a handshake: TCP, through a proxy or not, and TLS
// over it for wss.
func (d dialer) connect(ctx context.Context, t handshake.Target) (net.Conn, error) {
	trace := httptrace.ContextClientTrace(ctx)
	if trace != nil && trace.GetConn != nil {
		trace.GetConn(t.Addr)
	}
	nc, err := d.connectTCP(ctx, t)
	if err == nil && t.Secure {
		nc, err = startTLS(ctx, nc, d.TLSConfig, t.ServerName, trace)
	}
	if err != nil {
		return nil, err
	}
	if trace != nil && trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{Conn: nc})
	}
	return nc, nil
}

func (d dialer) connectTCP(ctx context.Context, t handshake.Target) (net.Conn, error) {
	find := d.Proxy
	if find == nil {
		find = ProxyFromEnvironment
	}
	u := t.HTTPURL()
	u.Scheme = map[bool]string{false: "ws", true: "wss"}[t.Secure]
	via, err := find(u)
	switch {
	case err != nil:
		return nil, fmt.Errorf("choosing a proxy: %w", err)
	case via == nil:
		return d.dialTCP(ctx, "tcp", t.Addr)
	}
	nc, err := d.connectVia(ctx, via, t.Addr)
	if err != nil {
		return nil, fmt.Errorf("proxy %s: %w", via.Redacted(), err)
	}
	return nc, nil
}

func (d dialer) dialTCP(ctx context.Context, network, addr string) (net.Conn, error) {
	if d.DialContext != nil {
		return d.DialContext(ctx, network, addr)
	}
	return new(net.Dialer).DialContext(ctx, network, addr)
}

func (d dialer) connectVia(ctx context.Context, via *url.URL, addr string) (net.Conn, error) {
	switch via.Scheme {
	case "http", "https":
		return d.connectHTTP(ctx, via, addr)
	case "socks5", "socks5h":
		var auth *proxy.Auth
		if via.User != nil {
			password, _ := via.User.Password()
			auth = &proxy.Auth{User: via.User.Username(), Password: password}
		}
		socks, err := proxy.SOCKS5("tcp", proxyAddr(via, "1080"), auth, forward(d.dialTCP))
		if err != nil {
			return nil, err
		}
		return socks.(proxy.ContextDialer).DialContext(ctx, "tcp", addr)
	}
	return nil, fmt.Errorf("scheme %.32q is not supported: use http, https, socks5 or socks5h", via.Scheme)
}

// forward lets package proxy use our way to dial.
type forward func(ctx context.Context, network, addr string) (net.Conn, error)

func (f forward) Dial(network, addr string) (net.Conn, error) {
	return f(context.Background(), network, addr)
}

func (f forward) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	return f(ctx, network, addr)
}

func proxyAddr(via *url.URL, port string) string {
	if p := via.Port(); p != "" {
		port = p
	}
	return net.JoinHostPort(via.Hostname(), port)
}

// connectHTTP asks an HTTP proxy for a tunnel (§4.1, RFC 9110 §9.3.6).
func (d dialer) connectHTTP(ctx context.Context, via *url.URL, addr string) (net.Conn, error) {
	port := "80"
	if via.Scheme == "https" {
		port = "443"
	}
	request, err := d.appendConnect(nil, via, addr)
	if err != nil {
		return nil, err
	}
	nc, err := d.dialTCP(ctx, "tcp", proxyAddr(via, port))
	if err != nil {
		return nil, err
	}
	if via.Scheme == "https" {
		if nc, err = startTLS(ctx, nc, nil, via.Hostname(), nil); err != nil {
			return nil, err
		}
	}
	release := bind(ctx, nc)
	err = tunnel(nc, request, d.maxHandshakeBytes())
	if late := release(); late != nil {
		err = late
	}
	if err != nil {
		nc.Close()
		return nil, err
	}
	return nc, nil
}

func (d dialer) appendConnect(dst []byte, via *url.URL, addr string) ([]byte, error) {
	dst = fmt.Appendf(dst, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n", addr, addr)
	if via.User != nil {
		password, _ := via.User.Password()
		credentials := base64.StdEncoding.EncodeToString([]byte(via.User.Username() + ":" + password))
		dst = fmt.Appendf(dst, "Proxy-Authorization: Basic %s\r\n", credentials)
	}
	for name, values := range d.ProxyHeader {
		for _, value := range values {
			if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
				return nil, &handshake.Error{Section: "RFC 9110 §5", Reason: fmt.Sprintf("ProxyHeader: %.128q is no legal header field, or has no legal value", name)}
			}
			dst = fmt.Appendf(dst, "%s: %s\r\n", name, value)
		}
	}
	return append(dst, "\r\n"...), nil
}

func tunnel(nc net.Conn, request []byte, limit int) error {
	if _, err := nc.Write(request); err != nil {
		return err
	}
	in := &limitReader{r: nc, left: limit}
	br := bufio.NewReader(in)
	resp, err := http.ReadResponse(br, &http.Request{Method: http.MethodConnect})
	switch err = in.orCause(err); {
	case err != nil:
		return fmt.Errorf("no answer to CONNECT: %w", err)
	case resp.StatusCode/100 != 2:
		return &proxyError{resp.StatusCode}
	case br.Buffered() > 0:
		// The server has not been spoken to yet: these bytes are not its.
		return errors.New("bytes behind the answer to CONNECT")
	}
	return nil
}

// startTLS does the TLS handshake. The name is that of the URL, whatever address
// or proxy it goes through, unless the caller's config has one.
func startTLS(ctx context.Context, nc net.Conn, config *tls.Config, name string, trace *httptrace.ClientTrace) (net.Conn, error) {
	if config == nil {
		config = &tls.Config{}
	} else {
		config = config.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = name
	}
	config.NextProtos = []string{"http/1.1"}
	if trace != nil && trace.TLSHandshakeStart != nil {
		trace.TLSHandshakeStart()
	}
	tc := tls.Client(nc, config)
	err := tc.HandshakeContext(ctx)
	if trace != nil && trace.TLSHandshakeDone != nil {
		trace.TLSHandshakeDone(tc.ConnectionState(), err)
	}
	if err != nil {
		nc.Close()
		return nil, err
	}
	return tc, nil
}
