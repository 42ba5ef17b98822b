package conn_test

import (
	"testing"
	"time"

	"github.com/swan-ws/websocket/conn"
)

// An event loop, whose goroutine the slow one keeps, is no reason to wait either.
func TestAttach_ASlowAnswer_DoesNotHoldUpThoseBefore(t *testing.T) {
	for _, waiting := range []int{10, -1} {
		for _, role := range roles {
			ours, theirs := inLoop(t)
			c := conn.New(ours, conn.Config{Role: role, Options: quiet})
			theirs.SetDeadline(time.Now().Add(20 * time.Second))
			mustWrite(t, theirs, burst(role, 3, 5))
			release, ended := make(chan struct{}), make(chan error, 1)
			go c.Attach(waiting, nil, func(m conn.Message) bool {
				if string(m.Data) == "00002" {
					<-release
				}
				return c.Write(bg, m.Type, m.Data) == nil
			}, func(err error) { ended <- err })
			wantSlowLast(t, "Attach", role, theirs, release)
			theirs.Close()
			<-ended
		}
	}
}
