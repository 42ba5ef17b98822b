package server_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/frame"
	"github.com/swan-ws/websocket/server"
)

// answer serves a client that sends texts, and prints the answer to each.
func answer(s *server.Service, texts ...string) {
	there, c := conntest.Pair(s.ConnOptions(), conn.Options{})
	served := make(chan struct{})
	go func() { defer close(served); s.Serve(there, nil) }()
	for _, text := range texts {
		c.WriteText(context.Background(), text)
		fmt.Println(conn.ReadValue[string](context.Background(), c))
	}
	c.Close(frame.CloseNormal, "")
	<-served
}

func ExampleOnMessage() {
	type point struct{ X, Y int }
	answer(&server.Service{
		OnText: server.OnMessage(func(_ *conn.Conn, p point) (any, error) {
			return point{p.Y, p.X}, nil // JSON, too
		}),
	}, `{"x":1,"y":2}`)
	// Output: {"X":2,"Y":1} <nil>
}

func ExampleRouter() {
	r := &server.Router{Key: "type", ID: "id"}
	server.On(r, "greet", func(_ *conn.Conn, v struct{ Name string }) (any, error) {
		return map[string]string{"greeting": "Hello, " + v.Name}, nil
	})
	r.HandleError("greet", func(_ *conn.Conn, err error) (any, error) {
		e, _ := errors.AsType[*conn.BindError](err)
		return map[string]string{"wrong": e.Field}, nil
	})
	answer(&server.Service{OnText: r.Serve}, `{"type":"greet","name":"Leda","id":1}`, `{"type":"greet","name":5,"id":2}`)
	// Output:
	// {"id":1,"greeting":"Hello, Leda"} <nil>
	// {"id":2,"wrong":"Name"} <nil>
}

// A Close frame is a reply, an error, or a value of a stream.
func ExampleCloseFrame() {
	full := server.CloseFrame{Code: frame.CloseTryAgainLater, Reason: "full"}
	answer(&server.Service{OnText: func(*conn.Conn, conn.Message) (any, error) { return full, nil }}, "x")
	answer(&server.Service{OnText: func(*conn.Conn, conn.Message) (any, error) { return nil, full }}, "x")
	// Output:
	//  websocket: closed by peer: 1013 try again later: "full"
	//  websocket: closed by peer: 1013 try again later: "full"
}

// Send sends what a Handler may return, at any other time.
func ExampleSend() {
	s, c := conntest.Pair(conn.Options{}, conn.Options{})
	defer c.CloseNow()
	var squares iter.Seq[int] = func(yield func(int) bool) {
		for i := 1; i < 4 && yield(i*i); i++ {
		}
	}
	go func() {
		server.Send(s, squares)
		server.Send(s, frame.CloseNormal)
	}()
	for m, err := range c.Messages(context.Background()) {
		fmt.Println(string(m.Data), conn.CloseStatus(err))
	}
	// Output:
	// 1 0
	// 4 0
	// 9 0
	//  1000 normal closure
}

func ExampleUpgrade() {
	mux := http.NewServeMux()
	mux.Handle("GET /double/{n}", server.Upgrade(func(r *http.Request) (*server.Service, error) {
		n := r.PathValue("n")
		if n == "0" {
			return nil, &server.Rejection{Status: http.StatusBadRequest, Body: "nothing to double"}
		}
		return &server.Service{
			Options: server.Options{Subprotocols: []string{"doubling"}},
			OnOpen:  func(c *conn.Conn, _ *http.Request) error { return server.Send(c, n+n) },
			Logger:  quiet(),
		}, nil
	}))
	ts := httptest.NewServer(mux)
	defer ts.Close()

	ctx := context.Background()
	c, _, err := client.Dial(ctx, "ws"+strings.TrimPrefix(ts.URL, "http")+"/double/ab", &client.Options{Subprotocols: []string{"doubling"}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(conn.ReadValue[string](ctx, c))
	fmt.Println(c.Subprotocol(), c.Close(frame.CloseNormal, ""))
	// Output:
	// abab <nil>
	// doubling <nil>
}
