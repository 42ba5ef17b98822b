package server_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/server"
)

// served runs s for a client, which is returned with what is closed when Serve has
// returned. Neither side pings on its own.
func served(t testing.TB, s *server.Service) (c *conn.Conn, ended chan struct{}) {
	t.Helper()
	if s.Logger == nil {
		s.Logger = quiet()
	}
	o := s.ConnOptions()
	o.PingEvery = -1
	there, c := conntest.Pair(o, conn.Options{PingEvery: -1})
	ended = make(chan struct{})
	go func() {
		defer close(ended)
		s.Serve(there, nil)
	}()
	t.Cleanup(func() { c.CloseNow() })
	return c, ended
}

// answering is a Service that answers every message in that way.
func answering(h server.Handler) *server.Service { return &server.Service{OnMessage: h} }

// replying answers every message with the same.
func replying(reply any) *server.Service {
	return answering(func(*conn.Conn, conn.Message) (any, error) { return reply, nil })
}

// erring answers every message with that error.
func erring(err error) *server.Service {
	return answering(func(*conn.Conn, conn.Message) (any, error) { return nil, err })
}

// say sends texts.
func say(t testing.TB, c *conn.Conn, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if err := c.WriteText(context.Background(), text); err != nil {
			t.Fatal(err)
		}
	}
}

// hear returns the next message as "text hello", or the end as "close 1000 bye".
func hear(c *conn.Conn) string {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	m, err := c.Read(ctx)
	if e, ok := errors.AsType[*conn.CloseError](err); ok {
		return fmt.Sprintf("close %d %s", e.Code, e.Reason)
	}
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%v %s", m.Type, m.Data)
}

// wantHeard wants these to be what comes next.
func wantHeard(t testing.TB, c *conn.Conn, want ...string) {
	t.Helper()
	for _, want := range want {
		if got := hear(c); got != want {
			t.Fatalf("heard %.200q, want %.200q", got, want)
		}
	}
}

// wantNotes wants these to be what happened.
func (j *journal) wantNotes(t testing.TB, want ...string) {
	t.Helper()
	if got := j.all(); !slices.Equal(got, want) {
		t.Errorf("what happened (-want +got):\n%s", cmp.Diff(want, got))
	}
}
