package expvars_test

import (
	"encoding/json"
	"errors"
	"expvar"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/expvars"
	"github.com/swan-ws/websocket/frame"
)

// published returns what is under name, as it is served.
func published(t *testing.T, name string) (m map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(expvar.Get(name).String()), &m); err != nil {
		t.Fatalf("%v in %s", err, expvar.Get(name))
	}
	return m
}

type object = map[string]any

func types(text, binary, ping, pong, closing object) object {
	return object{"text": text, "binary": binary, "ping": ping, "pong": pong, "close": closing}
}

func passed(messages, bytes, wire float64) object {
	return object{"messages": messages, "bytes": bytes, "wire_bytes": wire}
}

func summary(count, sum, most float64) object {
	return object{"count": count, "sum": sum, "max": most}
}

func TestPublish_SaysWhatHasHappened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := expvars.Publish("server")
		s, c := conntest.Pair(conn.Options{PingEvery: -1, Observer: o}, conn.Options{PingEvery: -1})
		defer c.CloseNow()
		go func() {
			for m, err := range s.Messages(t.Context()) {
				if err != nil {
					return
				}
				s.Write(t.Context(), conn.Binary, m.Data)
			}
		}()
		c.WriteText(t.Context(), "swan")
		c.Read(t.Context())
		if open := published(t, "server")["connections"]; open != 1.0 {
			t.Errorf("%v connections", open)
		}
		<-time.After(1500 * time.Millisecond)
		c.Close(frame.CloseGoingAway, "")
		<-s.Done()
		o.Refused(403, errors.New("no"))
		o.Refused(0, errors.New("no"))
		o.Refused(999, errors.New("no"))
		o.Error(s, conn.CallbackPanic, errors.New("no"))
		o.RoundTrip(s, 250*time.Millisecond)
		o.RoundTrip(s, 500*time.Millisecond)
		o.RoundTrip(s, 250*time.Millisecond)
		o.Queued(s, 1000)
		o.Waiting(s, 3)

		none := passed(0, 0, 0)
		want := object{
			"connections": 0.0, "opened": 1.0,
			"closed_by_self": object{}, "closed_by_peer": object{"1001": 1.0},
			"sent":              types(none, passed(1, 4, 6), none, none, passed(1, 2, 4)),
			"received":          types(passed(1, 4, 10), none, none, none, passed(1, 2, 8)),
			"close_frames_sent": object{"1001": 1.0}, "close_frames_received": object{"1001": 1.0},
			"errors": object{"panic": 1.0}, "refused": object{"403": 1.0, "none": 1.0, "other": 1.0},
			"round_trip_seconds": summary(3, 1, 0.5), "lifetime_seconds": summary(1, 1.5, 1.5),
			"queued_bytes": summary(1, 1000, 1000), "waiting_messages": summary(1, 3, 3),
		}
		if diff := cmp.Diff(want, published(t, "server")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestPublish_TellsWhoClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := expvars.Publish("who")
		for _, end := range []func(s, c *conn.Conn){
			func(s, c *conn.Conn) { s.CloseNow() },
			func(s, c *conn.Conn) { c.CloseNow() },
			func(s, c *conn.Conn) { go c.Read(t.Context()); s.Close(4000, "") },
			func(s, c *conn.Conn) { go c.Close(3999, "") },
		} {
			s, c := conntest.Pair(conn.Options{PingEvery: -1, Observer: o}, conn.Options{PingEvery: -1})
			end(s, c)
			s.Read(t.Context())
			<-s.Done()
			c.CloseNow()
		}
		m := published(t, "who")
		got := []any{m["connections"], m["closed_by_self"], m["closed_by_peer"]}
		want := []any{0.0, object{"1006": 1.0, "4xxx": 1.0}, object{"1006": 1.0, "3xxx": 1.0}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// Once it has been, what happens often is counted without allocating.
func TestPublish_AllocatesNothingForMessages(t *testing.T) {
	o := expvars.Publish("cheap")
	allocs := testing.AllocsPerRun(100, func() {
		o.Opened(nil)
		o.Sent(nil, conn.Traffic{Opcode: frame.OpText, Bytes: 1 << 40, Wire: 1 << 40})
		o.Received(nil, conn.Traffic{Opcode: frame.OpPong})
		o.RoundTrip(nil, time.Second)
		o.Queued(nil, 1000)
		o.Waiting(nil, 1)
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestPublish_PanicsIfTheNameIsTaken(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("two of them have one name")
		}
	}()
	expvars.Publish("taken")
	expvars.Publish("taken")
}
