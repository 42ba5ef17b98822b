// Package testee is this module's server and client as the ones under test: echo
// peers, for package autobahn and for the original suite.
package testee

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/swan-ws/websocket/conn"
	deflate "github.com/swan-ws/websocket/permessage-deflate"
	"github.com/swan-ws/websocket/server"
)

// MaxMessage is the longest message taken, in bytes: no more than the suite's
// longest, so that longer ones are seen to be refused.
const MaxMessage = 16 << 20

// options let the suite do what it wants to: 65537 frames for one message,
// windows of any size, silence for as long as it likes.
var options = conn.Options{
	MaxMessage:   MaxMessage,
	MaxFragments: 1 << 17,
	PingEvery:    -1,
	Compression:  deflate.Options{Mode: deflate.Takeover, Threshold: -1},
}

// Handler returns the server under test, which accepts handshakes for any path
// and from any origin, and echoes.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := server.Accept(w, r, &server.Options{InsecureAllowAnyOrigin: true, Conn: options})
		if err != nil {
			return // the suite has the response
		}
		defer c.CloseNow()
		echo(r.Context(), c)
	})
}

// Service is the same server with callbacks: set its EventLoop, or not.
func Service() *server.Service {
	return &server.Service{
		Options: server.Options{InsecureAllowAnyOrigin: true, Conn: options},
		OnMessage: func(c *conn.Conn, m conn.Message) (any, error) {
			if c.Write(c.Context(), m.Type, m.Data) != nil {
				c.CloseNow()
			}
			return nil, nil
		},
		Logger: slog.New(slog.DiscardHandler),
	}
}

// Echo is the client under test in one case: it dials url and echoes until the
// connection ends, whatever ends it. The error is that of Dial.
func Echo(ctx context.Context, url string) error { return Options{}.Echo(ctx, url) }

// Echo is the function Echo with options.
func (o Options) Echo(ctx context.Context, url string) error {
	c, err := o.dial(ctx, url)
	if err != nil {
		return err
	}
	defer c.CloseNow()
	echo(ctx, c)
	return nil
}

// echo sends every message back. Pings and the closing handshake need no help.
func echo(ctx context.Context, c *conn.Conn) {
	for m, err := range c.Messages(ctx) {
		if err != nil || c.Write(ctx, m.Type, m.Data) != nil {
			return
		}
	}
}
