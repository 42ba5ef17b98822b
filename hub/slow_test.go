package hub_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
	"github.com/swan-ws/websocket/hub"
)

// stuck returns a member whose peer has not begun to read. A first message is on its
// way, and message(0) waits behind it.
func stuck(t *testing.T, h *hub.Hub) (c, peer *conn.Conn) {
	t.Helper()
	c, peer = pairSize(t, patient, 1)
	mustSubscribe(t, h, c, "news")
	if r := mustPublish(t, h, "news", "under way"); r.Delivered == 0 {
		t.Fatal(r)
	}
	synctest.Wait()
	mustPublish(t, h, "news", message(0))
	synctest.Wait()
	return c, peer
}

// waits is how many messages of 84 bytes fit into a budget of 1000: each counts 16
// bytes more.
const waits = 10

func message(i int) string { return fmt.Sprintf("%084d", i) }

func TestBudget_UsedUp_DropsOrCloses(t *testing.T) {
	for _, c := range []struct {
		name   string
		policy hub.Policy
		per    hub.Result // of each message beyond the budget
		from   int        // the messages that come
		to     int
	}{
		{"drop newest", hub.DropNewest, hub.Result{Dropped: 1}, 0, waits},
		{"drop oldest", hub.DropOldest, hub.Result{Queued: 1, Dropped: 1}, 5, waits + 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hub.Hub{Budget: 1000, Policy: c.policy}
				s, peer := stuck(t, &h)
				for i := 1; i < waits; i++ {
					if r := mustPublish(t, &h, "news", message(i)); r != (hub.Result{Queued: 1}) {
						t.Fatalf("message %d: %+v", i, r)
					}
				}
				for i := range 5 {
					if r := mustPublish(t, &h, "news", message(waits+i)); r != c.per {
						t.Errorf("message %d: %+v", waits+i, r)
					}
				}
				if b := h.Backlog(s); b != (hub.Backlog{Messages: waits, Bytes: 1000, Dropped: 5}) {
					t.Errorf("%+v", b)
				}
				mustRead(t, peer, "under way")
				for i := c.from; i < c.to; i++ {
					mustRead(t, peer, message(i))
				}
				mustBeSilent(t, &h, s, peer)
				if b := h.Backlog(s); b != (hub.Backlog{Dropped: 5}) {
					t.Errorf("%+v", b)
				}
			})
		})
	}
}

func TestBudget_UsedUp_Closes(t *testing.T) {
	for _, c := range []struct {
		name string
		code frame.CloseCode
		want frame.CloseCode
	}{
		{"by default with 1013", 0, frame.CloseTryAgainLater},
		{"with 1008", frame.ClosePolicyViolation, frame.ClosePolicyViolation},
		{"cut, with a code that cannot be sent", frame.CloseAbnormal, frame.CloseAbnormal},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hub.Hub{Budget: 1000, CloseCode: c.code}
				s, peer := stuck(t, &h)
				other, otherPeer := pair(t)
				mustSubscribe(t, &h, other, "news")
				for i := 1; i < waits; i++ {
					mustPublish(t, &h, "news", message(i))
					mustRead(t, otherPeer, message(i))
				}
				synctest.Wait()
				if r := mustPublish(t, &h, "news", "too much"); r != (hub.Result{Delivered: 1, Closed: 1}) {
					t.Errorf("%+v", r)
				}
				if r := mustPublish(t, &h, "news", "more"); r.Closed != 0 || r.Delivered+r.Queued != 1 {
					t.Errorf("%+v", r)
				}
				mustRead(t, otherPeer, "too much", "more")
				synctest.Wait()
				if h.Has(s, hub.Everyone) || h.Has(s, "news") {
					t.Error("it is still a member")
				}
				_, err := peer.Read(bg) // what was under way
				if err == nil {
					_, err = peer.Read(bg)
				}
				if conn.CloseStatus(err) != c.want {
					t.Error(err)
				}
			})
		})
	}
}

// A peer that does not even read the Close frame is cut.
func TestCloseSlow_DoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hub.Hub{Budget: 100}
		s, _ := stuck(t, &h)
		start := time.Now()
		mustPublish(t, &h, "news", message(1))
		<-s.Done()
		if took := time.Since(start); took > conn.DefaultCloseTimeout {
			t.Errorf("it took %v", took)
		}
		if conn.CloseStatus(s.Err()) != frame.CloseTryAgainLater {
			t.Error(s.Err())
		}
	})
}

