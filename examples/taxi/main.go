// Command taxi tells riders where the taxis are: two services that share a listener.
//
//	go run ./examples/taxi
//
// A rider connects to /subscribe/ and a name, and listens; a driver to /taxi/ and a
// name, and sends where they are:
//
//	go run ./cmd/ws connect ws://localhost:9091/subscribe/rosa
//	go run ./cmd/ws connect ws://localhost:9091/taxi/dan
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

var riders websocket.Hub

func tell(news string) error {
	_, err := riders.Publish(websocket.Everyone, news)
	return err
}

func handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /taxi/{name}", websocket.Upgrade(drive))
	mux.Handle("GET /subscribe/{name}", websocket.Upgrade(ride))
	return mux
}

// drive makes a service for each driver.
func drive(r *http.Request) (*websocket.Service, error) {
	driver := r.PathValue("name")
	return &websocket.Service{
		OnOpen: func(c *websocket.Conn, r *http.Request) error {
			if err := tell("Driver " + driver + " ready for a ride"); err != nil {
				return err
			}
			return websocket.Send(c, "Hi "+driver+"! Your location will be shared with the riders")
		},
		OnText: websocket.OnMessage(func(c *websocket.Conn, location string) (any, error) {
			return nil, tell(driver + " updated the location " + location)
		}),
	}, nil
}

// ride makes a service for each rider.
func ride(r *http.Request) (*websocket.Service, error) {
	rider := r.PathValue("name")
	return &websocket.Service{
		OnOpen: func(c *websocket.Conn, r *http.Request) error {
			if err := riders.Join(c); err != nil {
				return err
			}
			_, err := riders.Send(c, "Hi "+rider+"! You have successfully connected.")
			return err
		},
	}, nil
}

func main() {
	addr := flag.String("addr", "localhost:9091", "where to listen")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	server := &websocket.Server{Addr: *addr, Handler: handler()}
	if err := server.Run(ctx); err != nil {
		log.Fatal(err)
	}
}
