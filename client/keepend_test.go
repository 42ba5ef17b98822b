package client_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
)

// The end of the context is told to the peer, ends reads with any context, and Keep
// waits for the session.
func TestKeep_EndsWithItsContext(t *testing.T) {
	for _, tt := range []struct {
		name    string
		session func(context.Context, *conn.Conn) error
	}{
		{"reads with it", func(ctx context.Context, c *conn.Conn) error { _, err := c.Read(ctx); return err }},
		{"reads without it", until},
		{"does not read", func(ctx context.Context, c *conn.Conn) error {
			<-ctx.Done()
			<-time.After(time.Minute)
			return c.Err()
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				codes := make(chan frame.CloseCode, 1)
				o := reach(t, accept(t, func(_ int, c *conn.Conn, _ net.Conn) {
					<-time.After(time.Hour + time.Second)
					codes <- readAll(c)
				}))
				o.Conn.PingEvery = -1
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				over := false
				var last *conn.Conn
				err := client.Keep(ctx, "ws://example.test/", o, func(ctx context.Context, c *conn.Conn) error {
					defer func() { over = true }()
					last = c
					return tt.session(ctx, c)
				})
				if !errors.Is(err, context.DeadlineExceeded) || !over || last.Phase() != conn.Closed {
					t.Errorf("the session is over: %t, the connection %v: %v", over, last.Phase(), err)
				}
				if time.Since(start) < time.Hour+time.Second {
					t.Errorf("it did not wait for the peer's Close, after %v", time.Since(start))
				}
				if code := <-codes; code != frame.CloseGoingAway {
					t.Errorf("the peer was told %v", code)
				}
			})
		})
	}
	t.Run("nothing left to do", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			o := reach(t, accept(t, func(_ int, c *conn.Conn, _ net.Conn) { readAll(c) }))
			ctx, cancel := context.WithCancel(t.Context())
			err := client.Keep(ctx, "ws://example.test/", o, func(context.Context, *conn.Conn) error { cancel(); return nil })
			if err != nil {
				t.Error(err)
			}
		})
	})
}

func TestKeep_EndsTheContextOfASessionThatHasReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := reach(t, accept(t, func(_ int, c *conn.Conn, _ net.Conn) { readAll(c) }))
		var inner context.Context
		client.Keep(t.Context(), "ws://example.test/", o, func(ctx context.Context, _ *conn.Conn) error {
			inner = ctx
			return ctx.Err()
		})
		if inner.Err() == nil {
			t.Error("it goes on")
		}
	})
}

func TestKeep_ThatPanics_LeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		over := make(chan frame.CloseCode, 1)
		o := reach(t, accept(t, func(_ int, c *conn.Conn, _ net.Conn) { over <- readAll(c) }))
		func() {
			defer func() {
				if recover() != "oh" {
					t.Error("the panic is lost")
				}
			}()
			client.Keep(t.Context(), "ws://example.test/", o, func(context.Context, *conn.Conn) error { panic("oh") })
		}()
		if code := <-over; code != frame.CloseAbnormal || time.Since(start) > 0 {
			t.Errorf("the peer sees %v after %v", code, time.Since(start))
		}
	})
}
