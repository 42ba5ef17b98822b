package conn_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
)

// answerPings plays a peer that is alive, and tells when it was pinged.
func answerPings(role machine.Role, peer net.Conn, pinged func()) {
	w := newWire(peer)
	for {
		f, err := w.next()
		if err != nil {
			return
		}
		if f.Opcode == frame.OpPing {
			pinged()
			peer.Write(to(role, pongFrame, string(f.Payload)))
		}
	}
}

func TestKeepalive_PingsEveryPingEvery_ForAsLongAsThePeerAnswers(t *testing.T) {
	for _, every := range []time.Duration{0, time.Second, time.Hour} {
		for _, role := range roles {
			synctest.Test(t, func(t *testing.T) {
				c, peer := against(t, role, conn.Options{PingEvery: every})
				if every == 0 {
					every = conn.DefaultPingEvery
				}
				go drain(c)
				start, pings := time.Now(), 0
				go answerPings(role, peer, func() {
					pings++
					if since := time.Since(start); since != time.Duration(pings)*every {
						t.Errorf("ping %d came after %v", pings, since)
					}
				})
				<-time.After(100*every + every/2)
				synctest.Wait()
				if pings != 100 || c.Err() != nil {
					t.Errorf("%d pings, %v", pings, c.Err())
				}
				c.CloseNow()
				<-time.After(10 * every)
				synctest.Wait()
				if pings != 100 {
					t.Error("pings after the end")
				}
			})
		}
	}
}

func TestKeepalive_ASilentPeer_IsLostExactlyWhenItHasHadItsTime(t *testing.T) {
	for _, tc := range []struct {
		name          string
		every, within time.Duration
		want          time.Duration
	}{
		{"default", 0, 0, conn.DefaultPingEvery + conn.DefaultPongWithin},
		{"within an interval", 10 * time.Second, 3 * time.Second, 13 * time.Second},
		{"an interval", 10 * time.Second, 10 * time.Second, 20 * time.Second},
		{"several intervals", 10 * time.Second, 35 * time.Second, 45 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, peer := against(t, machine.Server, conn.Options{PingEvery: tc.every, PongWithin: tc.within})
				go io.Copy(io.Discard, peer)
				start := time.Now()
				_, err := c.Read(bg)
				if took := time.Since(start); took != tc.want {
					t.Errorf("lost after %v, want %v", took, tc.want)
				}
				if !errors.Is(err, conn.ErrPongTimeout) || conn.CloseStatus(err) != frame.CloseAbnormal {
					t.Error(err)
				}
				wantClosed(t, c)
			})
		})
	}
}

func TestKeepalive_WithoutPongWithin_LosesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := against(t, machine.Server, conn.Options{PongWithin: -1})
		go io.Copy(io.Discard, peer)
		go drain(c)
		<-time.After(24 * time.Hour)
		if c.Phase() != conn.Open {
			t.Error(c.Err())
		}
	})
}

func TestKeepalive_AnyBytesAreSignsOfLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		role := machine.Server
		c, peer := against(t, role, conn.Options{MaxMessage: -1})
		go io.Copy(io.Discard, peer)
		go drain(c)
		mustWrite(t, peer, head(role, fin|binaryData, 1000))
		for range 100 { // no whole message, and never a Pong
			<-time.After(conn.DefaultPongWithin - time.Second)
			mustWrite(t, peer, []byte{'x'})
		}
		if c.Phase() != conn.Open {
			t.Fatal(c.Err())
		}
		start := time.Now()
		<-c.Done()
		if took := time.Since(start); took > conn.DefaultPingEvery+conn.DefaultPongWithin {
			t.Errorf("lost after %v", took)
		}
	})
}

// Who begins to read just before the time is up has not been listening for it.
func TestKeepalive_SilenceBeforeAnybodyReads_DoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := against(t, machine.Server, conn.Options{})
		go io.Copy(io.Discard, peer)
		const late = conn.DefaultPongWithin / 2
		<-time.After(conn.DefaultPingEvery + conn.DefaultPongWithin - late)
		start := time.Now()
		_, err := c.Read(bg)
		if took := time.Since(start); !errors.Is(err, conn.ErrPongTimeout) || took != late+conn.DefaultPongWithin {
			t.Errorf("%v after %v", err, took)
		}
	})
}

