// Command proxy stands before another server: each connection to it is one to that,
// too, and what one side says the other hears, to the last word.
//
//	go run ./examples/echo
//	go run ./examples/proxy
//	go run ./examples/echo/client -url ws://localhost:8088/
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/swan-ws/websocket"
)

func handler(backend string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		there, _, err := websocket.Dial(r.Context(), backend, nil)
		if err != nil {
			log.Print(err)
			http.Error(w, "the backend does not answer", http.StatusBadGateway)
			return
		}
		defer there.CloseNow()
		here, err := websocket.Accept(w, r, nil)
		if err != nil {
			return // the response has been sent
		}
		defer here.CloseNow()

		var relays sync.WaitGroup
		relays.Go(func() { relay(here, there) })
		relays.Go(func() { relay(there, here) })
		relays.Wait()
	})
}

// relay tells one what the other says, goodbye included.
func relay(from, to *websocket.Conn) {
	for m, err := range from.Messages(to.Context()) {
		if err != nil {
			break
		}
		if to.Write(to.Context(), m.Type, m.Data) != nil {
			break
		}
	}
	if end, ok := errors.AsType[*websocket.CloseError](from.Err()); ok {
		to.Close(end.Code, end.Reason)
	}
	to.CloseNow() // who is lost says no goodbye
}

func main() {
	addr := flag.String("addr", "localhost:8088", "where to listen")
	backend := flag.String("backend", "ws://localhost:8080/ws/echo", "the server behind")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	server := &websocket.Server{Addr: *addr, Handler: handler(*backend)}
	if err := server.Run(ctx); err != nil {
		log.Fatal(err)
	}
}
