package server_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
	deflate "github.com/swan-ws/websocket/permessage-deflate"
	"github.com/swan-ws/websocket/server"
)

// What net/http lends to a handler is not used when that has returned: it would be
// another request's then. Here the handler returns at once, and writes go on.
func TestStreamHandler_ReturnsWhenConnectionsAreOver(t *testing.T) {
	conns, returned := make(chan *conn.Conn, 1), make(chan struct{})
	accept := server.StreamHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := server.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
		}
		conns <- c
	}))
	via := serveHTTP2(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(returned)
		accept.ServeHTTP(w, r)
	}))
	c, _ := dialHTTP2(t, via, client.Options{})
	s := <-conns
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			for s.WriteText(t.Context(), "swan") == nil {
			}
		})
	}
	for range 100 {
		if m, err := c.Read(t.Context()); err != nil || string(m.Data) != "swan" {
			t.Fatalf("%q, %v", m.Data, err)
		}
	}
	select {
	case <-returned:
		t.Fatal("the handler has returned before the connection was over")
	default:
	}
	s.CloseNow()
	<-returned
	writers.Wait()
	if err := drain(c); conn.CloseStatus(err) != frame.CloseAbnormal {
		t.Error(err)
	}
}

func TestAccept_OverHTTP2_WantsAStreamHandler(t *testing.T) {
	errs := make(chan error, 1)
	via := serveHTTP2(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := server.Accept(w, r, nil)
		errs <- err
	}))
	_, _, err := client.Dial(t.Context(), "ws://example.test/", &client.Options{HTTP2: via})
	if e := asHandshakeError(t, err); e.Status != 500 || !strings.Contains(string(e.Body), "wrap the handler in a StreamHandler") {
		t.Errorf("%d %s", e.Status, e.Body)
	}
	if err := <-errs; err == nil {
		t.Error("Accept has said nothing")
	}
}

// A response that cannot be flushed, or only by way of something that keeps it.
type opaque struct{ http.ResponseWriter }

type transparent struct{ http.ResponseWriter }

func (t transparent) Unwrap() http.ResponseWriter { return t.ResponseWriter }

func TestService_OverHTTP2_LooksThroughMiddleware(t *testing.T) {
	for name, tt := range map[string]struct {
		wrap func(http.ResponseWriter) http.ResponseWriter
		want int
	}{
		"with Unwrap":    {func(w http.ResponseWriter) http.ResponseWriter { return transparent{transparent{w}} }, 0},
		"without Unwrap": {func(w http.ResponseWriter) http.ResponseWriter { return opaque{w} }, 500},
	} {
		t.Run(name, func(t *testing.T) {
			via := serveHTTP2(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { echo().ServeHTTP(tt.wrap(w), r) }))
			c, _, err := client.Dial(t.Context(), "ws://example.test/", &client.Options{HTTP2: via})
			if tt.want == 0 {
				if err != nil {
					t.Fatal(err)
				}
				roundTrip(t, c, "swan")
				c.Close(1000, "")
				return
			}
			if e := asHandshakeError(t, err); e.Status != tt.want || !strings.Contains(string(e.Body), "Unwrap") {
				t.Errorf("%d %s", e.Status, e.Body)
			}
		})
	}
}

// What is of the connection is nobody else's, as over HTTP/1.1.
func TestStreamHandler_LendsAStreamOnce(t *testing.T) {
	via := serveHTTP2(t, server.StreamHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := server.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		if _, err := server.Accept(w, r, nil); err == nil {
			t.Error("accepted twice")
		}
		http.Error(w, "not for the peer", http.StatusTeapot)
		if _, err := io.WriteString(w, "nor this"); !errors.Is(err, http.ErrHijacked) {
			t.Error(err)
		}
		if err := http.NewResponseController(w).Flush(); !errors.Is(err, http.ErrHijacked) {
			t.Error(err)
		}
		w.(http.Flusher).Flush()
		c.Close(frame.CloseNormal, "")
	})))
	c, _ := dialHTTP2(t, via, plain())
	if err := drain(c); conn.CloseStatus(err) != frame.CloseNormal {
		t.Error(err)
	}
}

// plain are options of a client that agrees on nothing.
func plain() client.Options {
	return client.Options{Conn: conn.Options{Compression: deflate.Options{Mode: deflate.Off}}}
}

// Until then it is a response as any other.
func TestStreamHandler_LeavesRefusalsToItsHandler(t *testing.T) {
	via := serveHTTP2(t, server.StreamHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		io.WriteString(w, "short and stout")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
	})))
	_, _, err := client.Dial(t.Context(), "ws://example.test/", &client.Options{HTTP2: via})
	if e := asHandshakeError(t, err); e.Status != http.StatusTeapot || string(e.Body) != "short and stout" {
		t.Errorf("%d %q", e.Status, e.Body)
	}
}

// Nobody would come to close it.
func TestStreamHandler_ClosesTheConnectionOfAHandlerThatPanics(t *testing.T) {
	conns := make(chan *conn.Conn, 1)
	via := serveHTTP2(t, server.StreamHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := server.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
		}
		conns <- c
		panic(http.ErrAbortHandler)
	})))
	c, _ := dialHTTP2(t, via, client.Options{})
	if err := drain(c); conn.CloseStatus(err) != frame.CloseAbnormal {
		t.Error(err)
	}
	if err := drain(<-conns); conn.CloseStatus(err) != frame.CloseAbnormal {
		t.Error(err)
	}
}

// A limit for bodies is none for streams.
func TestStreamHandler_IsForStreamsWithoutEnd(t *testing.T) {
	c, _ := dialHTTP2(t, serveHTTP2(t, server.StreamHandler(http.MaxBytesHandler(echo(), 1000))), plain())
	for range 3 {
		roundTrip(t, c, strings.Repeat("swan", 200))
	}
}

// The peer sees the end at once, whatever the callbacks are at.
func TestService_OverHTTP2_EndsTheStreamBesideASlowCallback(t *testing.T) {
	release, conns := make(chan struct{}), make(chan *conn.Conn, 1)
	via := serveHTTP2(t, &server.Service{Logger: quiet(), OnText: func(c *conn.Conn, m conn.Message) (any, error) {
		conns <- c
		<-release
		return nil, nil
	}})
	defer close(release)
	c, _ := dialHTTP2(t, via, client.Options{})
	if err := c.WriteText(t.Context(), "swan"); err != nil {
		t.Fatal(err)
	}
	(<-conns).CloseNow()
	if err := drain(c); conn.CloseStatus(err) != frame.CloseAbnormal {
		t.Error(err)
	}
}