func TestKeepalive_WhileNobodyReads_SilenceMeansNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		role := machine.Client
		c, peer := against(t, role, conn.Options{})
		go answerPings(role, peer, func() {})
		mustWrite(t, peer, to(role, fin|text, "one"))
		for range c.Messages(bg) {
			<-time.After(24 * time.Hour) // a long job
			break
		}
		<-time.After(24 * time.Hour)
		if c.Phase() != conn.Open {
			t.Fatal(c.Err())
		}
		mustWrite(t, peer, to(role, fin|text, "two"))
		m, err := c.Read(bg)
		wantMessage(t, m, err, conn.Text, "two")
		peer.SetDeadline(time.Now()) // falls silent
		start := time.Now()
		if _, err := c.Read(bg); !errors.Is(err, conn.ErrPongTimeout) {
			t.Error(err)
		}
		if took := time.Since(start); took > conn.DefaultPingEvery+conn.DefaultPongWithin {
			t.Errorf("lost after %v", took)
		}
	})
}

func TestIdleTimeout_ClosesWith1001_Exactly(t *testing.T) {
	for _, every := range []time.Duration{-1, 0, 7 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			const idle = time.Minute
			role := machine.Server
			c, peer := against(t, role, conn.Options{IdleTimeout: idle, PingEvery: every})
			start := time.Now()
			var got wireFrame
			go func() {
				w := newWire(peer)
				for {
					f, err := w.next()
					if err != nil {
						return
					}
					switch f.Opcode {
					case frame.OpPing: // neither it nor its answer counts
						peer.Write(to(role, pongFrame, string(f.Payload)))
						peer.Write(to(role, pingFrame, "mine"))
					case frame.OpClose:
						if took := time.Since(start); took != idle {
							t.Errorf("closed after %v", took)
						}
						got = f
						peer.Write(closeTo(role, frame.CloseGoingAway, ""))
					}
				}
			}()
			_, err := c.Read(bg)
			if conn.CloseStatus(err) != frame.CloseGoingAway || !errors.Is(err, conn.ErrIdleTimeout) {
				t.Error(err)
			}
			synctest.Wait()
			if got.String() != "close 1001 idle timeout" {
				t.Errorf("the peer got %v", got)
			}
			wantClosed(t, c)
		})
	}
}

func TestIdleTimeout_IsPostponedByMessages_InEitherDirection(t *testing.T) {
	const idle = time.Minute
	role := machine.Client
	for name, pass := range map[string]func(c *conn.Conn, peer net.Conn){
		"received": func(_ *conn.Conn, peer net.Conn) { peer.Write(to(role, fin|text, "x")) },
		"written":  func(c *conn.Conn, _ net.Conn) { c.WriteText(bg, "x") },
		"sent":     func(c *conn.Conn, _ net.Conn) { c.Send(bg, prepared) },
		"streamed": func(c *conn.Conn, _ net.Conn) {
			w, _ := c.Writer(bg, conn.Text)
			w.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, peer := against(t, role, conn.Options{IdleTimeout: idle, CloseTimeout: -1})
				go answerPings(role, peer, func() {})
				go drain(c)
				for range 20 {
					<-time.After(idle - time.Second)
					pass(c, peer)
				}
				start := time.Now()
				<-c.Done()
				if took := time.Since(start); took != idle {
					t.Errorf("closed %v after the last message", took)
				}
			})
		})
	}
}

func TestWriteTimeout_EndsAConnectionWhosePeerDoesNotRead(t *testing.T) {
	for _, role := range roles {
		for name, write := range writes {
			for _, size := range []int{100, 20_000, 100_000} {
				t.Run(fmt.Sprint(role, " ", name, " ", size), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						const limit = 8 * time.Second
						c, _ := againstSize(t, role, conn.Options{WriteTimeout: limit, PingEvery: -1}, 10)
						start := time.Now()
						err := write(c, strings.Repeat("x", size))
						if took := time.Since(start); took < limit || took > limit*5/4 {
							t.Errorf("took %v", took)
						}
						if !errors.Is(err, os.ErrDeadlineExceeded) || conn.CloseStatus(err) != frame.CloseAbnormal {
							t.Error(err)
						}
						wantClosed(t, c)
					})
				})
			}
		}
	}
}

