package client

import (
	"context"
	"net/http"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
)

// Keep keeps a connection to rawURL open. It dials and calls session, which reads,
// and first sends what a new connection needs, such as subscriptions. When session
// returns an error that is worth it, Keep dials again and calls session with the new
// connection; o.Retry says when and how often, and Retryable which errors are, by
// default. A connection that has lasted longer than the wait before it is a success:
// the next failure is the first again.
//
// Keep returns nil once session does. Otherwise it returns the last error, of Dial or
// of session, and when ctx ends, an error that wraps ctx's.
//
// The connection is closed when session returns, and when ctx ends, which also ends
// its reads: session may read with any context, or hand the connection to something
// that reads without, such as the Serve of a server.Service. The ctx that it gets
// ends when ctx does or session has returned. Keep waits for session in any case.
//
// What session has written shortly before a connection was lost may not have
// arrived; an Outbox knows.
func Keep(ctx context.Context, rawURL string, o *Options, session func(ctx context.Context, c *conn.Conn) error) error {
	if o == nil {
		o = &Options{}
	}
	t := tries{Retry: o.Retry}
	if t.Retry == nil {
		t.Retry = &Retry{}
	}
	for {
		c, resp, err := o.attempt(ctx, rawURL)
		if err == nil {
			c.Set(responseKey{}, resp)
			start := time.Now()
			if err = attend(ctx, c, session); err == nil {
				return nil
			}
			t.lasted(time.Since(start))
		}
		if err = t.again(ctx, err); err != nil {
			return err
		}
	}
}

// attend calls session, closes c with its end or that of ctx, and waits for both.
func attend(ctx context.Context, c *conn.Conn, session func(context.Context, *conn.Conn) error) (err error) {
	defer c.CloseNow() // if session panics
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(closed)
		c.Close(frame.CloseGoingAway, "")
	})
	defer func() {
		if !stop() {
			<-closed
		}
	}()
	err = session(inner, c)
	switch {
	case ctx.Err() != nil:
	case err == nil:
		c.Close(frame.CloseNormal, "")
	default:
		c.Close(frame.CloseGoingAway, "")
	}
	return err
}

type responseKey struct{}

// Response returns the server's response that opened a connection of Keep; nil for
// connections of Dial, which returns it itself.
func Response(c *conn.Conn) *http.Response {
	resp, _ := c.Value(responseKey{}).(*http.Response)
	return resp
}