func TestBudget_LetsOneMessageWait_WhateverItsLength(t *testing.T) {
	for _, policy := range []hub.Policy{hub.CloseSlow, hub.DropOldest, hub.DropNewest} {
		synctest.Test(t, func(t *testing.T) {
			h := hub.Hub{Budget: 10, Policy: policy}
			_, peer := stuck(t, &h)
			mustRead(t, peer, "under way", message(0))
		})
	}
}

func TestBudget_CountsEmptyMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hub.Hub{Policy: hub.DropNewest}
		c, _ := stuck(t, &h)
		empty := 0
		for mustPublish(t, &h, "news", "").Dropped == 0 {
			empty++
		}
		if b := h.Backlog(c); empty > hub.DefaultBudget/16 || b.Messages != 1+empty || b.Bytes > hub.DefaultBudget {
			t.Errorf("%d, %+v", empty, b)
		}
	})
}

func TestBudget_Negative_IsNoLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hub.Hub{Budget: -1}
		c, _ := stuck(t, &h)
		const n = 100
		for range n {
			mustPublish(t, &h, "news", make([]byte, 100_000))
		}
		if b := h.Backlog(c); b.Messages != n+1 {
			t.Errorf("%+v", b)
		}
	})
}

// What has gathered for a member leaves together.
func TestPublish_WhatWaits_LeavesInOneWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h hub.Hub
		a, b := conntest.PipeSize(10)
		c := conn.New(a, conn.Config{Options: patient, Role: machine.Server})
		peer := conn.New(b, conn.Config{Options: patient, Role: machine.Client})
		defer c.CloseNow()
		defer peer.CloseNow()
		mustSubscribe(t, &h, c, "news")
		const more = 100
		for i := range 1 + more {
			mustPublish(t, &h, "news", message(i))
			synctest.Wait()
		}
		for i := range 1 + more {
			mustRead(t, peer, message(i))
		}
		if writes := a.Stats().Writes; writes != 2 {
			t.Errorf("%d writes", writes)
		}
	})
}

// Dropped messages leave room at once: one long message may push out many.
func TestDropOldest_MakesRoomForALongMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hub.Hub{Budget: 1000, Policy: hub.DropOldest}
		_, peer := stuck(t, &h)
		for i := 1; i < waits; i++ {
			mustPublish(t, &h, "news", message(i))
		}
		long := string(make([]byte, 300))
		if r := mustPublish(t, &h, "news", long); r != (hub.Result{Queued: 1, Dropped: 4}) {
			t.Errorf("%+v", r)
		}
		mustRead(t, peer, "under way", message(4), message(5), message(6), message(7), message(8), message(9), long)
	})
}

// What waits for one delays nobody else, whatever the policy, and not for a moment:
// the clock stands still.
func TestSlowMember_DelaysNobody(t *testing.T) {
	for _, policy := range []hub.Policy{hub.CloseSlow, hub.DropOldest, hub.DropNewest} {
		t.Run(fmt.Sprint(policy), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hub.Hub{Budget: 1000, Policy: policy}
				stuck(t, &h)
				c, peer := pair(t)
				mustSubscribe(t, &h, c, "news")
				start := time.Now()
				for i := range 100 {
					mustPublish(t, &h, "news", message(i))
					mustRead(t, peer, message(i))
				}
				if took := time.Since(start); took != 0 {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// A peer that takes nothing for WriteTimeout is lost, as on any connection, and
// leaves.
func TestStuckMember_IsGivenUp_AfterItsWriteTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h hub.Hub
		c, _ := pairSize(t, conn.Options{PingEvery: -1}, 1)
		mustSubscribe(t, &h, c, "news")
		mustPublish(t, &h, "news", "nobody reads this")
		mustPublish(t, &h, "news", "nor this")
		<-c.Done()
		synctest.Wait()
		if h.Len(hub.Everyone) != 0 {
			t.Error("still a member")
		}
		if diff := cmp.Diff(hub.Backlog{}, h.Backlog(c)); diff != "" {
			t.Error(diff)
		}
	})
}
