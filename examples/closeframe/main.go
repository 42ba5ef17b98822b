// Command closeframe ends connections by what it returns.
//
//	go run ./examples/closeframe
//	go run ./cmd/ws connect ws://localhost:8080/
//
// Then enter one of: normal, custom, invalid.
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

func answer(c *websocket.Conn, text string) (any, error) {
	switch text {
	case "normal":
		return websocket.CloseNormal, nil
	case "custom":
		return websocket.CloseFrame{Code: 3555, Reason: "Custom close frame message"}, nil
	case "invalid":
		return websocket.CloseFrame{Code: 5555}, nil // nobody may send that: it becomes 1011, and is logged
	}
	return "normal, custom or invalid?", nil
}

func handler() http.Handler {
	return &websocket.Service{OnText: websocket.OnMessage(answer)}
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
