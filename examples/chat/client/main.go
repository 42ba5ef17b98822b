// Command client enters the chat. It says each line that you type, and prints what
// others say, until you type exit.
//
//	go run ./examples/chat/client ann
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"log"
	"net/url"
	"os"

	"github.com/swan-ws/websocket"
)

func main() {
	room := flag.String("url", "ws://localhost:9090/chat/", "the room")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("who are you? Give your name as the argument.")
	}
	if err := chat(context.Background(), *room+url.PathEscape(flag.Arg(0))); err != nil {
		log.Fatal(err)
	}
}

func chat(ctx context.Context, url string) error {
	c, _, err := websocket.Dial(ctx, url, nil)
	if err != nil {
		return err
	}
	go say(ctx, c) // one talks, one listens
	for m, err := range c.Messages(ctx) {
		if websocket.CloseStatus(err) == websocket.CloseNormal {
			return nil
		} else if err != nil {
			return err
		}
		fmt.Printf("%s\n", m.Data)
	}
	return nil
}

func say(ctx context.Context, c *websocket.Conn) {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan() && lines.Text() != "exit"; {
		if c.WriteText(ctx, lines.Text()) != nil {
			return // chat tells why
		}
	}
	c.Close(websocket.CloseNormal, "")
}
