package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
	ws "github.com/swan-ws/websocket/server"
)

func ExampleDial() {
	ts := httptest.NewServer(&ws.Service{
		OnText: func(_ *conn.Conn, m conn.Message) (any, error) { return string(m.Data), nil },
	})
	defer ts.Close()

	ctx := context.Background()
	c, _, err := client.Dial(ctx, "ws"+strings.TrimPrefix(ts.URL, "http"), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer c.CloseNow()
	c.WriteText(ctx, "hello")
	m, err := c.Read(ctx)
	fmt.Println(string(m.Data), err)
	fmt.Println(c.Close(frame.CloseNormal, ""))
	// Output:
	// hello <nil>
	// <nil>
}

// What a server answers instead of opening a connection is in the error.
func ExampleDial_refused() {
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "30")
		http.Error(w, "closed for the night", http.StatusServiceUnavailable)
	}))
	defer ts.Close()

	_, _, err := client.Dial(context.Background(), "ws"+strings.TrimPrefix(ts.URL, "http"), nil)
	if e, ok := errors.AsType[*client.HandshakeError](err); ok {
		fmt.Println(e)
		fmt.Println("status", e.Status, "retry after", e.Header.Get("Retry-After"))
	}
	// Output:
	// server refused with 503 Service Unavailable: "closed for the night\n"
	// status 503 retry after 30
}

// A client that logs in, and offers two versions of its subprotocol.
func ExampleOptions() {
	ts := httptest.NewServer(&ws.Service{
		Options: ws.Options{Subprotocols: []string{"chat.v1"}},
		OnOpen: func(_ *conn.Conn, r *http.Request) error {
			fmt.Println(r.Header.Get("Authorization"))
			return nil
		},
	})
	defer ts.Close()

	c, _, err := client.Dial(context.Background(), "ws"+strings.TrimPrefix(ts.URL, "http"), &client.Options{
		Auth:         client.Bearer("swan"),
		Subprotocols: []string{"chat.v2", "chat.v1"},
		Conn:         conn.Options{MaxMessage: 64 << 10},
	})
	if err != nil {
		log.Fatal(err)
	}
	c.Close(frame.CloseNormal, "")
	fmt.Println(c.Subprotocol())
	// Output:
	// Bearer swan
	// chat.v1
}
