package conn_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
	deflate "github.com/swan-ws/websocket/permessage-deflate"
)

func TestHandle_BeginsWithBegin(t *testing.T) {
	for _, slow := range []time.Duration{0, time.Second} {
		synctest.Test(t, func(t *testing.T) {
			role := machine.Server
			c, peer := against(t, role, conn.Options{PingEvery: -1})
			mustWrite(t, peer, to(role, fin|text, "one"))
			mustWrite(t, peer, to(role, fin|text, "two"))
			mustWrite(t, peer, closeTo(role, 1000, ""))
			var got []string
			err := c.Handle(5, func() bool {
				<-time.After(slow)
				if slow > 0 != (c.Phase() != conn.Open) { // somebody else has read the Close
					t.Errorf("after %v: %v", slow, c.Phase())
				}
				got = append(got, "begin")
				return true
			}, func(m conn.Message) bool {
				got = append(got, string(m.Data))
				return true
			})
			if !slices.Equal(got, []string{"begin", "one", "two"}) || conn.CloseStatus(err) != 1000 {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

func TestHandle_DoesNotGoOnAfterABeginThatSaysSo(t *testing.T) {
	for _, slow := range []time.Duration{0, time.Second} {
		synctest.Test(t, func(t *testing.T) {
			c, peer := against(t, machine.Server, conn.Options{PingEvery: -1})
			err := c.Handle(5, func() bool { <-time.After(slow); return false }, func(conn.Message) bool { panic("no") })
			if err != nil {
				t.Error(err)
			}
			mustWrite(t, peer, to(machine.Server, fin|text, "one"))
			m, err := c.Read(bg)
			wantMessage(t, m, err, conn.Text, "one")
		})
	}
}

// Begin is called whatever has become of the connection.
func TestHandle_BeginsOnAConnectionThatHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, end := range []func(c *conn.Conn){
			func(c *conn.Conn) { c.CloseNow() },
			func(c *conn.Conn) { go c.Close(1000, ""); synctest.Wait() },
		} {
			c, _ := against(t, machine.Server, conn.Options{PingEvery: -1})
			end(c)
			began := 0
			err := c.Handle(5, func() bool { began++; return true }, func(conn.Message) bool { panic("no") })
			if err == nil || err != c.Err() || began != 1 {
				t.Errorf("began %d times, %v", began, err)
			}
		}
	})
}

// Whoever reads on does so in buffers of its own: a message stays what it was until f
// returns, wherever it lies.
func TestHandle_AMessageStaysAsItIs_WhileSomebodyElseReads(t *testing.T) {
	for name, o := range map[string]conn.Options{
		"plain":      {PingEvery: -1, Compression: deflate.Options{Mode: deflate.Off}},
		"compressed": {PingEvery: -1},
	} {
		for _, size := range []int{10, 300, 5000, 100_000} {
			t.Run(fmt.Sprintf("%s/%d", name, size), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a, b := conntest.Pipe()
					config := conn.Config{Options: o}
					if name == "compressed" {
						config.Deflate = &deflate.Params{}
					}
					c := conn.New(a, config)
					config.Role = machine.Client
					peer := conn.New(b, config)
					payload := func(i int) []byte { return bytes.Repeat([]byte{byte('a' + i)}, size) }
					go func() {
						for i := range 5 {
							peer.Write(bg, conn.Text, payload(i))
						}
						peer.Close(1000, "")
					}()
					n := 0
					c.Handle(3, nil, func(m conn.Message) bool {
						<-time.After(time.Second)
						if !bytes.Equal(m.Data, payload(n)) {
							t.Errorf("message %d is %.20q of %d bytes", n, m.Data, len(m.Data))
						}
						n++
						return true
					})
					if n != 5 {
						t.Errorf("%d messages", n)
					}
				})
			})
		}
	}
}

