package hub_test

import (
	"errors"
	"net"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
	"github.com/swan-ws/websocket/hub"
)

func TestJoin_OfAClosedConnection_SaysWhyItEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h hub.Hub
		c, _ := pair(t)
		c.CloseNow()
		if err := h.Join(c); !errors.Is(err, net.ErrClosed) || err != c.Err() {
			t.Error(err)
		}
		if err := h.Subscribe(c, "news"); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		if n := h.Len(hub.Everyone) + h.Len("news"); n != 0 {
			t.Errorf("%d members", n)
		}
	})
}

func TestMember_LeavesByItself_WhenItsConnectionEnds(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(c, peer *conn.Conn)
	}{
		{"cut", func(c, _ *conn.Conn) { c.CloseNow() }},
		{"closed", func(c, _ *conn.Conn) { c.Close(frame.CloseNormal, "") }},
		{"closed by its peer", func(c, peer *conn.Conn) {
			go peer.Close(frame.CloseNormal, "")
			c.Read(bg)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var h hub.Hub
				conns, peers := pairs(t, 2)
				for _, c := range conns {
					mustSubscribe(t, &h, c, "swans", "geese")
				}
				c.end(conns[0], peers[0])
				synctest.Wait()
				for _, topic := range []string{hub.Everyone, "swans", "geese"} {
					if got := slices.Collect(h.Members(topic)); !slices.Equal(got, conns[1:]) {
						t.Errorf("%q: %d members, or the wrong one", topic, len(got))
					}
				}
				if r := mustPublish(t, &h, "swans", "honk"); r != (hub.Result{Delivered: 1}) {
					t.Errorf("%+v", r)
				}
			})
		})
	}
}

func TestMember_CostsNoGoroutine_WhileNothingWaits(t *testing.T) {
	var h hub.Hub
	before := runtime.NumGoroutine()
	conns, peers := pairs(t, 1000)
	for _, c := range conns {
		mustSubscribe(t, &h, c, "news")
	}
	if n := runtime.NumGoroutine() - before; n > 0 {
		t.Errorf("%d goroutines for members", n)
	}
	mustPublish(t, &h, "news", "one")
	for _, peer := range peers {
		mustRead(t, peer, "one")
	}
	for runtime.NumGoroutine() > before { // or the test's deadline passes
		runtime.Gosched()
	}
}

func TestSubscribe_Twice_IsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h hub.Hub
		c, peer := pair(t)
		mustSubscribe(t, &h, c, "news", "news")
		mustSubscribe(t, &h, c, "news")
		if n := h.Len("news"); n != 1 {
			t.Errorf("%d members", n)
		}
		mustPublish(t, &h, "news", "once")
		mustRead(t, peer, "once")
		mustBeSilent(t, &h, c, peer)
		h.Unsubscribe(c, "news", "news")
		if n := h.Len("news"); n != 0 {
			t.Errorf("%d members", n)
		}
	})
}

func TestUnsubscribe_LeavesTheOtherTopics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h hub.Hub
		c, peer := pair(t)
		mustSubscribe(t, &h, c, "swans", "geese")
		h.Unsubscribe(c, "swans", "ducks")
		mustPublish(t, &h, "swans", "honk")
		mustPublish(t, &h, "geese", "hiss")
		mustRead(t, peer, "hiss")
		mustBeSilent(t, &h, c, peer)
		h.Unsubscribe(c, "geese")
		if !h.Has(c, hub.Everyone) {
			t.Error("no member any more")
		}
		h.Unsubscribe(c, hub.Everyone)
		if h.Has(c, hub.Everyone) {
			t.Error("still a member")
		}
	})
}

