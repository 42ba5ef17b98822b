// Command client prints what a server sends. It waits for one that is not there yet,
// and connects again when it has lost one.
//
//	go run ./examples/reconnect/client
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/swan-ws/websocket"
)

func main() {
	url := flag.String("url", "ws://localhost:8080/", "the server")
	retries := flag.Int("retries", 10, "how often to try again, in a row")
	interval := flag.Duration("interval", time.Second, "how long to wait at first")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	err := websocket.Keep(ctx, *url, &websocket.DialOptions{
		Retry: &websocket.Retry{
			MaxCount: *retries,
			Interval: *interval,
			OnRetry: func(err error, attempt int, wait time.Duration) {
				log.Printf("attempt %d in %v, after: %v", attempt, wait.Round(time.Millisecond), err)
			},
		},
	}, session)
	if err != nil && ctx.Err() == nil {
		log.Fatal(err)
	}
}

// session is what happens on each connection, until its end.
func session(ctx context.Context, c *websocket.Conn) error {
	for m, err := range c.Messages(ctx) {
		if err != nil {
			return err
		}
		fmt.Printf("%s\n", m.Data)
	}
	return nil
}
