package server_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/server"
)

// Callbacks that take between no time and far too long, messages at any time and
// several at once, and an idle timeout that runs out now and then.
func TestService_CallsBackOneAtATime_InOrder(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 6455))
			var inside atomic.Int32
			j := new(journal)
			in := func(format string, args ...any) {
				if inside.Add(1) != 1 {
					t.Errorf("seed %d: another callback beside %s", seed, fmt.Sprintf(format, args...))
				}
				<-time.After(time.Duration(random.IntN(4)*random.IntN(200)) * time.Millisecond)
				j.note(format, args...)
				inside.Add(-1)
			}
			idle := 0
			s := &server.Service{
				Options: server.Options{Conn: conn.Options{IdleTimeout: 150 * time.Millisecond}},
				OnOpen:  func(*conn.Conn, *http.Request) error { in("open"); return nil },
				OnMessage: func(_ *conn.Conn, m conn.Message) (any, error) {
					in("%s", m.Data)
					return nil, nil
				},
				OnIdleTimeout: func(*conn.Conn) error { idle++; in("idle"); return nil },
				OnClose:       func(*conn.Conn, error) { in("close") },
				Waiting:       []int{-1, 1, 3, 0}[seed%4],
			}
			c, ended := served(t, s)
			want := []string{"open"}
			pauses := rand.New(rand.NewPCG(seed, 7692))
			for i := range 60 {
				want = append(want, fmt.Sprint(i))
				say(t, c, fmt.Sprint(i))
				<-time.After(time.Duration(pauses.IntN(3)*pauses.IntN(150)) * time.Millisecond)
			}
			<-time.After(time.Minute)
			c.Close(1000, "")
			<-ended
			got := slices.DeleteFunc(j.all(), func(line string) bool { return line == "idle" })
			if want = append(want, "close"); !slices.Equal(got, want) {
				t.Errorf("seed %d: %q", seed, got)
			}
			if idle == 0 {
				t.Errorf("seed %d: OnIdleTimeout was never called", seed)
			}
		})
	}
}

// For 10 seconds a callback does not return. The peer pings every 100 ms, and each
// Pong comes at once.
func TestService_ASlowCallbackDelaysNoPong(t *testing.T) {
	for _, cb := range callbacks {
		switch cb.name {
		case "OnPing", "OnPong", "OnPing in a message": // these are those that must be quick
			continue
		case "OnError", "OnClose": // of these the connection is over
			continue
		}
		t.Run(cb.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var returned atomic.Bool
				s := doIn(cb.name, new(journal), func(c *conn.Conn) {
					if !returned.Load() {
						<-time.After(10 * time.Second)
						returned.Store(true)
					}
				})
				peer, ended := serveRaw(s)
				trigger(peer, cb.name, cb.trigger)
				for i := range 99 {
					<-time.After(100 * time.Millisecond)
					wantPong(t, peer, byte(i), 0)
				}
				if returned.Load() {
					t.Error("the callback was not slow")
				}
				peer.Close()
				<-ended
			})
		})
	}
}

// wantPong pings and wants the Pong to take so long.
func wantPong(t *testing.T, peer *conntest.Conn, payload byte, after time.Duration) {
	t.Helper()
	start := time.Now()
	peer.Write([]byte{0x89, 0x81, 0, 0, 0, 0, payload})
	expect(t, peer, []byte{0x8a, 1, payload})
	if took := time.Since(start); took != after {
		t.Fatalf("the Pong of Ping %d took %v, want %v", payload, took, after)
	}
}

func TestService_WithNegativeWaiting_ReadsNothingDuringACallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := doIn("OnText", new(journal), func(*conn.Conn) { <-time.After(4 * time.Second) })
		s.Waiting = -1
		peer, ended := serveRaw(s)
		trigger(peer, "OnText", `8181 00000000 "x"`)
		wantPong(t, peer, 'p', 4*time.Second)
		peer.Close()
		<-ended
	})
}

