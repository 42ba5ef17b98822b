package conn_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
)

func TestPing_ReturnsTheRoundTripTime(t *testing.T) {
	for _, role := range roles {
		synctest.Test(t, func(t *testing.T) {
			c, peer := against(t, role, conn.Options{})
			go drain(c)
			go func() {
				f := newWire(peer).mustNext(t)
				<-time.After(70 * time.Millisecond)
				peer.Write(to(role, pongFrame, string(f.Payload)))
			}()
			if rtt, err := c.Ping(bg); rtt != 70*time.Millisecond || err != nil {
				t.Errorf("%v, %v", rtt, err)
			}
		})
	}
}

func TestPing_AnswerToALaterOne_AnswersTheEarlierToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		role := machine.Client
		c, peer := against(t, role, conn.Options{})
		go drain(c)
		const pings = 5
		done := make(chan error)
		w := newWire(peer)
		var last wireFrame
		for range pings {
			go func() { _, err := c.Ping(bg); done <- err }()
			last = w.mustNext(t)
		}
		for _, other := range []string{"", "of another length", "12345678"} {
			mustWrite(t, peer, to(role, pongFrame, other)) // unasked (§5.5.3)
		}
		synctest.Wait()
		select {
		case <-done:
			t.Error("answered by a Pong of another Ping")
		default:
		}
		mustWrite(t, peer, to(role, pongFrame, string(last.Payload)))
		for range pings {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestPing_ThatIsNotAnswered_EndsWithItsContext_AndDoesNoHarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := against(t, machine.Server, conn.Options{})
		ctx, cancel := context.WithTimeout(bg, time.Second)
		defer cancel()
		_, err := c.Ping(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "is somebody reading?") {
			t.Error(err)
		}
		if c.Phase() != conn.Open {
			t.Error(c.Err())
		}
	})
}

func TestPing_OnAConnectionThatEnds_SaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := against(t, machine.Client, conn.Options{})
		done := make(chan error)
		go func() { _, err := c.Ping(bg); done <- err }()
		synctest.Wait()
		go c.Close(frame.CloseNormal, "")
		synctest.Wait()
		if _, err := c.Ping(bg); err != c.Err() {
			t.Errorf("while Closing: %v", err)
		}
		peer.Close()
		if err := <-done; err != c.Err() || err == nil {
			t.Errorf("%v", err)
		}
	})
}

func TestPingOfThePeer_IsAnsweredWithItsPayload_InOrder(t *testing.T) {
	for _, role := range roles {
		c, peer := against(t, role, conn.Options{})
		go drain(c)
		var burst []byte
		for i := range 10 {
			burst = append(burst, to(role, pingFrame, strings.Repeat(fmt.Sprint(i), i*125/9))...)
		}
		mustWrite(t, peer, burst)
		w := newWire(peer)
		for i := range 10 {
			f := w.mustNext(t)
			if f.Opcode != frame.OpPong || !f.Fin || string(f.Payload) != strings.Repeat(fmt.Sprint(i), i*125/9) {
				t.Errorf("answer %d: %v", i, f)
			}
		}
	}
}

func TestPingOfThePeer_IsAnswered_InTheMiddleOfAMessage_AndOfOurOwn(t *testing.T) {
	role := machine.Server
	c, peer := against(t, role, conn.Options{})
	go drain(c)
	w, err := c.Writer(bg, conn.Text)
	if err != nil {
		t.Fatal(err)
	}
	w.Write([]byte(strings.Repeat("x", 5000)))
	mustWrite(t, peer, to(role, text, "half"))
	mustWrite(t, peer, to(role, pingFrame, "?"))
	wire := newWire(peer)
	wire.mustNext(t)
	if f := wire.mustNext(t); f.String() != "pong ?" {
		t.Errorf("the peer got %v", f)
	}
}

