package conn_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/machine"
)

func TestHandle_CallsForEachMessage_InOrder_UntilTheEnd(t *testing.T) {
	for _, role := range roles {
		c, peer := against(t, role, conn.Options{})
		for i := range 100 {
			mustWrite(t, peer, to(role, fin|text, fmt.Sprint(i)))
		}
		mustWrite(t, peer, to(role, fin|closeFrame, "\x03\xe8"))
		var got []string
		err := c.Handle(10, nil, func(m conn.Message) bool {
			got = append(got, string(m.Data))
			return true
		})
		if len(got) != 100 || got[99] != "99" || conn.CloseStatus(err) != 1000 {
			t.Errorf("%v: %d messages, %v", role, len(got), err)
		}
	}
}

func TestHandle_EndsWhenToldTo(t *testing.T) {
	c, peer := against(t, machine.Server, conn.Options{})
	mustWrite(t, peer, to(machine.Server, fin|text, "one"))
	mustWrite(t, peer, to(machine.Server, fin|text, "two"))
	if err := c.Handle(10, nil, func(conn.Message) bool { return false }); err != nil {
		t.Fatal(err)
	}
	m, err := c.Read(bg) // somebody else may go on
	wantMessage(t, m, err, conn.Text, "two")
}

// While a callback takes its time, Pings are answered, messages wait in order, and
// when there are too many of them so does the peer.
func TestHandle_WhileACallbackIsSlow_SomebodyElseReads(t *testing.T) {
	for _, role := range roles {
		synctest.Test(t, func(t *testing.T) {
			c, peer := against(t, role, conn.Options{PingEvery: -1})
			go func() {
				mustWrite(t, peer, to(role, fin|text, "slow"))
				for i := range 5 {
					<-time.After(100 * time.Millisecond)
					start := time.Now()
					mustWrite(t, peer, to(role, pingFrame, fmt.Sprint(i)))
					if got := newWire(peer).mustNext(t).String(); got != fmt.Sprintf("pong %d", i) {
						t.Errorf("%v: %s", role, got)
					}
					if took := time.Since(start); took != 0 {
						t.Errorf("%v: the Pong took %v", role, took)
					}
					mustWrite(t, peer, to(role, fin|text, fmt.Sprint(i)))
				}
				<-time.After(20 * time.Second)
				mustWrite(t, peer, to(role, fin|text, "quick"))
				peer.CloseWrite()
			}()
			var got []string
			c.Handle(10, nil, func(m conn.Message) bool {
				if string(m.Data) == "slow" {
					<-time.After(10 * time.Second)
				}
				got = append(got, string(m.Data))
				return true
			})
			if want := strings.Fields("slow 0 1 2 3 4 quick"); !slices.Equal(got, want) {
				t.Errorf("%v: %q, want %q", role, got, want)
			}
		})
	}
}

func TestHandle_KeepsNoMoreThanItShould(t *testing.T) {
	for _, waiting := range []int{-1, 0, 1, 3} {
		synctest.Test(t, func(t *testing.T) {
			role := machine.Server
			c, peer := against(t, role, conn.Options{PingEvery: -1})
			for i := range 10 {
				mustWrite(t, peer, to(role, fin|text, fmt.Sprint(i)))
			}
			mustWrite(t, peer, to(role, pingFrame, ""))
			go func() {
				start := time.Now() // nobody gets as far as the Ping before
				if got := newWire(peer).mustNext(t).String(); got != "pong " || time.Since(start) != 10*time.Second {
					t.Errorf("%d waiting: %s after %v", waiting, got, time.Since(start))
				}
				peer.CloseWrite()
			}()
			n := 0
			c.Handle(waiting, nil, func(m conn.Message) bool {
				if string(m.Data) != fmt.Sprint(n) {
					t.Errorf("%q is number %d", m.Data, n)
				}
				if n++; n == 1 {
					<-time.After(10 * time.Second)
				}
				return true
			})
			if n != 10 {
				t.Errorf("%d messages", n)
			}
		})
	}
}