func TestWriteTimeout_ADeadlineOfTheContext_ComesFirst(t *testing.T) {
	for _, limit := range []time.Duration{0, -1} {
		for _, stream := range []string{"with deadlines", "without deadlines"} {
			synctest.Test(t, func(t *testing.T) {
				a, b := conntest.PipeSize(10)
				defer b.Close()
				cfg := conn.Config{Options: conn.Options{WriteTimeout: limit, PingEvery: -1}}
				c := conn.New(a, cfg)
				if stream == "without deadlines" {
					c = conn.New(bare{a}, cfg)
				}
				ctx, cancel := context.WithTimeout(bg, time.Second)
				defer cancel()
				start := time.Now()
				if err := c.Write(ctx, conn.Binary, make([]byte, 100)); !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Error(err)
				}
				if took := time.Since(start); took != time.Second {
					t.Errorf("took %v", took)
				}
				wantClosed(t, c)
			})
		}
	}
}

func TestWriteTimeout_OfOneWrite_IsNotLeftOverForTheNext(t *testing.T) {
	for _, limit := range []time.Duration{0, -1} {
		for _, hurried := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				c, peer := againstSize(t, machine.Server, conn.Options{WriteTimeout: limit, PingEvery: -1}, 100)
				w := newWire(peer)
				for range 5 {
					ctx, cancel := bg, func() {}
					if hurried {
						ctx, cancel = context.WithTimeout(bg, time.Second)
					}
					if err := c.WriteText(ctx, "before"); err != nil {
						t.Fatal(err)
					}
					w.mustNext(t)
					<-time.After(time.Hour)
					cancel()
					wrote := make(chan error)
					go func() { wrote <- c.WriteText(bg, strings.Repeat("x", 200)) }()
					<-time.After(5 * time.Second) // it waits for the peer
					w.mustNext(t)
					if err := <-wrote; err != nil {
						t.Fatal(err)
					}
				}
			})
		}
	}
}

func TestWriteTimeout_MayStandForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := againstSize(t, machine.Server, conn.Options{WriteTimeout: math.MaxInt64, PingEvery: -1}, 10)
		wrote := make(chan error, 1)
		go func() { wrote <- c.Write(bg, conn.Binary, make([]byte, 100)) }()
		<-time.After(24 * time.Hour)
		newWire(peer).mustNext(t)
		if err := <-wrote; err != nil {
			t.Error(err)
		}
	})
}

func TestWriteTimeout_IsForWhatIsWrittenAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := againstSize(t, machine.Client, conn.Options{PingEvery: -1}, 64<<10)
		wrote := make(chan error)
		go func() { wrote <- c.Write(bg, conn.Binary, make([]byte, 1<<20)) }()
		buf := make([]byte, 64<<10)
		for got := 0; got < 1<<20; { // slow, but never silent for long
			<-time.After(conn.DefaultWriteTimeout / 2)
			n, err := peer.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			got += n
		}
		if err := <-wrote; err != nil {
			t.Error(err)
		}
	})
}

func TestOptions_Negative_TurnsTheLimitsOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		role := machine.Server
		c, peer := againstSize(t, role, conn.Options{
			MaxMessage: -1, MaxFragments: -1, WriteTimeout: -1, CloseTimeout: -1, PingEvery: -1, PongWithin: -1, IdleTimeout: -1,
		}, 10)
		go func() {
			peer.Write(to(role, text, ""))
			for range conn.DefaultMaxFragments + 1 {
				peer.Write(to(role, continuation, strings.Repeat("x", 65)))
			}
			peer.Write(to(role, fin|continuation, ""))
		}()
		m, err := c.Read(bg)
		if len(m.Data) != 65*(conn.DefaultMaxFragments+1) || err != nil {
			t.Errorf("%d bytes, %v", len(m.Data), err)
		}
		wrote := make(chan error)
		go func() { wrote <- c.Write(bg, conn.Binary, make([]byte, 100)) }()
		<-time.After(24 * time.Hour)
		newWire(peer).mustNext(t)
		if err := <-wrote; err != nil {
			t.Error(err)
		}
	})
}