// The application may take its time over a message: the peer's Ping that came
// with it must not wait so long.
func TestPingOfThePeer_ThatCameWithAMessage_IsAnswered_ThoughNobodyReadsOn(t *testing.T) {
	for name, read := range reads {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				role := machine.Server
				c, peer := against(t, role, conn.Options{})
				mustWrite(t, peer, append(to(role, pingFrame, "?"), to(role, fin|text, "a long job")...))
				if name == "Messages" {
					for range c.Messages(bg) {
						synctest.Wait() // in the loop's body
						break
					}
				} else if _, err := read(bg, c); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				peer.SetReadDeadline(time.Now().Add(time.Second))
				if f, err := newWire(peer).next(); err != nil || f.String() != "pong ?" {
					t.Errorf("the peer got %v, %v", f, err)
				}
			})
		})
	}
}

func TestPingOfThePeer_WhileClosing_IsStillAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		role := machine.Client
		c, peer := against(t, role, conn.Options{})
		go c.Close(frame.CloseNormal, "")
		w := newWire(peer)
		w.mustNext(t)
		mustWrite(t, peer, to(role, pingFrame, "?"))
		if f := w.mustNext(t); f.String() != "pong ?" {
			t.Errorf("the peer got %v", f)
		}
		mustWrite(t, peer, closeTo(role, frame.CloseNormal, ""))
		peer.CloseWrite()
		<-c.Done()
	})
}

func TestPings_OfAPeerThatDoesNotRead_CostNothing_AndTheNewestIsAnswered(t *testing.T) {
	const pings, room = 100_000, 1000
	for _, role := range roles {
		a, b := conntest.PipeSize(room)
		defer b.Close()
		met := 0
		all := make(chan struct{})
		c := conn.New(a, conn.Config{Role: role, Options: conn.Options{OnPing: func(*conn.Conn, []byte) {
			if met++; met == pings {
				close(all)
			}
		}}})
		defer c.CloseNow()
		before := heap()
		go drain(c)
		var batch []byte
		for i := range pings {
			batch = append(batch, to(role, pingFrame, fmt.Sprintf("%06d", i))...)
			if len(batch) > 10000 || i == pings-1 {
				mustWrite(t, b, batch)
				batch = batch[:0]
			}
		}
		<-all
		if grown := heap() - before; grown > 128<<10 && !raceDetector {
			t.Errorf("the heap grew by %d bytes", grown)
		}
		w := newWire(b)
		answers, last := 0, ""
		for last != fmt.Sprintf("%06d", pings-1) {
			f := w.mustNext(t)
			if f.Opcode != frame.OpPong || string(f.Payload) <= last {
				t.Fatalf("%v after %q", f, last)
			}
			last = string(f.Payload)
			answers++
		}
		// What the pipe held, what was being written, and what was queued.
		if queued := a.Stats().BytesWritten - room; queued > 2500 {
			t.Errorf("%d bytes were queued in %d answers", queued, answers)
		}
	}
}

func TestPings_AroundALargeWrite_AreAnsweredInOrder(t *testing.T) {
	const pings, at = 20, 15
	for _, role := range roles {
		synctest.Test(t, func(t *testing.T) {
			met, all := 0, make(chan struct{})
			c, peer := againstSize(t, role, conn.Options{OnPing: func(c *conn.Conn, _ []byte) {
				switch met++; met {
				case at:
					go c.Write(bg, conn.Binary, make([]byte, 20_000))
					synctest.Wait() // it is stuck in the stream
				case pings:
					close(all)
				}
			}}, 5000)
			for i := range pings {
				mustWrite(t, peer, to(role, pingFrame, fmt.Sprintf("%0100d", i)))
			}
			go drain(c)
			<-all
			w := newWire(peer)
			for last := ""; last != fmt.Sprintf("%0100d", pings-1); {
				f := w.mustNext(t)
				if f.Opcode != frame.OpPong {
					continue
				}
				if string(f.Payload) <= last {
					t.Fatalf("%s after %s", f.Payload, last)
				}
				last = string(f.Payload)
			}
			peer.SetReadDeadline(time.Now().Add(time.Second))
			if f, err := w.next(); err == nil {
				t.Errorf("%v after the newest", f)
			}
		})
	}
}

