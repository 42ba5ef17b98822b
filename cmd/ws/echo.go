package main

import (
	"context"

	"github.com/swan-ws/websocket"
)

// echo sends every message back as it came.
func echo(ctx context.Context, c *websocket.Conn) {
	for m, err := range c.Messages(ctx) {
		if err != nil || c.Write(ctx, m.Type, m.Data) != nil {
			return
		}
	}
}
