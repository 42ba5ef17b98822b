// Command client greets a server that echoes, and prints the response.
//
//	go run ./examples/echo/client
//
// It prints:
//
//	Response: Echo: Hello!
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"time"

	"github.com/swan-ws/websocket"
)

func main() {
	url := flag.String("url", "ws://localhost:8080/ws/echo", "the server")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	resp, err := greet(ctx, *url)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("Response:", resp)
}

func greet(ctx context.Context, url string) (resp string, err error) {
	c, _, err := websocket.Dial(ctx, url, nil)
	if err != nil {
		return "", err
	}
	defer c.Close(websocket.CloseNormal, "")
	if err := c.WriteText(ctx, "Hello!"); err != nil {
		return "", err
	}
	return websocket.ReadValue[string](ctx, c)
}
