package websocket_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log"
	"log/slog"
	"net/http"
	"slices"

	"github.com/swan-ws/websocket"
	"github.com/swan-ws/websocket/conn/conntest"
)

// talk serves a client that sends messages, and prints the answers until the end, or
// so many.
func talk(s *websocket.Service, answers int, messages ...string) {
	server, client := conntest.Pair(s.ConnOptions(), websocket.ConnOptions{})
	served := make(chan struct{})
	go func() { defer close(served); s.Serve(server, nil) }()
	ctx := context.Background()
	for _, m := range messages {
		client.WriteText(ctx, m)
	}
	for range answers {
		m, err := client.Read(ctx)
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Printf("%s\n", m.Data)
	}
	client.Close(websocket.CloseNormal, "")
	<-served
}

type Order struct {
	Item  string
	Price float64
}

func (o Order) Validate() error {
	if o.Price < 0 {
		return errors.New("who pays whom?")
	}
	return nil
}

// A message as a value. One that is not an order is told to OnError, and the
// connection goes on.
func ExampleOnMessage() {
	shop := &websocket.Service{
		OnText: websocket.OnMessage(func(c *websocket.Conn, o Order) (any, error) {
			return map[string]any{"sold": o.Item, "with tax": o.Price * 1.25}, nil
		}),
		Logger: slog.New(slog.DiscardHandler),
		OnError: func(c *websocket.Conn, err error) {
			if e, ok := errors.AsType[*websocket.BindError](err); ok {
				websocket.Send(c, fmt.Sprintf("field %q: %v", e.Field, e.Err))
			}
		},
	}
	talk(shop, 3, `{"item":"egg","price":8}`, `{"item":"egg","price":"eight"}`, `{"item":"egg","price":-1}`)
	// Output:
	// {"sold":"egg","with tax":10}
	// field "Price": json: cannot unmarshal string into Go struct field Order.Price of type float64
	// field "": who pays whom?
}

// A stream: a message for each value. It goes as fast as the peer reads, and ends with
// the connection. Other messages are answered meanwhile.
func ExampleHandler_stream() {
	countdown := func(c *websocket.Conn, from int) (any, error) {
		return iter.Seq2[int, error](func(yield func(int, error) bool) {
			for i := from; i >= 0; i-- {
				if !yield(i, nil) {
					return
				}
			}
			yield(0, websocket.CloseFrame{Code: websocket.CloseNormal, Reason: "lift-off"})
		}), nil
	}
	talk(&websocket.Service{OnText: websocket.OnMessage(countdown)}, 4, "2")
	// Output:
	// 2
	// 1
	// 0
	// websocket: closed by peer: 1000 normal closure: "lift-off"
}

// Messages told apart by their field "event", and answers that carry the message's
// "id".
func ExampleRouter() {
	r := &websocket.Router{Key: "event", ID: "id"}
	websocket.On(r, "sum", func(c *websocket.Conn, v struct{ Of []int }) (any, error) {
		sum := 0
		for _, n := range v.Of {
			sum += n
		}
		return map[string]int{"sum": sum}, nil
	})
	websocket.On(r, "list", func(c *websocket.Conn, v struct{ Below int }) (any, error) {
		return slices.Values([]map[string]int{{"n": 0}, {"n": 1}}), nil
	})
	r.Unknown = func(c *websocket.Conn, m websocket.Message) (any, error) {
		return map[string]string{"error": "what is that?"}, nil
	}
	service := &websocket.Service{OnText: r.Serve}

	talk(service, 1, `{"event":"sum","of":[1,2,3],"id":"a"}`)
	talk(service, 2, `{"event":"list","id":"b"}`)
	talk(service, 1, `{"event":"unsubscribe","id":"c"}`)
	// Output:
	// {"id":"a","sum":6}
	// {"id":"b","n":0}
	// {"id":"b","n":1}
	// {"id":"c","error":"what is that?"}
}

// Each connection has a Service of its own, made of what its request says; so what
// belongs to one needs no lock and no map.
func ExampleUpgrade() {
	mux := http.NewServeMux()
	mux.Handle("GET /chat/{user}", websocket.Upgrade(func(r *http.Request) (*websocket.Service, error) {
		user := r.PathValue("user")
		if user == "guest" {
			return nil, &websocket.Rejection{Status: http.StatusUnauthorized, Body: "choose a name"}
		}
		lines := 0
		return &websocket.Service{
			OnText: func(c *websocket.Conn, m websocket.Message) (any, error) {
				lines++
				return fmt.Sprintf("%s, line %d: %s", user, lines, m.Data), nil
			},
		}, nil
	}))
	url, stop := start(mux)
	defer stop()

	ctx := context.Background()
	c, _, err := websocket.Dial(ctx, url+"/chat/leda", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer c.CloseNow()
	for _, text := range []string{"hello", "anybody here?"} {
		c.WriteText(ctx, text)
		answer, err := websocket.ReadValue[string](ctx, c)
		fmt.Println(answer, err)
	}
	// Output:
	// leda, line 1: hello <nil>
	// leda, line 2: anybody here? <nil>
}
