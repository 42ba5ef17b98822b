package client_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
)

func TestOutbox_Flush_WaitsForThePeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o client.Outbox
		if err := o.Flush(t.Context()); err != nil {
			t.Errorf("with nothing to do: %v", err)
		}
		s, c := pair(t)
		attach(t, &o, c, false)
		write(t, &o, "one")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := o.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "1 messages") {
			t.Errorf("with a peer that does not answer: %v", err)
		}
		go readAll(c)
		received := receive(s)
		start := time.Now()
		if err := o.Flush(t.Context()); err != nil || time.Since(start) > 0 {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		write(t, &o, "two")
		if err := o.Flush(t.Context()); err != nil || time.Since(start) > 0 {
			t.Errorf("once more, after %v: %v", time.Since(start), err)
		}
		if left, got := o.Unconfirmed(), received(); left != nil || len(got) != 2 {
			t.Errorf("left: %q, received: %q", texts(left), got)
		}
	})
}

// Flush outlives a connection, and whatever is lost with it.
func TestOutbox_Flush_WaitsForTheNextConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o client.Outbox
		s, c := pair(t)
		attach(t, &o, c, false)
		write(t, &o, "one")
		flushed := make(chan error)
		go func() { flushed <- o.Flush(t.Context()) }()
		synctest.Wait()
		s.CloseNow()
		c.CloseNow()
		s, c = pair(t)
		go readAll(s)
		go readAll(c)
		if err := o.Attach(t.Context(), c, nil); err != nil {
			t.Error(err)
		}
		if err := <-flushed; err != nil {
			t.Error(err)
		}
	})
}

func TestOutbox_Attach_ThatFails_LosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o client.Outbox
		s, c := pair(t)
		attach(t, &o, c, false)
		want := []string{"one", "two", "three"}
		for _, text := range want {
			write(t, &o, text)
		}
		s.CloseNow()
		for range 3 {
			_, c = pair(t)
			asked := 0
			err := o.Attach(t.Context(), c, func(conn.Message) bool {
				if asked++; asked == 2 {
					c.CloseNow()
				}
				return true
			})
			if !errors.Is(err, net.ErrClosed) || asked != 2 {
				t.Errorf("asked %d times: %v", asked, err)
			}
		}
		_, c = pair(t)
		if asked := attach(t, &o, c, true); !slices.Equal(asked, want) {
			t.Errorf("asked about %q", asked)
		}
	})
}

// Many write, connections come and go at any moment, and every message arrives.
func TestOutbox_WithKeep_LosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const writers, messages = 5, 40
		var mu sync.Mutex
		arrived := map[string]bool{}
		o := reach(t, accept(t, func(n int, c *conn.Conn, nc net.Conn) {
			if n < 30 {
				time.AfterFunc(time.Duration(n)*37*time.Millisecond, func() { reset(nc) })
			}
			for m, err := range c.Messages(context.Background()) {
				if err != nil {
					return
				}
				mu.Lock()
				arrived[string(m.Data)] = true
				mu.Unlock()
			}
		}))
		o.Retry = &client.Retry{Interval: 10 * time.Millisecond, MaxInterval: 20 * time.Millisecond}
		var out client.Outbox
		ctx, cancel := context.WithCancel(t.Context())
		kept := make(chan error)
		go func() {
			kept <- client.Keep(ctx, "ws://example.test/", o, func(ctx context.Context, c *conn.Conn) error {
				a := client.ReadAhead(c, 1)
				if err := out.Attach(ctx, c, nil); err != nil {
					return err
				}
				_, err := a.Read(ctx)
				return err
			})
		}()
		var all sync.WaitGroup
		for i := range writers {
			all.Go(func() {
				for j := range messages {
					write(t, &out, fmt.Sprint(i, " ", j))
					<-time.After(time.Duration(i+5) * 7 * time.Millisecond)
				}
			})
		}
		all.Wait()
		if err := out.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		cancel()
		if err := <-kept; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if len(arrived) != writers*messages {
			t.Errorf("%d messages arrived, want %d", len(arrived), writers*messages)
		}
	})
}

// The codes of a closing handshake do not matter: what had been sent before the
// connection was closed in order is reported as well, unless it was flushed.
func TestOutbox_ReportsWhatWasSentBeforeAClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o client.Outbox
		s, c := pair(t)
		go readAll(s)
		attach(t, &o, c, false)
		write(t, &o, "one")
		c.Close(frame.CloseNormal, "")
		if left := texts(o.Unconfirmed()); !slices.Equal(left, []string{"one"}) {
			t.Errorf("left: %q", left)
		}
	})
}
