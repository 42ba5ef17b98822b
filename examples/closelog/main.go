// Command closelog prints how its clients end their connections.
//
//	go run ./examples/closelog
//
// Open http://localhost:8080/ in a browser. There is no page, but there is a console;
// enter in it:
//
//	var ws = new WebSocket("ws://localhost:8080/ws");
//
// and then:
//
//	ws.close(1000, "bye");
//
// The program prints:
//
//	Client closed connection with 1000 because of bye
//
// Without a code that is 1005. If the browser is killed, so that there is no Close at
// all, it is 1006.
package main

import (
	"context"
	"errors"
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
		OnClose: func(c *websocket.Conn, err error) {
			if end, ok := errors.AsType[*websocket.CloseError](err); ok && end.Remote {
				fmt.Printf("Client closed connection with %d because of %s\n", end.Code, end.Reason)
			}
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
