// Command reconnect says "Connected" to its clients. Its point is what the program
// in client does when this one is not there:
//
//	go run ./examples/reconnect/client
//
// Start this one afterwards, stop it, and start it again:
//
//	go run ./examples/reconnect
package main

import (
	"context"
	"flag"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/swan-ws/websocket"
)

func handler() http.Handler {
	return &websocket.Service{
		OnOpen: func(c *websocket.Conn, r *http.Request) error { return websocket.Send(c, "Connected") },
	}
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
