// Command dispatch tells messages apart by their field "event", and calls a function
// for each kind.
//
//	go run ./examples/dispatch
//	go run ./cmd/ws connect ws://localhost:8080/
//
// Then enter:
//
//	{"event":"heartbeat"}
//	{"event":"subscribe","pair":["XBT/USD","XBT/EUR"],"id":7}
//	{"event":"subscribe","pair":"XBT/USD","id":8}
//	{"event":"dance"}
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/swan-ws/websocket"
)

// What messages and answers look like.
type (
	subscribe struct {
		Pair []string `json:"pair"`
	}
	subscribed struct {
		Event string   `json:"event"`
		Pair  []string `json:"pair"`
	}
	event struct {
		Event string `json:"event"`
	}
	failure struct {
		Event string `json:"event"`
		Field string `json:"field,omitempty"`
	}
)

// Validate says what a subscription needs, beside its types.
func (s subscribe) Validate() error {
	if len(s.Pair) == 0 {
		return errors.New("no pair to subscribe to")
	}
	return nil
}

func handler() http.Handler {
	router := &websocket.Router{Key: "event", ID: "id"} // the answer gets the id of its message
	websocket.On(router, "heartbeat", func(c *websocket.Conn, _ event) (any, error) {
		return event{"heartbeat"}, nil
	})
	websocket.On(router, "subscribe", func(c *websocket.Conn, s subscribe) (any, error) {
		return subscribed{"subscribed", s.Pair}, nil
	})
	router.HandleError("subscribe", func(c *websocket.Conn, err error) (any, error) {
		bad, _ := errors.AsType[*websocket.BindError](err)
		return failure{"no subscription", bad.Field}, nil
	})
	router.Unknown = func(c *websocket.Conn, m websocket.Message) (any, error) {
		return failure{Event: "unknown"}, nil
	}
	return &websocket.Service{OnText: router.Serve}
}

func main() {
	addr := flag.String("addr", "localhost:8080", "where to listen")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	server := &websocket.Server{Addr: *addr, Handler: handler()}
	if err := server.Run(ctx); err != nil {
		log.Fatal(err)
	}
}
