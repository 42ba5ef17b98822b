package server_test

//lint:file-ignore SA1019 net/http's Transport does not take ":protocol".

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
	deflate "github.com/swan-ws/websocket/permessage-deflate"
	"github.com/swan-ws/websocket/server"
)

// A page and its connections share a TCP connection, which Shutdown ends in order.
func TestServer_TakesConnectionsOverHTTP2_AndShutsThemDown(t *testing.T) {
	ca := newAuthority(t)
	files := ca.tlsFiles(t)
	mux := http.NewServeMux()
	mux.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.RemoteAddr) })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { // a handler that accepts needs no StreamHandler here
		c, err := server.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		go func() {
			defer c.CloseNow()
			for m, err := range c.Messages(c.Context()) {
				if err != nil {
					return
				}
				c.Write(c.Context(), m.Type, m.Data)
			}
		}()
	})
	srv := &server.Server{Handler: mux, Logger: quiet()}
	l := listenTCP(t)
	runOn(t, srv, func() error { return srv.ServeTLS(l, files.Cert, files.Key) })
	via := closing(t, &http2.Transport{TLSClientConfig: ca.trusted()})
	resp, err := (&http.Client{Transport: via}).Get("https://" + l.Addr().String() + "/page")
	if err != nil {
		t.Fatal(err)
	}
	page, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	var all []*conn.Conn
	for range 3 {
		c, _, err := client.Dial(t.Context(), "wss://"+l.Addr().String(), &client.Options{HTTP2: via})
		if err != nil {
			t.Fatal(err)
		}
		roundTrip(t, c, "swan")
		if !c.Secure() || c.LocalAddr().String() != string(page) || c.RemoteAddr().String() != l.Addr().String() {
			t.Errorf("from %v to %v, the page from %s", c.LocalAddr(), c.RemoteAddr(), page)
		}
		all = append(all, c)
	}
	for s := range srv.Conns().All() {
		if !s.Secure() || s.RemoteAddr().String() != string(page) || s.LocalAddr().String() != l.Addr().String() {
			t.Errorf("the server's from %v to %v", s.RemoteAddr(), s.LocalAddr())
		}
	}
	ends := make(chan error, len(all))
	for _, c := range all {
		go func() { ends <- drain(c) }()
	}
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	for range all {
		if err := <-ends; conn.CloseStatus(err) != frame.CloseGoingAway {
			t.Error(err)
		}
	}
}

// The connections of a page, or of all that come by one proxy, have a window for what
// they send in common. One of which nothing is read must not use it up.
func TestServer_OverHTTP2_ASlowCallback_HoldsUpNoOtherConnection(t *testing.T) {
	ca := newAuthority(t)
	files := ca.tlsFiles(t)
	release := make(chan struct{})
	mux := http.NewServeMux()
	mux.Handle("/echo", echo())
	mux.Handle("/slow", &server.Service{Waiting: 1, Logger: quiet(), OnMessage: func(*conn.Conn, conn.Message) (any, error) {
		<-release
		return nil, nil
	}})
	srv := &server.Server{Handler: mux, Logger: quiet()}
	l := listenTCP(t)
	runOn(t, srv, func() error { return srv.ServeTLS(l, files.Cert, files.Key) })
	defer close(release)
	o := &client.Options{HTTP2: closing(t, &http2.Transport{TLSClientConfig: ca.trusted()})}
	o.Conn.Compression.Mode = deflate.Off
	connect := func(path string) *conn.Conn {
		c, _, err := client.Dial(t.Context(), "wss://"+l.Addr().String()+path, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.CloseNow() })
		return c
	}
	slow, c := connect("/slow"), connect("/echo")
	taken := make(chan struct{})
	go func() {
		for slow.Write(t.Context(), conn.Binary, make([]byte, 1<<16)) == nil {
			select {
			case taken <- struct{}{}:
			case <-t.Context().Done():
				return
			}
		}
	}()
	for full := false; !full; {
		select {
		case <-taken:
		case <-time.After(200 * time.Millisecond): // if it is merely late, the rest shows less
			full = true
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := c.WriteText(ctx, "swan"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(ctx); err != nil {
		t.Error(err)
	}
}

// One TCP connection too many is told so, and is over, whatever goes over it.
func TestServer_OverHTTP2_LimitsConnectionsOfOneAddress(t *testing.T) {
	ca := newAuthority(t)
	files := ca.tlsFiles(t)
	srv := &server.Server{Handler: http.NotFoundHandler(), MaxConnsPerAddr: 1, HandshakeTimeout: time.Minute, Logger: quiet()}
	l := listenTCP(t)
	runOn(t, srv, func() error { return srv.ServeTLS(l, files.Cert, files.Key) })
	status := func(via *http2.Transport) int {
		resp, err := (&http.Client{Transport: via}).Get("https://" + l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	first := closing(t, &http2.Transport{TLSClientConfig: ca.trusted()})
	if got := status(first); got != http.StatusNotFound {
		t.Fatal(got)
	}
	closed := make(chan struct{})
	dialer := tls.Dialer{Config: ca.trusted()}
	dialer.Config.NextProtos = []string{"h2"}
	second := closing(t, &http2.Transport{DialTLSContext: func(ctx context.Context, network, addr string, _ *tls.Config) (net.Conn, error) {
		nc, err := dialer.DialContext(ctx, network, addr)
		return &toldClosed{nc, closed}, err
	}})
	if got := status(second); got != http.StatusTooManyRequests {
		t.Error(got)
	}
	select {
	case <-closed:
	case <-time.After(10 * time.Second): // and not when it has been idle for a minute
		t.Error("it is still open")
	}
	if got := status(first); got != http.StatusNotFound {
		t.Error(got)
	}
}

// toldClosed tells of the first end that is read.
type toldClosed struct {
	net.Conn
	closed chan struct{}
}

func (c *toldClosed) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil {
		close(c.closed)
	}
	return n, err
}
