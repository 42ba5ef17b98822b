// Command stream answers each name with many messages, one a second. Names that come
// meanwhile are answered meanwhile.
//
//	go run ./examples/stream
//	go run ./cmd/ws connect ws://localhost:8080/
//
// Then enter:
//
//	Sam
//
// and a second later, before all has come, another name. At /failing something goes
// wrong in the middle.
package main

import (
	"context"
	"errors"
	"flag"
	"iter"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/swan-ws/websocket"
)

// greetings takes as long as c does at the most.
func greetings(c *websocket.Conn, name string, every time.Duration) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i, greeting := range []string{"Hi", "Hey", "GM"} {
			if i > 0 {
				select {
				case <-time.After(every):
				case <-c.Done():
				}
			}
			if !yield(greeting + " " + name) {
				return
			}
		}
	}
}

func failing(name string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if yield("Hi "+name, nil) {
			yield("", errors.New("streaming failed: out of greetings"))
		}
	}
}

func handler(every time.Duration) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", &websocket.Service{
		OnText: websocket.OnMessage(func(c *websocket.Conn, name string) (any, error) {
			return greetings(c, name, every), nil
		}),
	})
	mux.Handle("GET /failing", &websocket.Service{
		OnText: websocket.OnMessage(func(c *websocket.Conn, name string) (any, error) {
			return failing(name), nil
		}),
	})
	return mux
}

func main() {
	addr := flag.String("addr", "localhost:8080", "where to listen")
	every := flag.Duration("every", time.Second, "time between the messages of a stream")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	server := &websocket.Server{Addr: *addr, Handler: handler(*every)}
	if err := server.Run(ctx); err != nil {
		log.Fatal(err)
	}
}
