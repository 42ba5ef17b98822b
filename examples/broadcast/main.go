// Command broadcast tells all who are connected what is posted to it.
//
//	go run ./examples/broadcast
//
// Open http://localhost:8080/ in some tabs of a browser. There is no page, but there
// are consoles; enter in each:
//
//	var ws = new WebSocket("ws://localhost:8080/ws");
//	ws.onmessage = function(frame) {console.log(frame.data)};
//
// Each tab then shows what is posted:
//
//	curl -d "Hello!" http://localhost:8081/broadcaster/broadcast
package main

import (
	"context"
	"flag"
	"io"
	"log"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/swan-ws/websocket"
)

// callers are those who are connected. Who closes, or is lost, leaves by itself, and
// who is slow keeps nobody waiting.
var callers websocket.Hub

// listeners is where they come to listen.
func listeners() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /ws", &websocket.Service{
		OnOpen: func(c *websocket.Conn, r *http.Request) error { return callers.Join(c) },
	})
	return mux
}

// broadcaster is where others post what they are to hear.
func broadcaster() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /broadcaster/broadcast", func(w http.ResponseWriter, r *http.Request) {
		payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
		if err == nil {
			_, err = callers.Publish(websocket.Everyone, string(payload))
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		io.WriteString(w, "OK")
	})
	return mux
}

func main() {
	sockets := flag.String("addr", "localhost:8080", "where to listen for WebSocket")
	posts := flag.String("posts", "localhost:8081", "where to listen for what is posted")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	var running sync.WaitGroup
	for _, server := range []*websocket.Server{
		{Addr: *sockets, Handler: listeners(), Logger: slog.With("for", "listeners")},
		{Addr: *posts, Handler: broadcaster(), Logger: slog.With("for", "broadcaster")},
	} {
		running.Go(func() {
			defer stop() // one does not run without the other
			if err := server.Run(ctx); err != nil {
				log.Print(err)
			}
		})
	}
	running.Wait()
}