// A callback hears of the peer's Close by its context, long before it returns.
func TestService_ASlowCallbackHearsThatThePeerHasClosed(t *testing.T) {
	for _, name := range []string{"OnOpen", "OnText"} {
		synctest.Test(t, func(t *testing.T) {
			j := new(journal)
			s := doIn(name, j, func(c *conn.Conn) {
				start := time.Now()
				<-c.Context().Done()
				j.note("%s knows after %v", name, time.Since(start))
			})
			peer, ended := serveRaw(s)
			peer.Write(conntest.Hex(`8181 00000000 "x"`))
			synctest.Wait()
			<-time.After(time.Second)
			peer.Write(conntest.Hex(`8882 00000000 03e8`))
			expect(t, peer, conntest.Hex(`8802 03e8`))
			<-ended
			// What had come before is not lost, whoever is slow.
			want := []string{"open", "text x", name + " knows after 1s", "close"}
			if name == "OnOpen" {
				want = []string{"open", name + " knows after 1s", "text x", "close"}
			}
			j.wantNotes(t, want...)
			peer.Close()
		})
	}
}

func TestService_LetsOnlySoManyMessagesWait(t *testing.T) {
	for _, tt := range []struct{ waiting, want int }{
		{1, 1}, {3, 3}, {0, server.DefaultWaiting}, {-1, 0},
	} {
		t.Run(fmt.Sprint(tt.waiting), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := new(journal)
				free := make(chan struct{})
				s := doIn("OnBinary", j, func(*conn.Conn) { <-free })
				s.Waiting = tt.waiting
				there, peer := conntest.PipeSize(1 << 10)
				ended := serveStream(s, there)
				// Much more than the pipe and the read buffer can hold.
				message := append(conntest.Hex(`82 fe ffff 00000000`), make([]byte, 0xffff)...)
				sent := 0
				go func() {
					for ; sent < 30; sent++ {
						if _, err := peer.Write(message); err != nil {
							return
						}
					}
					peer.CloseWrite()
				}()
				<-time.After(time.Hour)
				synctest.Wait()
				if sent != 1+tt.want {
					t.Errorf("%d messages were read, want one and %d that wait", sent, tt.want)
				}
				close(free)
				<-ended
				if n := len(j.all()); n != 1+30+1 {
					t.Errorf("%d callbacks", n)
				}
				peer.Close()
			})
		})
	}
}

func TestService_OnIdleTimeout_IsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, at := time.Now(), []time.Duration{}
		c, ended := served(t, &server.Service{
			Options: server.Options{Conn: conn.Options{IdleTimeout: time.Second}},
			OnText: func(_ *conn.Conn, m conn.Message) (any, error) {
				<-time.After(2500 * time.Millisecond) // nobody is idle meanwhile
				return m, nil
			},
			OnIdleTimeout: func(*conn.Conn) error {
				at = append(at, time.Since(start))
				return nil
			},
		})
		<-time.After(3500 * time.Millisecond)
		say(t, c, "x")            // at 3.5 s
		wantHeard(t, c, "text x") // at 6 s
		<-time.After(2500 * time.Millisecond)
		c.Close(1000, "")
		<-ended
		<-time.After(time.Minute) // and never after OnClose
		want := []time.Duration{1 * time.Second, 2 * time.Second, 3 * time.Second, 7 * time.Second, 8 * time.Second}
		if !slices.Equal(at, want) {
			t.Errorf("idle at %v, want %v", at, want)
		}
	})
}

// Nobody is idle while OnOpen runs, nor before Serve has begun.
func TestService_OnIdleTimeout_ComesAfterOnOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := new(journal)
		s := doIn("OnIdleTimeout", j, func(c *conn.Conn) { c.Close(1000, "") })
		s.OnOpen = func(*conn.Conn, *http.Request) error {
			<-time.After(5 * time.Second)
			j.note("open")
			return nil
		}
		s.Logger = quiet()
		there, c := conntest.Pair(s.ConnOptions(), conn.Options{})
		defer c.CloseNow()
		go drain(c)
		<-time.After(5 * time.Second)
		s.Serve(there, nil)
		j.wantNotes(t, "open", "idle", "close")
	})
}