// Callbacks of any length, messages at any time: none is lost, none comes before
// another, and in the end nobody reads.
func TestHandle_LosesNothing_WhoeverReads(t *testing.T) {
	for seed := range uint64(50) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			pause := func(r *rand.Rand) { <-time.After(time.Duration(r.IntN(3)*r.IntN(120)) * time.Millisecond) }
			c, peer := against(t, machine.Server, conn.Options{PingEvery: -1})
			go func() {
				random := rand.New(rand.NewPCG(seed, 2))
				for i := range 200 {
					if random.IntN(3) == 0 {
						mustWrite(t, peer, to(machine.Server, pingFrame, "p"))
					}
					size := random.IntN(3) * random.IntN(3000)
					mustWrite(t, peer, to(machine.Server, fin|binaryData, fmt.Sprintf("%0*d", max(size, 3), i)))
					pause(random)
				}
				peer.CloseWrite()
			}()
			go io.Copy(io.Discard, peer)
			n := 0
			err := c.Handle(int(seed%5), nil, func(m conn.Message) bool {
				pause(random)
				if got := strings.TrimLeft(string(m.Data), "0"); got != strings.TrimLeft(fmt.Sprint(n), "0") {
					t.Errorf("seed %d: message %d is %q", seed, n, got)
				}
				n++
				return true
			})
			if n != 200 || !errors.Is(err, io.EOF) {
				t.Errorf("seed %d: %d messages, %v", seed, n, err)
			}
		})
	}
}

// What has been put aside when f says that it is enough, or panics, is gone; the
// connection is not.
func TestHandle_EndsWhenToldTo_ByOneThatHasWaited(t *testing.T) {
	for name, end := range map[string]func() bool{
		"false": func() bool { return false },
		"panic": func() bool { panic("oh") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				role := machine.Server
				c, peer := against(t, role, conn.Options{PingEvery: -1})
				for _, data := range []string{"slow", "waits", "waits too"} {
					mustWrite(t, peer, to(role, fin|text, data))
				}
				n := 0
				func() {
					defer func() { recover() }()
					c.Handle(2, nil, func(m conn.Message) bool {
						if n++; n == 2 {
							return end()
						}
						<-time.After(time.Second)
						return true
					})
				}()
				mustWrite(t, peer, to(role, fin|text, "next"))
				m, err := c.Read(bg)
				wantMessage(t, m, err, conn.Text, "next")
			})
		})
	}
}

// A hook that ends its goroutine, as a test's Fatal does, ends that of the relief and
// not the program; Handle then says so.
func TestHandle_OutlivesAHookThatEndsItsGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		role := machine.Server
		c, peer := against(t, role, conn.Options{PingEvery: -1, OnPong: func(*conn.Conn, []byte) { runtime.Goexit() }})
		mustWrite(t, peer, to(role, fin|text, "slow"))
		mustWrite(t, peer, to(role, fin|text, "waits"))
		mustWrite(t, peer, to(role, pongFrame, ""))
		n := 0
		err := c.Handle(2, nil, func(conn.Message) bool {
			<-time.After(time.Second)
			n++
			return true
		})
		if err == nil || !strings.Contains(err.Error(), "ended its goroutine") || n != 2 || c.Err() != nil {
			t.Errorf("%d messages, %v", n, err)
		}
		mustWrite(t, peer, to(role, fin|text, "next"))
		m, err := c.Read(bg)
		wantMessage(t, m, err, conn.Text, "next")
	})
}

// The peer's fault is the error, and what came before it is handled.
func TestHandle_WhileACallbackIsSlow_AFaultComesLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		role := machine.Server
		c, peer := against(t, role, conn.Options{PingEvery: -1})
		mustWrite(t, peer, to(role, fin|text, "slow"))
		mustWrite(t, peer, to(role, fin|text, "waits"))
		mustWrite(t, peer, to(role, fin|3, "no such opcode"))
		n := 0
		err := c.Handle(5, nil, func(conn.Message) bool {
			<-time.After(2 * time.Second)
			n++
			return true
		})
		if conn.CloseStatus(err) != 1002 || n != 2 {
			t.Errorf("%d messages, %v", n, err)
		}
	})
}