// heap returns how much is reachable.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestHooks_AreToldOfPingsAndPongs_BetweenMessagesAndInTheMiddle(t *testing.T) {
	for _, role := range roles {
		var got []string
		c, peer := against(t, role, conn.Options{
			OnPing: func(_ *conn.Conn, p []byte) { got = append(got, "ping "+string(p)) },
			OnPong: func(_ *conn.Conn, p []byte) { got = append(got, "pong "+string(p)) },
		})
		for _, f := range [][]byte{
			to(role, pingFrame, "a"), to(role, text, "x"), to(role, pongFrame, "b"), to(role, pingFrame, ""), to(role, fin|continuation, "y"),
		} {
			mustWrite(t, peer, f)
		}
		m, err := c.Read(bg)
		wantMessage(t, m, err, conn.Text, "xy")
		if want := "ping a,pong b,ping "; strings.Join(got, ",") != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestHooks_MayWriteAndClose(t *testing.T) {
	for name, closing := range map[string]func(c *conn.Conn) error{
		"Close":    func(c *conn.Conn) error { return c.Close(3000, "from the hook") },
		"CloseNow": func(c *conn.Conn) error { return c.CloseNow() },
	} {
		for _, kind := range []byte{pingFrame, pongFrame} {
			t.Run(fmt.Sprintf("%s %#x", name, kind), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					role := machine.Server
					hook := func(c *conn.Conn, p []byte) {
						if err := c.Write(bg, conn.Binary, p); err != nil {
							t.Error(err)
						}
						if _, err := c.Read(bg); err == nil || errors.Is(err, context.Canceled) {
							t.Errorf("Read in a hook: %v", err)
						}
						if err := closing(c); err != nil {
							t.Error(err)
						}
					}
					c, peer := against(t, role, conn.Options{OnPing: hook, OnPong: hook})
					mustWrite(t, peer, to(role, kind, "?"))
					if name == "Close" {
						mustWrite(t, peer, closeTo(role, 3000, ""))
					}
					start := time.Now()
					if _, err := c.Read(bg); err == nil || err != c.Err() {
						t.Errorf("%v", err)
					}
					if name == "Close" && conn.CloseStatus(c.Err()) != 3000 {
						t.Error(c.Err())
					}
					if took := time.Since(start); took > 0 {
						t.Errorf("took %v", took)
					}
					wantClosed(t, c)
				})
			})
		}
	}
}

func TestHooks_ClosingWithoutAnAnswer_IsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		role := machine.Client
		c, peer := against(t, role, conn.Options{OnPing: func(c *conn.Conn, _ []byte) { c.Close(frame.CloseNormal, "") }})
		mustWrite(t, peer, to(role, pingFrame, ""))
		start := time.Now()
		if _, err := c.Read(bg); conn.CloseStatus(err) != frame.CloseNormal {
			t.Error(err)
		}
		if took := time.Since(start); took != conn.DefaultCloseTimeout {
			t.Errorf("took %v", took)
		}
	})
}

func TestHooks_APanic_LeavesTheConnectionReadable(t *testing.T) {
	for name, read := range reads {
		t.Run(name, func(t *testing.T) {
			role := machine.Server
			first := true
			c, peer := against(t, role, conn.Options{OnPing: func(*conn.Conn, []byte) {
				if first {
					first = false
					panic("in the hook")
				}
			}})
			for _, f := range [][]byte{
				to(role, text, "one "), to(role, continuation, "two "), to(role, pingFrame, "?"), to(role, fin|continuation, "three"),
				to(role, fin|binaryData, "next"),
			} {
				mustWrite(t, peer, f)
			}
			func() {
				defer func() {
					if recover() == nil {
						t.Error("the panic did not come through")
					}
				}()
				read(bg, c)
			}()
			if name != "Reader" { // its message is over
				m, err := read(bg, c)
				wantMessage(t, m, err, conn.Text, "one two three")
			}
			m, err := read(bg, c)
			wantMessage(t, m, err, conn.Binary, "next")
			if f := newWire(peer).mustNext(t); f.String() != "pong ?" {
				t.Errorf("the peer got %v", f)
			}
			c.CloseNow()
		})
	}
}