func TestLeave_StillSendsWhatWasPublishedBefore_EvenAfterAnotherJoin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h hub.Hub
		c, peer := pairSize(t, patient, 1) // all of it waits
		mustSubscribe(t, &h, c, "news")
		mustPublish(t, &h, "news", "1")
		mustPublish(t, &h, "news", "2")
		synctest.Wait()
		h.Leave(c)
		if h.Len("news") != 0 || h.Len(hub.Everyone) != 0 || h.Has(c, "news") {
			t.Error("it has not left")
		}
		if r := mustPublish(t, &h, "news", "lost"); r != (hub.Result{}) {
			t.Errorf("%+v", r)
		}
		mustSubscribe(t, &h, c, "news")
		mustPublish(t, &h, "news", "3")
		mustRead(t, peer, "1", "2", "3")
		h.Leave(c)
		synctest.Wait()
		mustSubscribe(t, &h, c, "news")
		mustPublish(t, &h, "news", "4")
		mustRead(t, peer, "4")
	})
}

// A connection that has left is not kept by the hub, nor the hub by it.
func TestLeave_ForgetsTheConnection(t *testing.T) {
	c, peer := pair(t)
	gone := make(chan bool)
	func() {
		h := new(hub.Hub)
		mustSubscribe(t, h, c, "news")
		mustPublish(t, h, "news", "1")
		mustRead(t, peer, "1")
		h.Leave(c)
		runtime.AddCleanup(h, func(int) { close(gone) }, 0)
	}()
	for {
		runtime.GC()
		select {
		case <-gone:
			return
		default: // or the test's deadline passes
		}
	}
}

func TestPresence_SaysWhoIsWhere(t *testing.T) {
	var h hub.Hub
	conns, _ := pairs(t, 3)
	mustSubscribe(t, &h, conns[0], "swans")
	mustSubscribe(t, &h, conns[1], "swans", "geese")
	h.Join(conns[2])

	if diff := cmp.Diff([]string{"geese", "swans"}, sorted(h.Topics())); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"geese", "swans"}, sorted(h.TopicsOf(conns[1]))); diff != "" {
		t.Error(diff)
	}
	for topic, want := range map[string][]*conn.Conn{
		"swans": conns[:2], "geese": conns[1:2], "ducks": nil, hub.Everyone: conns,
	} {
		if got := slices.Collect(h.Members(topic)); !slices.Equal(got, want) { // nobody has left: as they came
			t.Errorf("%q: %d members, or the wrong ones", topic, len(got))
		}
		if got := h.Len(topic); got != len(want) {
			t.Errorf("%q: Len is %d", topic, got)
		}
		for _, c := range conns {
			if got := h.Has(c, topic); got != slices.Contains(want, c) {
				t.Errorf("%q: Has is %v", topic, got)
			}
		}
	}
	for range h.Members("swans") {
		break
	}
}

// The topics that nobody is in any more are forgotten, also in great numbers, and
// so are those who left big ones.
func TestTopic_ForgetsWhoLeft(t *testing.T) {
	var h hub.Hub
	conns, peers := pairs(t, 300)
	for _, c := range conns {
		mustSubscribe(t, &h, c, "big")
	}
	stay := conns[7]
	for _, c := range conns {
		if c != stay {
			h.Unsubscribe(c, "big")
		}
	}
	if got := slices.Collect(h.Members("big")); !slices.Equal(got, []*conn.Conn{stay}) {
		t.Errorf("%d members", len(got))
	}
	mustPublish(t, &h, "big", "hello")
	mustRead(t, peers[7], "hello")
	h.Unsubscribe(stay, "big")
	if got := sorted(h.Topics()); len(got) != 0 {
		t.Error(got)
	}
}

// Who leaves while one ranges over the members does not disturb it.
func TestMembers_MayChange_WhileOneRangesOverThem(t *testing.T) {
	var h hub.Hub
	conns, _ := pairs(t, 10)
	for _, c := range conns {
		mustSubscribe(t, &h, c, "news")
	}
	seen := 0
	for c := range h.Members("news") {
		seen++
		h.Unsubscribe(c, "news")
		h.Unsubscribe(conns[9], "news")
		h.Subscribe(c, "other")
	}
	if seen != 9 || h.Len("news") != 0 || h.Len("other") != 9 {
		t.Error(seen, h.Len("news"), h.Len("other"))
	}
}
