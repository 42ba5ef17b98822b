// Command pingpong prints the Pings and Pongs of its clients, which nobody has to
// care about otherwise: Pings are answered all the same.
//
//	go run ./examples/pingpong
//
// Have a client send a Ping every other second:
//
//	go run ./cmd/ws connect -ping 2s ws://localhost:8080/ws
package main

import (
	"context"
	"encoding/base64"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/swan-ws/websocket"
)

func handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /ws", &websocket.Service{
		OnPing: func(c *websocket.Conn, data []byte) (pong []byte) {
			fmt.Println("Ping received with data:", base64.StdEncoding.EncodeToString(data))
			return data
		},
		OnPong: func(c *websocket.Conn, data []byte) {
			fmt.Println("Pong received with data:", base64.StdEncoding.EncodeToString(data))
		},
	})
	return mux
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
