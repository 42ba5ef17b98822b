package conn_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
)

// loops are ways to echo until the end.
var loops = map[string]func(c *conn.Conn){
	"Read": func(c *conn.Conn) {
		for {
			m, err := c.Read(bg)
			if err != nil || c.Write(bg, m.Type, m.Data) != nil {
				return
			}
		}
	},
	"Messages": func(c *conn.Conn) {
		for m, err := range c.Messages(bg) {
			if err != nil || c.Write(bg, m.Type, m.Data) != nil {
				return
			}
		}
	},
	"Handle": func(c *conn.Conn) {
		c.Handle(10, nil, func(m conn.Message) bool { return c.Write(bg, m.Type, m.Data) == nil })
	},
	"Send": func(c *conn.Conn) {
		c.Handle(10, nil, func(m conn.Message) bool { return c.Send(bg, conn.Prepare(m.Type, m.Data)) == nil })
	},
}

// burst is so many messages of a size, in one piece.
func burst(role machine.Role, n, size int) (wire []byte) {
	for i := range n {
		wire = append(wire, to(role, fin|binaryData, fmt.Sprintf("%0*d", size, i))...)
	}
	return wire
}

func wantEchoes(t *testing.T, r io.Reader, n, size int) wire {
	t.Helper()
	wire := newWire(r)
	for i := range n {
		if got, want := wire.mustNext(t).String(), fmt.Sprintf("binary %0*d", size, i); got != want {
			t.Fatalf("echo %d: %.60s, want %.60s", i, got, want)
		}
	}
	return wire
}

// What answers messages that came at once leaves in one write.
func TestWrite_OfAnswersToABurst_IsOneWrite(t *testing.T) {
	for name, loop := range loops {
		for _, role := range roles {
			synctest.Test(t, func(t *testing.T) { // however busy the machine, no time passes
				a, b := conntest.Pipe()
				c := conn.New(a, conn.Config{Role: role, Options: conn.Options{PingEvery: -1}})
				mustWrite(t, b, burst(role, 50, 10))
				done := make(chan struct{})
				go func() {
					defer close(done)
					loop(c)
				}()
				wantEchoes(t, b, 50, 10)
				if n := a.Stats().Writes; n != 1 {
					t.Errorf("%s, %v: %d writes", name, role, n)
				}
				b.Close()
				<-done
				c.CloseNow()
			})
		}
	}
}

func TestWrite_OfAnswersToALongBurst_IsSomeWrites(t *testing.T) {
	for _, loop := range loops {
		for _, role := range roles {
			ours, theirs := loopback(t)
			c := conn.New(ours, conn.Config{Role: role, Options: conn.Options{PingEvery: -1}})
			go theirs.Write(burst(role, 1000, 1000))
			done := make(chan struct{})
			go func() {
				defer close(done)
				loop(c)
			}()
			wantEchoes(t, theirs, 1000, 1000)
			theirs.Close()
			<-done
			c.CloseNow()
		}
	}
}

// A callback that goes on for long does not keep the answers before it back, nor
// does one that never reads again.
func TestWrite_WithMoreToRead_WaitsForAMillisecondAtTheMost(t *testing.T) {
	for _, stops := range []bool{false, true} {
		for _, role := range roles {
			synctest.Test(t, func(t *testing.T) {
				c, peer := against(t, role, conn.Options{PingEvery: -1})
				mustWrite(t, peer, burst(role, 3, 5))
				start, done := time.Now(), make(chan struct{})
				go func() {
					defer close(done)
					for m, err := range c.Messages(bg) {
						if err != nil {
							return
						}
						c.Write(bg, m.Type, m.Data)
						if string(m.Data) != "00001" {
							continue
						}
						if stops {
							break
						}
						<-time.After(time.Minute)
					}
					c.WriteText(bg, "last")
				}()
				wire := wantEchoes(t, peer, 2, 5)
				if took := time.Since(start); took > time.Millisecond {
					t.Errorf("%v: the echoes took %v", role, took)
				}
				if stops {
					if got := wire.mustNext(t).String(); got != "text last" || time.Since(start) > 2*time.Millisecond {
						t.Errorf("%v: %s after %v", role, got, time.Since(start))
					}
				}
				c.CloseNow()
				<-done
			})
		}
	}
}

// What Write has taken is not lost with CloseNow.
func TestCloseNow_AfterAWriteThatWaitsForOthers_LosesNothing(t *testing.T) {
	streams := map[string]func(t *testing.T) (ours, theirs net.Conn){
		"pipe": func(*testing.T) (net.Conn, net.Conn) { return conntest.Pipe() },
		"TCP": func(t *testing.T) (net.Conn, net.Conn) {
			ours, theirs := loopback(t)
			return ours, theirs
		},
	}
	for name, stream := range streams {
		for _, role := range roles {
			ours, theirs := stream(t)
			c := conn.New(ours, conn.Config{Role: role, Options: conn.Options{PingEvery: -1}})
			mustWrite(t, theirs, burst(role, 2, 3))
			m, err := c.Read(bg)
			wantMessage(t, m, err, conn.Binary, "000")
			if err := c.Write(bg, m.Type, m.Data); err != nil {
				t.Fatal(err)
			}
			c.CloseNow()
			if got := newWire(theirs).mustNext(t).String(); got != "binary 000" {
				t.Errorf("%s, %v: %s", name, role, got)
			}
		}
	}
}

// A deadline is for this write, and a message that is long enough waits for none.
func TestWrite_InAHurryOrLong_DoesNotWaitForOthers(t *testing.T) {
	for what, write := range map[string]func(c *conn.Conn) error{
		"deadline": func(c *conn.Conn) error {
			ctx, cancel := context.WithTimeout(bg, time.Minute)
			defer cancel()
			return c.WriteText(ctx, "now")
		},
		"long": func(c *conn.Conn) error { return c.WriteText(bg, strings.Repeat("x", 16<<10)) },
		"prepared": func(c *conn.Conn) error {
			return c.Send(bg, conn.Prepare(conn.Text, bytes.Repeat([]byte("x"), 16<<10)))
		},
	} {
		for _, role := range roles {
			synctest.Test(t, func(t *testing.T) {
				c, peer := against(t, role, conn.Options{PingEvery: -1})
				mustWrite(t, peer, burst(role, 2, 3))
				if _, err := c.Read(bg); err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				if err := write(c); err != nil {
					t.Fatal(err)
				}
				newWire(peer).mustNext(t)
				if took := time.Since(start); took != 0 {
					t.Errorf("%s, %v: it took %v", what, role, took)
				}
				c.CloseNow()
			})
		}
	}
}
