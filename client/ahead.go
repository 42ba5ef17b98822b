package client

import (
	"context"
	"fmt"
	"iter"

	"github.com/swan-ws/websocket/conn"
)

// An Ahead reads a connection while the application does not: see ReadAhead.
type Ahead struct {
	c        *conn.Conn
	messages chan conn.Message
	room     chan struct{} // one for each message that is there or being read
}

// ReadAhead reads c from now on, up to n messages ahead of the application, at least
// one, on a goroutine that ends with the connection. So Pings and the peer's Close
// are answered, Conn.Ping gets its Pong and Options.PongWithin counts, whether or not
// the application reads, until n messages wait. Then nothing more is read, and the
// peer has to wait. They take up to n times Options.MaxMessage bytes.
//
// Read the connection only by the Ahead then. Connections on which messages are
// handled one after the other do not need one: Conn.Handle does it.
func ReadAhead(c *conn.Conn, n int) *Ahead {
	n = max(n, 1)
	a := &Ahead{c: c, messages: make(chan conn.Message, n), room: make(chan struct{}, n)}
	go a.run()
	return a
}

func (a *Ahead) run() {
	defer close(a.messages)
	for {
		select {
		case a.room <- struct{}{}:
		case <-a.c.Done():
			return
		}
		m, err := a.c.Read(context.Background())
		if err != nil {
			return
		}
		a.messages <- m
		if n, o := len(a.messages), a.c.Observer(); n > 0 && o != nil && o.Waiting != nil {
			o.Waiting(a.c, n)
		}
	}
}

// Read is Conn.Read, but many goroutines may call it at once: each gets messages
// of its own.
func (a *Ahead) Read(ctx context.Context) (conn.Message, error) {
	select {
	case m, ok := <-a.messages:
		if ok {
			<-a.room
			return m, nil
		}
		return a.c.Read(ctx) // what came before the end, then the error
	case <-ctx.Done():
		return conn.Message{}, fmt.Errorf("websocket: read given up: %w", ctx.Err())
	}
}

// Messages is Conn.Messages, but Data belongs to the caller.
func (a *Ahead) Messages(ctx context.Context) iter.Seq2[conn.Message, error] {
	return func(yield func(conn.Message, error) bool) {
		for {
			m, err := a.Read(ctx)
			if !yield(m, err) || err != nil {
				return
			}
		}
	}
}
