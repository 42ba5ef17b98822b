// Command chat is a room in which all hear what one says.
//
//	go run ./examples/chat
//
// Enter it with the program in client, as often as you like:
//
//	go run ./examples/chat/client ann
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

var (
	room     websocket.Hub
	username websocket.Attribute[string] // of each connection
)

func handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /chat/{username}", &websocket.Service{OnOpen: enter, OnText: say, OnClose: leave})
	return mux
}

func enter(c *websocket.Conn, r *http.Request) error {
	user := r.PathValue("username")
	username.Set(c, user)
	if err := room.Join(c); err != nil {
		return err
	}
	if _, err := room.Send(c, "Hi "+user+"! You have successfully connected to the chat"); err != nil {
		return err
	}
	_, err := room.PublishExcept(c, websocket.Everyone, user+" connected to chat")
	return err
}

func say(c *websocket.Conn, m websocket.Message) (any, error) {
	user, _ := username.Get(c)
	_, err := room.Publish(websocket.Everyone, user+": "+string(m.Data))
	return nil, err
}

func leave(c *websocket.Conn, _ error) {
	user, _ := username.Get(c)
	room.Publish(websocket.Everyone, user+" left the chat")
}

func main() {
	addr := flag.String("addr", "localhost:9090", "where to listen")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	server := &websocket.Server{Addr: *addr, Handler: handler()}
	if err := server.Run(ctx); err != nil {
		log.Fatal(err)
	}
}
