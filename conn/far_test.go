package conn_test

import (
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/conn"
)

// The longest time there is stands for ever as well as a negative one, and does not keep
// the other times from passing.
func TestKeepalive_TimesThatAreVeryLong_DoNotPass(t *testing.T) {
	const ever = math.MaxInt64
	for _, tc := range []struct {
		name  string
		opt   conn.Options
		pings int // in an hour and a half
		over  bool
	}{
		{"PongWithin", conn.Options{PingEvery: time.Hour, PongWithin: ever}, 1, false},
		{"PongWithin, later", conn.Options{PingEvery: time.Minute, PongWithin: ever}, 89, false},
		{"IdleTimeout", conn.Options{PingEvery: time.Hour, IdleTimeout: ever}, 1, false},
		{"PingEvery", conn.Options{PingEvery: ever, IdleTimeout: time.Hour}, 0, true},
	} {
		for _, role := range roles {
			t.Run(fmt.Sprint(tc.name, role), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c, peer := against(t, role, tc.opt)
					go drain(c)
					pings := 0
					go answerPings(role, peer, func() { pings++ })
					<-time.After(90*time.Minute - time.Second)
					synctest.Wait()
					if over := c.Err() != nil; over != tc.over || pings != tc.pings {
						t.Errorf("%v, %d pings, want %d", c.Err(), pings, tc.pings)
					}
					c.CloseNow()
				})
			})
		}
	}
}