// The peer's Close ends things after what came before it.
func TestHandle_WhileACallbackIsSlow_TheEndComesLast(t *testing.T) {
	for _, waiting := range []int{-1, 0, 1, 10} {
		synctest.Test(t, func(t *testing.T) {
			role := machine.Server
			c, peer := against(t, role, conn.Options{PingEvery: -1})
			for _, f := range []string{"slow", "next"} {
				mustWrite(t, peer, to(role, fin|text, f))
			}
			mustWrite(t, peer, to(role, fin|closeFrame, "\x0f\xa0"))
			var got []string
			err := c.Handle(waiting, nil, func(m conn.Message) bool {
				<-time.After(time.Second)
				got = append(got, string(m.Data))
				return true
			})
			if !slices.Equal(got, []string{"slow", "next"}) || conn.CloseStatus(err) != 4000 {
				t.Errorf("%d waiting: %q, %v", waiting, got, err)
			}
		})
	}
}

func TestHandle_OfACallbackThatCloses_EndsInOrder(t *testing.T) {
	for _, slow := range []time.Duration{0, time.Second} {
		synctest.Test(t, func(t *testing.T) {
			role := machine.Server
			c, peer := against(t, role, conn.Options{PingEvery: -1})
			mustWrite(t, peer, to(role, fin|text, "close"))
			go func() {
				if got := newWire(peer).mustNext(t).String(); got != "close 4001 bye" {
					t.Error(got)
				}
				mustWrite(t, peer, to(role, fin|closeFrame, "\x0f\xa1"))
				peer.CloseWrite()
			}()
			err := c.Handle(3, nil, func(m conn.Message) bool {
				<-time.After(slow)
				if err := c.Close(4001, "bye"); err != nil {
					t.Error(err)
				}
				return true
			})
			if conn.CloseStatus(err) != 4001 {
				t.Error(err)
			}
		})
	}
}

func TestHandle_OfACallbackThatPanics_LeavesTheConnectionToOthers(t *testing.T) {
	for _, slow := range []time.Duration{0, time.Second} {
		synctest.Test(t, func(t *testing.T) {
			role := machine.Server
			c, peer := against(t, role, conn.Options{PingEvery: -1})
			mustWrite(t, peer, to(role, fin|text, "panic"))
			func() {
				defer func() { recover() }()
				c.Handle(3, nil, func(conn.Message) bool {
					<-time.After(slow)
					panic("oh")
				})
			}()
			mustWrite(t, peer, to(role, fin|text, "next"))
			m, err := c.Read(bg)
			wantMessage(t, m, err, conn.Text, "next")
		})
	}
}

func TestHandle_BesideAnotherReader_SaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := against(t, machine.Server, conn.Options{PingEvery: -1})
		go c.Read(bg)
		synctest.Wait()
		if err := c.Handle(0, nil, func(conn.Message) bool { return true }); err == nil || c.Err() != nil {
			t.Error(err, c.Err())
		}
		c.CloseNow()
	})
}

func TestAnswerPing_SaysWhatThePongHolds(t *testing.T) {
	for _, role := range roles {
		c, peer := against(t, role, conn.Options{AnswerPing: func(_ *conn.Conn, payload []byte) []byte {
			switch string(payload) {
			case "other":
				return []byte("mine")
			case "empty":
				return []byte{}
			case "long":
				return make([]byte, 126)
			}
			return nil
		}})
		for _, p := range []string{"other", "empty", "long", "same"} {
			mustWrite(t, peer, to(role, pingFrame, p))
		}
		go c.Read(bg)
		wire := newWire(peer)
		for _, want := range []string{"pong mine", "pong ", "pong long", "pong same"} {
			if got := wire.mustNext(t).String(); got != want {
				t.Errorf("%v: %q, want %q", role, got, want)
			}
		}
		c.CloseNow()
	}
}

func TestOnIdle_IsCalledInsteadOfClosing_AgainAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, at := time.Now(), []time.Duration{}
		c, _ := against(t, machine.Server, conn.Options{PingEvery: -1, IdleTimeout: time.Minute, OnIdle: func(c *conn.Conn) {
			if at = append(at, time.Since(start)); len(at) == 3 {
				c.CloseNow()
			}
		}})
		if _, err := c.Read(bg); err == nil {
			t.Error("no end")
		}
		if want := []time.Duration{time.Minute, 2 * time.Minute, 3 * time.Minute}; !slices.Equal(at, want) {
			t.Error(at)
		}
	})
}
