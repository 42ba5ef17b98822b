// Command echo sends every message back: text with "Echo: " before it, bytes as they
// are.
//
//	go run ./examples/echo
//
// Talk to it with the program in client, or open http://localhost:8080/ in a browser.
// There is no page, but there is a console; enter in it:
//
//	var ws = new WebSocket("ws://localhost:8080/ws/echo");
//	ws.onmessage = function(frame) {console.log(frame.data)};
//
// and then:
//
//	ws.send("Hello!");
//
// It shows:
//
//	Echo: Hello!
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
	mux := http.NewServeMux()
	mux.Handle("GET /ws/", &websocket.Service{
		OnText: websocket.OnMessage(func(c *websocket.Conn, text string) (any, error) {
			return "Echo: " + text, nil
		}),
		OnBinary: websocket.OnMessage(func(c *websocket.Conn, data []byte) (any, error) {
			return data, nil
		}),
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
