package conn_test

import (
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/machine"
)

// readLoops read until the end, or until f has had enough.
var readLoops = map[string]func(c *conn.Conn, f func(conn.Message) bool){
	"Read": func(c *conn.Conn, f func(conn.Message) bool) {
		for {
			if m, err := c.Read(bg); err != nil || !f(m) {
				return
			}
		}
	},
	"ReadInto": func(c *conn.Conn, f func(conn.Message) bool) {
		var buf []byte
		for {
			m, err := c.ReadInto(bg, buf[:0])
			if err != nil || !f(m) {
				return
			}
			buf = m.Data
		}
	},
	"Messages": func(c *conn.Conn, f func(conn.Message) bool) {
		for m, err := range c.Messages(bg) {
			if err != nil || !f(m) {
				return
			}
		}
	},
	"Handle":              func(c *conn.Conn, f func(conn.Message) bool) { c.Handle(10, nil, f) },
	"Handle, nobody else": func(c *conn.Conn, f func(conn.Message) bool) { c.Handle(-1, nil, f) },
}

// Whatever reads: what takes a second to answer does not hold up the answers before it,
// which were to leave with that one.
func TestWrite_BeforeASlowAnswer_LeavesWithinAMillisecond(t *testing.T) {
	for name, read := range readLoops {
		for _, role := range roles {
			synctest.Test(t, func(t *testing.T) {
				c, peer := against(t, role, quiet)
				mustWrite(t, peer, burst(role, 3, 5))
				start, done := time.Now(), make(chan struct{})
				go func() {
					defer close(done)
					read(c, func(m conn.Message) bool {
						if string(m.Data) == "00002" {
							<-time.After(time.Second)
						}
						return c.Write(bg, m.Type, m.Data) == nil
					})
				}()
				wire := wantEchoes(t, peer, 2, 5)
				if took := time.Since(start); took > time.Millisecond {
					t.Errorf("%s, %v: the answers before took %v", name, role, took)
				}
				wire.mustNext(t)
				if took := time.Since(start); took < time.Second || took > time.Second+time.Millisecond {
					t.Errorf("%s, %v: the slow one took %v", name, role, took)
				}
				c.CloseNow()
				<-done
			})
		}
	}
}

// And with a clock and a socket that are real: the answers come while the slow one is
// still waited for.
func TestWrite_BeforeASlowAnswer_LeavesMeanwhile(t *testing.T) {
	for name, read := range readLoops {
		for _, role := range roles {
			ours, theirs := loopback(t)
			c := conn.New(ours, conn.Config{Role: role, Options: quiet})
			theirs.SetDeadline(time.Now().Add(20 * time.Second))
			mustWrite(t, theirs, burst(role, 3, 5))
			release, done := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(done)
				read(c, func(m conn.Message) bool {
					if string(m.Data) == "00002" {
						<-release
					}
					return c.Write(bg, m.Type, m.Data) == nil
				})
			}()
			wantSlowLast(t, name, role, theirs, release)
			theirs.Close()
			<-done
			c.CloseNow()
		}
	}
}

// wantSlowLast wants two answers, lets the slow one go, and wants that.
func wantSlowLast(t *testing.T, name string, role machine.Role, peer net.Conn, release chan struct{}) {
	t.Helper()
	wire := newWire(peer)
	for i, want := range []string{"binary 00000", "binary 00001", "binary 00002"} {
		if i == 2 {
			close(release)
		}
		f, err := wire.next()
		if err != nil || f.String() != want {
			t.Errorf("%s, %v: answer %d is %v, %v", name, role, i, f, err)
		}
	}
}
