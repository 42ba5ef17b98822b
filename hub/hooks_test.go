package hub_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
	"github.com/swan-ws/websocket/hub"
)

// told notes what a hub calls back for.
type told struct {
	mu  sync.Mutex
	all []string
}

func (n *told) note(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, fmt.Sprintf(format, args...))
}

func (n *told) hooks(h *hub.Hub) {
	h.OnJoin = func(_ *conn.Conn, topic string) { n.note("+%s", topic) }
	h.OnLeave = func(_ *conn.Conn, topic string) { n.note("-%s", topic) }
}

func (n *told) check(t *testing.T, want ...string) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	if diff := cmp.Diff(want, n.all); diff != "" {
		t.Error(diff)
	}
	n.all = nil
}

func TestHooks_AreToldOfEachChangeOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h hub.Hub
		var n told
		n.hooks(&h)
		c, _ := pair(t)
		mustSubscribe(t, &h, c, "a", "b", "a")
		n.check(t, "+", "+a", "+b")
		h.Unsubscribe(c, "a", "a", "never")
		n.check(t, "-a")
		h.Leave(c)
		h.Leave(c)
		n.check(t, "-b", "-")
		h.Join(c)
		mustSubscribe(t, &h, c, "d")
		n.check(t, "+", "+d")
		c.CloseNow()
		synctest.Wait()
		n.check(t, "-d", "-")
	})
}

func TestHooks_MayJoinLeavePublishAndClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h hub.Hub
		var n told
		conns, peers := pairs(t, 3)
		gone := make(chan string, 1)
		h.OnJoin = func(c *conn.Conn, topic string) {
			n.note("+%s", topic)
			switch topic {
			case "a":
				mustSubscribe(t, &h, c, "b") // of the same connection: told later
				mustSubscribe(t, &h, conns[1], "c")
				h.Publish("a", "welcome")
				n.note("end of +a")
			case "c":
				h.Leave(conns[1])
				h.Send(conns[1], "nothing comes of it")
				conns[2].CloseNow()
			}
		}
		h.OnLeave = func(c *conn.Conn, topic string) {
			if c == conns[2] { // on its own, at its leisure
				gone <- topic
				return
			}
			n.note("-%s", topic)
			h.Join(conns[2]) // which is closed
			h.PublishExcept(c, hub.Everyone, "left "+topic)
		}
		h.Join(conns[2])
		n.check(t, "+")
		mustSubscribe(t, &h, conns[0], "a")
		n.check(t, "+", "+a", "+", "+c", "-c", "-", "end of +a", "+b")
		mustRead(t, peers[0], "left c", "left ", "welcome")
		if topic := <-gone; topic != hub.Everyone {
			t.Error(topic)
		}
	})
}

// A callback that makes another change each time is called in a loop, not deeper and
// deeper.
func TestHooks_DoNotNest(t *testing.T) {
	var h hub.Hub
	c, _ := pair(t)
	depth, most, calls := 0, 0, 0
	change := func(c *conn.Conn, topic string) {
		depth++
		defer func() { depth-- }()
		most = max(most, depth)
		if calls++; calls < 10_000 {
			h.Unsubscribe(c, topic)
			h.Subscribe(c, "again")
		}
	}
	h.OnJoin = change
	mustSubscribe(t, &h, c, "again")
	if most != 1 || calls < 10_000 {
		t.Errorf("%d calls, up to %d deep", calls, most)
	}
}

func TestHooks_OfOneMember_AreCalledOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h hub.Hub
		var n told
		n.hooks(&h)
		slow, inside := make(chan bool), h.OnJoin
		h.OnJoin = func(c *conn.Conn, topic string) {
			if topic == "slow" {
				<-slow
			}
			inside(c, topic)
		}
		conns, _ := pairs(t, 2)
		go h.Subscribe(conns[0], "slow")
		synctest.Wait()
		h.Leave(conns[0])
		mustSubscribe(t, &h, conns[0], "after")
		mustSubscribe(t, &h, conns[1], "another")
		n.check(t, "+", "+", "+another")
		close(slow)
		synctest.Wait()
		n.check(t, "+slow", "-slow", "-", "+", "+after")
	})
}

func TestHook_ThatPanics_ClosesItsConnection_AndNoOther(t *testing.T) {
	for _, at := range []string{"+news", "-news"} {
		t.Run(at, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				h := hub.Hub{Logger: slog.New(slog.NewTextHandler(&log, nil))}
				conns, peers := pairs(t, 3)
				blow := func(sign string) func(*conn.Conn, string) {
					return func(c *conn.Conn, topic string) {
						if c == conns[1] && sign+topic == at {
							panic("oh no")
						}
					}
				}
				h.OnJoin, h.OnLeave = blow("+"), blow("-")
				for _, c := range conns {
					mustSubscribe(t, &h, c, "news")
				}
				if at[0] == '-' {
					h.Unsubscribe(conns[1], "news")
				}
				if _, err := peers[1].Read(bg); conn.CloseStatus(err) != frame.CloseInternalError {
					t.Error(err)
				}
				synctest.Wait()
				if !strings.Contains(log.String(), "oh no") || !strings.Contains(log.String(), "hooks_test.go") {
					t.Errorf("logged: %s", log.String())
				}
				mustPublish(t, &h, "news", "go on")
				mustRead(t, peers[0], "go on")
				mustRead(t, peers[2], "go on")
				if h.Len(hub.Everyone) != 2 {
					t.Errorf("%d members", h.Len(hub.Everyone))
				}
			})
		})
	}
}

func TestHook_ThatEndsItsGoroutine_IsNotTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h hub.Hub
		var n told
		h.OnJoin = func(_ *conn.Conn, topic string) {
			n.note("+%s", topic)
			if topic == "a" {
				runtime.Goexit()
			}
		}
		c, _ := pair(t)
		go h.Subscribe(c, "a", "b")
		synctest.Wait()
		n.check(t, "+", "+a", "+b")
		mustSubscribe(t, &h, c, "c")
		n.check(t, "+c")
	})
}

func TestHub_LogsToTheDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		old := slog.Default()
		defer slog.SetDefault(old)
		slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
		h := hub.Hub{OnJoin: func(*conn.Conn, string) { panic("here") }}
		c, _ := pair(t)
		h.Join(c)
		synctest.Wait()
		if !strings.Contains(log.String(), "here") {
			t.Error(log.String())
		}
	})
}
