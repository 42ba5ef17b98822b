package server_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/frame"
	"github.com/swan-ws/websocket/server"
)

// A handler that sends back what it gets.
func ExampleAccept() {
	handler := func(w http.ResponseWriter, r *http.Request) {
		c, err := server.Accept(w, r, nil)
		if err != nil {
			return // the response has been sent
		}
		defer c.CloseNow()
		for m, err := range c.Messages(r.Context()) {
			if err != nil {
				return
			}
			c.Write(r.Context(), m.Type, m.Data)
		}
	}

	ts := httptest.NewServer(http.HandlerFunc(handler))
	defer ts.Close()
	ctx := context.Background()
	c, _, err := client.Dial(ctx, "ws"+strings.TrimPrefix(ts.URL, "http"), nil)
	if err != nil {
		log.Fatal(err)
	}
	c.WriteText(ctx, "hello")
	m, err := c.Read(ctx)
	fmt.Println(string(m.Data), err)
	fmt.Println(c.Close(frame.CloseNormal, "that is all"))
	// Output:
	// hello <nil>
	// <nil>
}

// The same, called back.
func ExampleService() {
	ended := make(chan frame.CloseCode)
	echo := &server.Service{
		OnOpen: func(_ *conn.Conn, r *http.Request) error {
			fmt.Println("open", r.URL.Path)
			return nil
		},
		OnMessage: func(_ *conn.Conn, m conn.Message) (any, error) { return m, nil },
		OnClose:   func(_ *conn.Conn, err error) { ended <- conn.CloseStatus(err) },
	}

	// In a program: http.Handle("/echo", echo).
	ts := httptest.NewServer(echo)
	defer ts.Close()
	ctx := context.Background()
	c, _, err := client.Dial(ctx, "ws"+strings.TrimPrefix(ts.URL, "http")+"/echo", nil)
	if err != nil {
		log.Fatal(err)
	}
	c.WriteText(ctx, "hello")
	m, err := c.Read(ctx)
	fmt.Println(string(m.Data), err)
	c.Close(frame.CloseNormal, "")
	fmt.Println("close", <-ended)
	// Output:
	// open /echo
	// hello <nil>
	// close 1000 normal closure
}

// A handler can be tested without a network: give Serve one end of a pair, and
// be the client with the other.
func ExampleService_Serve() {
	shout := &server.Service{
		OnText: func(_ *conn.Conn, m conn.Message) (any, error) {
			return strings.ToUpper(string(m.Data)), nil
		},
	}

	s, c := conntest.Pair(shout.ConnOptions(), conn.Options{})
	go shout.Serve(s, httptest.NewRequest("GET", "/", nil))
	c.WriteText(context.Background(), "hello")
	m, err := c.Read(context.Background())
	fmt.Println(string(m.Data), err)
	c.Close(frame.CloseNormal, "")
	// Output: HELLO <nil>
}

// Check says who may connect, and how the others are told.
func ExampleOptions_check() {
	service := &server.Service{
		Options: server.Options{
			Check: func(r *http.Request) error {
				if _, _, ok := r.BasicAuth(); !ok {
					return &server.Rejection{
						Status: http.StatusUnauthorized,
						Header: http.Header{"Www-Authenticate": {`Basic realm="swans"`}},
						Body:   "log in first",
					}
				}
				return nil
			},
		},
		Logger: quiet(),
	}

	ts := httptest.NewServer(service)
	defer ts.Close()
	_, resp, err := client.Dial(context.Background(), "ws"+strings.TrimPrefix(ts.URL, "http"), nil)
	fmt.Println(resp.StatusCode, resp.Header.Get("WWW-Authenticate"), err != nil)
	// Output: 401 Basic realm="swans" true
}

// Shutdown says goodbye to everyone, and waits for them.
func ExampleServer_Shutdown() {
	srv := &server.Server{
		Handler: &server.Service{
			OnClose: func(_ *conn.Conn, err error) { fmt.Println("server:", err) },
		},
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go srv.Serve(l)

	c, _, err := client.Dial(context.Background(), "ws://"+l.Addr().String(), nil)
	if err != nil {
		log.Fatal(err)
	}
	reader := make(chan error)
	go func() {
		_, err := c.Read(context.Background())
		reader <- err
	}()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err = srv.Shutdown(ctx)
	fmt.Println("shutdown:", err)
	fmt.Println("client:", conn.CloseStatus(<-reader))
	// Output:
	// server: websocket: closed: 1001 going away: "server is shutting down"
	// shutdown: <nil>
	// client: 1001 going away
}