// The Pong holds what OnPing says, and there is one for each Ping.
func TestService_OnPing_SaysWhatThePongHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := new(journal)
		s := recorded(j)
		s.OnPing = func(_ *conn.Conn, payload []byte) []byte {
			switch string(payload) {
			case "other":
				return []byte("mine")
			case "none":
				return []byte{}
			case "long":
				return make([]byte, 126)
			case "same":
				return payload
			}
			return nil
		}
		s.Conn.OnPing = func(_ *conn.Conn, payload []byte) { j.note("was pinged with %s", payload) }
		peer, ended := serveRaw(s)
		peer.Write(conntest.Hex(`
			89 85 00000000 "other"
			89 84 00000000 "none"
			89 84 00000000 "long"
			89 84 00000000 "same"
			89 84 00000000 05 18 38 f3
			88 82 00000000 03e8`))
		expect(t, peer, conntest.Hex(`
			8a 04 "mine"
			8a 00
			8a 04 "long"
			8a 04 "same"
			8a 04 05 18 38 f3
			88 02 03e8`))
		<-ended
		j.wantNotes(t, "open", "was pinged with other", "was pinged with none",
			"error websocket: OnPing returned 126 bytes, but a Pong holds 125 at the most (§5.5): the Ping's were sent back",
			"was pinged with long", "was pinged with same", "was pinged with \x05\x188\xf3", "close 1000")
		peer.Close()
	})
}

// OnPing and OnPong are called while another callback is slow.
func TestService_CallsOnPingAndOnPong_BesideASlowCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := new(journal)
		peer, ended := serveRaw(doIn("OnText", j, func(*conn.Conn) {
			<-time.After(time.Second)
			j.note("slow")
		}))
		peer.Write(conntest.Hex(`8181 00000000 "x"`))
		<-time.After(500 * time.Millisecond)
		peer.Write(conntest.Hex(`8981 00000000 "a" 8a81 00000000 "b" 8181 00000000 "y"`))
		<-time.After(2 * time.Second)
		peer.Write(conntest.Hex(`8882 00000000 03e8`))
		<-ended
		j.wantNotes(t, "open", "text x", "ping a", "pong b", "slow", "text y", "slow", "close")
		peer.Close()
	})
}

// The same over real connections: a callback waits for what happens only if somebody
// else reads.
func TestEndToEnd_ReadsOnBesideASlowCallback(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("tls=%v", secure), func(t *testing.T) {
			pinged := make(chan struct{})
			s := answering(func(_ *conn.Conn, m conn.Message) (any, error) {
				if string(m.Data) == "wait" {
					<-pinged
				}
				return m, nil
			})
			s.Logger = quiet()
			c := mustDial(t, overTCP(t, s, secure))
			answers := make(chan string, 100)
			go func() {
				for m, err := range c.Messages(t.Context()) {
					if err != nil {
						close(answers)
						return
					}
					answers <- string(m.Data)
				}
			}()
			for range 5 {
				say(t, c, "wait", "a", "b")
				if _, err := c.Ping(t.Context()); err != nil {
					t.Fatal(err)
				}
				pinged <- struct{}{}
				for _, want := range []string{"wait", "a", "b"} {
					if got := <-answers; got != want {
						t.Fatalf("heard %q, want %q", got, want)
					}
				}
			}
			say(t, c, "wait") // and the peer's Close is seen
			if err := c.Close(1000, ""); err != nil {
				t.Error(err)
			}
			close(pinged)
		})
	}
}

// A stream may fail while nothing is read or written for long: what OnError does then
// is a callback too.
func TestService_OnIdleTimeout_WaitsForOnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := new(journal)
		s := doIn("OnIdleTimeout", j, func(*conn.Conn) {})
		s.OnText = func(*conn.Conn, conn.Message) (any, error) { return pairs[string](errors.New("disk full")), nil }
		s.OnError = func(*conn.Conn, error) {
			<-time.After(3500 * time.Millisecond)
			j.note("error")
		}
		c, ended := served(t, s)
		say(t, c, "x")
		wantHeard(t, c, "close 1011 ")
		<-ended
		j.wantNotes(t, "open", "error", "close")
	})
}

// A callback may wait for a Pong: somebody reads it, if a little late.
func TestService_ACallbackMayPing(t *testing.T) {
	for _, name := range []string{"OnOpen", "OnText", "OnIdleTimeout"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := new(journal)
				s := doIn(name, j, func(c *conn.Conn) {
					rtt, err := c.Ping(c.Context())
					if err != nil || rtt > 100*time.Millisecond {
						t.Errorf("%v, %v", rtt, err)
					}
					c.Close(1000, "")
				})
				c, ended := served(t, s)
				go drain(c)
				say(t, c, "x")
				<-ended
			})
		})
	}
}
