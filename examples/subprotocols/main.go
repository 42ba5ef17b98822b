// Command subprotocols agrees with each client on a subprotocol: a name for what
// their messages mean.
//
//	go run ./examples/subprotocols
//
// Open http://localhost:8080/ in a browser. There is no page, but there is a console;
// enter in it:
//
//	var ws = new WebSocket("ws://localhost:8080/ws/subscribe", ["xml", "json"]);
//
// The program prints the first of the client's that it speaks, too:
//
//	Negotiated sub-protocol: json
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/swan-ws/websocket"
)

func handler(protocols []string) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /ws/", &websocket.Service{
		Options: websocket.AcceptOptions{
			Subprotocols: protocols,
			Conn:         websocket.ConnOptions{IdleTimeout: 120 * time.Second},
		},
		OnOpen: func(c *websocket.Conn, r *http.Request) error {
			fmt.Println("Negotiated sub-protocol:", cmp.Or(c.Subprotocol(), "none"))
			return nil
		},
	})
	return mux
}

func main() {
	addr := flag.String("addr", "localhost:8080", "where to listen")
	protocols := flag.String("protocols", "json,mqtt", "what the server speaks")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	server := &websocket.Server{Addr: *addr, Handler: handler(strings.Split(*protocols, ","))}
	if err := server.Run(ctx); err != nil {
		log.Fatal(err)
	}
}