// While a callback is slow the connection is not idle; it is after.
func TestIdleTimeout_DoesNotRunOut_WhileACallbackIsSlow(t *testing.T) {
	for _, waiting := range []int{-1, 3} {
		synctest.Test(t, func(t *testing.T) {
			role := machine.Server
			c, peer := against(t, role, conn.Options{PingEvery: -1, IdleTimeout: time.Second})
			mustWrite(t, peer, to(role, fin|text, "slow"))
			mustWrite(t, peer, to(role, fin|text, "waits"))
			go io.Copy(io.Discard, peer)
			start, n := time.Now(), 0
			err := c.Handle(waiting, nil, func(conn.Message) bool {
				<-time.After(5 * time.Second)
				n++
				return true
			})
			if took := time.Since(start); n != 2 || !errors.Is(err, conn.ErrIdleTimeout) || took < 10*time.Second || took > 18*time.Second {
				t.Errorf("%d messages, %v after %v", n, err, took)
			}
		})
	}
}

// A callback may close in any way while somebody else reads.
func TestHandle_OfACallbackThatCloses_WhileSomebodyElseReads(t *testing.T) {
	for name, end := range map[string]func(c *conn.Conn){
		"CloseNow":   func(c *conn.Conn) { c.CloseNow() },
		"StartClose": func(c *conn.Conn) { c.StartClose(4002, "") },
		"from elsewhere": func(c *conn.Conn) {
			go c.Close(4002, "")
			<-c.Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				role := machine.Server
				c, peer := against(t, role, conn.Options{PingEvery: -1})
				mustWrite(t, peer, to(role, fin|text, "close"))
				go io.Copy(io.Discard, peer)
				start := time.Now()
				err := c.Handle(3, nil, func(conn.Message) bool {
					<-time.After(time.Second)
					end(c)
					return true
				})
				if !errors.Is(err, net.ErrClosed) || time.Since(start) > 10*time.Second {
					t.Errorf("%v after %v", err, time.Since(start))
				}
			})
		})
	}
}

// A message that comes just when a slow callback has ended is no reason to stop
// reading: the next callback may be slow as well.
func TestHandle_ReadsOn_AlsoForTheMessageThatComesAtTheEndOfASlowCallback(t *testing.T) {
	for run := range 300 {
		synctest.Test(t, func(t *testing.T) {
			role := machine.Server
			c, peer := against(t, role, conn.Options{PingEvery: -1})
			mustWrite(t, peer, to(role, fin|text, "slow"))
			go func() {
				<-time.After(time.Second)
				for range run % 10 {
					runtime.Gosched()
				}
				mustWrite(t, peer, to(role, fin|text, "slow"))
				<-time.After(500 * time.Millisecond)
				start := time.Now()
				mustWrite(t, peer, to(role, pingFrame, ""))
				newWire(peer).mustNext(t)
				if took := time.Since(start); took != 0 {
					t.Errorf("run %d: the Pong took %v", run, took)
				}
				peer.CloseWrite()
			}()
			c.Handle(3, nil, func(conn.Message) bool { <-time.After(time.Second); return true })
		})
	}
}

// A Close that has taken over from a quick callback may take its time.
func TestHandle_WaitsForACloseThatReadsInItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		role := machine.Server
		c, peer := against(t, role, conn.Options{PingEvery: -1})
		mustWrite(t, peer, to(role, fin|text, "close"))
		start := time.Now()
		err := c.Handle(3, nil, func(conn.Message) bool {
			go c.Close(4002, "") // which the peer does not answer
			synctest.Wait()
			return true
		})
		if conn.CloseStatus(err) != 4002 || time.Since(start) != conn.DefaultCloseTimeout {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}
