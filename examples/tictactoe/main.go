// Command tictactoe is a game for two: what they send are squares, 0 to 8, which
// arrive as numbers; what they are told are values, which leave as JSON.
//
//	go run ./examples/tictactoe
//
// Play it in two terminals:
//
//	go run ./cmd/ws connect ws://localhost:8000/ws/game
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
	g := &game{taken: map[string]bool{}, next: "X"}
	mux := http.NewServeMux()
	mux.Handle("GET /ws/game", &websocket.Service{
		OnOpen:  g.join,
		OnText:  websocket.OnMessage(g.move),
		OnClose: g.leave,
	})
	return mux
}

func main() {
	addr := flag.String("addr", "localhost:8000", "where to listen")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	server := &websocket.Server{Addr: *addr, Handler: handler()}
	if err := server.Run(ctx); err != nil {
		log.Fatal(err)
	}
}
