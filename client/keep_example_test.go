package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
	ws "github.com/swan-ws/websocket/server"
)

// restarting is a server whose first two connections end as if it were restarted.
func restarting() *httptest.Server {
	var starts atomic.Int32
	return httptest.NewServer(&ws.Service{
		OnText: func(c *conn.Conn, m conn.Message) (any, error) {
			n := starts.Add(1)
			if n < 3 {
				return frame.CloseServiceRestart, nil
			}
			return fmt.Sprintf("%s: start %d", m.Data, n), nil
		},
	})
}

// A connection that is opened again when it is lost, with what it needs each time.
func ExampleKeep() {
	ts := restarting()
	defer ts.Close()

	o := &client.Options{Retry: &client.Retry{Interval: time.Millisecond}}
	err := client.Keep(context.Background(), "ws"+strings.TrimPrefix(ts.URL, "http"), o, func(ctx context.Context, c *conn.Conn) error {
		if err := c.WriteText(ctx, "subscribe"); err != nil {
			return err
		}
		for m, err := range c.Messages(ctx) {
			if err != nil {
				return err
			}
			fmt.Println(string(m.Data))
			break
		}
		return nil
	})
	fmt.Println(err)
	// Output:
	// subscribe: start 3
	// <nil>
}

// A client with callbacks: a Service on every connection, until the context ends.
func ExampleKeep_callbacks() {
	ts := restarting()
	defer ts.Close()

	ctx, cancel := context.WithCancel(context.Background())
	service := &ws.Service{
		OnOpen: func(c *conn.Conn, _ *http.Request) error { return c.WriteText(ctx, "subscribe") },
		OnText: func(_ *conn.Conn, m conn.Message) (any, error) {
			fmt.Println(string(m.Data))
			cancel()
			return nil, nil
		},
		OnClose: func(_ *conn.Conn, err error) { fmt.Println(err) },
	}
	o := &client.Options{
		Conn:  service.ConnOptions(),
		Retry: &client.Retry{Interval: time.Millisecond},
	}
	err := client.Keep(ctx, "ws"+strings.TrimPrefix(ts.URL, "http"), o, func(_ context.Context, c *conn.Conn) error {
		service.Serve(c, nil)
		return c.Err()
	})
	fmt.Println(errors.Is(err, context.Canceled))
	// Output:
	// websocket: closed by peer: 1012 service restart
	// websocket: closed by peer: 1012 service restart
	// subscribe: start 3
	// websocket: closed: 1001 going away
	// true
}

// Messages written at any time, of which none is lost with a connection.
func ExampleOutbox() {
	ts := httptest.NewServer(&ws.Service{
		OnText: func(_ *conn.Conn, m conn.Message) (any, error) {
			fmt.Printf("received %s\n", m.Data)
			return nil, nil
		},
	})
	defer ts.Close()

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var out client.Outbox
	go func() {
		defer cancel()
		for _, price := range []string{"1.20", "1.21", "1.19"} {
			out.Write(ctx, conn.Text, []byte(price))
		}
		out.Flush(ctx)
	}()
	err := client.Keep(ctx, "ws"+strings.TrimPrefix(ts.URL, "http"), nil, func(ctx context.Context, c *conn.Conn) error {
		in := client.ReadAhead(c, 16) // somebody must read
		err := out.Attach(ctx, c, func(m conn.Message) bool {
			fmt.Printf("%s may be lost: once more\n", m.Data)
			return true
		})
		for err == nil {
			_, err = in.Read(ctx)
		}
		return err
	})
	fmt.Println(errors.Is(err, context.Canceled), len(out.Unconfirmed()))
	// Output:
	// received 1.20
	// received 1.21
	// received 1.19
	// true 0
}

// Pings and the peer's Close are answered while this program does something else.
func ExampleReadAhead() {
	ts := httptest.NewServer(&ws.Service{
		OnOpen: func(c *conn.Conn, _ *http.Request) error { return c.WriteText(c.Context(), "welcome") },
	})
	defer ts.Close()

	ctx := context.Background()
	c, _, err := client.Dial(ctx, "ws"+strings.TrimPrefix(ts.URL, "http"), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer c.CloseNow()
	in := client.ReadAhead(c, 16)
	if _, err := c.Ping(ctx); err != nil { // nobody would meet the Pong else
		log.Fatal(err)
	}
	m, err := in.Read(ctx)
	fmt.Println(string(m.Data), err)
	// Output: welcome <nil>
}

// A token for every connection, and another attempt if one has expired.
func ExampleBearerFrom() {
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer token-2" {
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		new(ws.Service).ServeHTTP(w, r)
	}))
	defer ts.Close()

	asked := 0
	o := &client.Options{
		Auth: client.BearerFrom(func(context.Context) (string, error) {
			asked++
			return fmt.Sprint("token-", asked), nil
		}),
		Retry: &client.Retry{
			MaxCount: 2,
			Interval: time.Millisecond,
			When: func(err error) bool {
				refusal, ok := errors.AsType[*client.HandshakeError](err)
				return ok && refusal.Status == http.StatusUnauthorized || client.Retryable(err)
			},
			OnRetry: func(err error, attempt int, _ time.Duration) {
				refusal, _ := errors.AsType[*client.HandshakeError](err)
				fmt.Println(attempt, refusal)
			},
		},
	}
	c, _, err := client.Dial(context.Background(), "ws"+strings.TrimPrefix(ts.URL, "http"), o)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("open:", c.Close(frame.CloseNormal, ""))
	// Output:
	// 1 server refused with 401 Unauthorized (it wants "Bearer error=\"invalid_token\"", and did not take the Authorization it got: see Options.Auth)
	// open: <nil>
}
