package conn_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
)

func TestConn_AnyTwoOperationsAtOnce_NeverHang(t *testing.T) {
	const rounds = 5
	for i, one := range operations {
		for _, two := range operations[i:] {
			synctest.Test(t, func(t *testing.T) {
				for round := range rounds {
					s, c := pair(t, quiet)
					var wg sync.WaitGroup
					both := func(end, other *conn.Conn) {
						wg.Go(func() {
							one.do(bg, end)
							two.do(bg, end)
							one.do(bg, end)
							end.CloseNow()
						})
						wg.Go(func() {
							two.do(bg, end)
							one.do(bg, end)
							other.CloseNow() // or what it waits for never comes
						})
					}
					both(s, c)
					if round%2 == 0 {
						both(c, s)
					} else {
						wg.Go(func() { echo(c) })
						wg.Go(func() {
							s.WriteText(bg, "something to read")
							s.WriteText(bg, "and more")
						})
					}
					time.AfterFunc(time.Minute, func() { s.CloseNow() })
					wg.Wait()
					wantClosed(t, s)
					wantClosed(t, c)
				}
			})
		}
	}
}

func TestConn_AllOperationsAtOnce_NeverHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 30 {
			s, c := pair(t, conn.Options{IdleTimeout: time.Hour})
			var wg sync.WaitGroup
			for _, end := range []*conn.Conn{s, c} {
				for _, op := range operations {
					if op.ends {
						continue
					}
					wg.Go(func() {
						for range 20 {
							op.do(bg, end)
						}
					})
				}
				for range 3 {
					wg.Go(func() {
						<-time.After(time.Minute)
						end.Close(frame.CloseNormal, "")
					})
				}
			}
			wg.Wait()
			wantClosed(t, s)
			wantClosed(t, c)
		}
	})
}

func TestClose_FromAllSidesAtOnce_NeverHangs(t *testing.T) {
	for range 100 {
		synctest.Test(t, func(t *testing.T) {
			s, c := pair(t, conn.Options{})
			start := time.Now()
			var wg sync.WaitGroup
			for _, end := range []*conn.Conn{s, c} {
				wg.Go(func() { echo(end) })
				for range 3 {
					wg.Go(func() { end.Close(frame.CloseNormal, "") })
				}
				wg.Go(func() { end.WriteText(bg, "x") })
			}
			wg.Wait()
			if took := time.Since(start); took > conn.DefaultCloseTimeout+time.Second {
				t.Errorf("took %v", took)
			}
			wantClosed(t, s)
			wantClosed(t, c)
		})
	}
}

func TestClose_WhileOthersWrite_IsTheLastThatIsSent(t *testing.T) {
	for round := range 200 {
		role := roles[round%2]
		c, peer := against(t, role, conn.Options{})
		w := newWire(peer)
		for _, op := range operations {
			if op.name != "Messages" && op.name != "Reader" && !op.ends {
				go func() {
					for op.do(bg, c) == nil && c.Phase() == conn.Open {
					}
				}()
			}
		}
		for range round % 20 {
			w.mustNext(t)
		}
		go c.Close(frame.CloseNormal, "")
		for {
			f := w.mustNext(t)
			if f.Opcode == frame.OpClose {
				break
			}
		}
		mustWrite(t, peer, closeTo(role, frame.CloseNormal, ""))
		peer.CloseWrite()
		if got := w.all(t); len(got) > 0 {
			t.Errorf("after the Close frame came %.100q", got)
		}
		<-c.Done()
	}
}

func TestWrite_FromManyGoroutines_EachMessageArrivesWhole_AndInOrder(t *testing.T) {
	const writers, each = 8, 60
	ours := []int{8, 100, 126, 4000, 5000, 17000, 66000, 200_000}
	for _, over := range []string{"pipe", "TCP"} {
		for _, from := range []string{"server", "client"} {
			t.Run(over+" "+from, func(t *testing.T) {
				s, c := pair(t, conn.Options{})
				if over == "TCP" {
					sc, cc := loopback(t)
					s = conn.New(sc, conn.Config{})
					c = conn.New(cc, conn.Config{Role: 1})
					defer s.CloseNow()
					defer c.CloseNow()
				}
				if from == "client" {
					s, c = c, s
				}
				var all sync.WaitGroup
				defer all.Wait() // a message may arrive before its writer knows
				for who := range writers {
					all.Go(func() {
						for count := range each {
							p := number(ours[(who+count)%len(ours)], uint32(who), uint32(count))
							if err := writeSomehow(s, who+count, p); err != nil {
								t.Error(err)
								return
							}
						}
					})
				}
				var next [writers]uint32
				for range writers * each {
					m, err := c.Read(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					who, count := binary.BigEndian.Uint32(m.Data), binary.BigEndian.Uint32(m.Data[4:])
					if count != next[who] {
						t.Fatalf("message %d of writer %d, want %d", count, who, next[who])
					}
					next[who]++
					if !bytes.Equal(m.Data, number(len(m.Data), who, count)) {
						t.Fatalf("message %d of writer %d is damaged", count, who)
					}
				}
			})
		}
	}
}

func writeSomehow(c *conn.Conn, how int, p []byte) error {
	switch how % 3 {
	case 0:
		return c.Send(bg, conn.Prepare(conn.Binary, p))
	case 1:
		w, err := c.Writer(bg, conn.Binary)
		if err != nil {
			return err
		}
		for piece := range bytes.SplitAfterSeq(p, []byte{0}) {
			if _, err := w.Write(piece); err != nil {
				return err
			}
		}
		return w.Close()
	}
	return c.Write(bg, conn.Binary, p)
}

func TestWrite_FromBothSides_WhileNobodyReads_EndsWithTheWriteTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := pair(t, conn.Options{})
		start := time.Now()
		var wg sync.WaitGroup
		for _, end := range []*conn.Conn{s, c} {
			wg.Go(func() {
				if err := end.Write(bg, conn.Binary, make([]byte, 8<<20)); !errors.Is(err, net.ErrClosed) {
					t.Errorf("%v", err)
				}
				wantClosed(t, end)
			})
		}
		wg.Wait()
		if took := time.Since(start); took > conn.DefaultWriteTimeout*5/4 {
			t.Errorf("took %v", took)
		}
	})
}

func TestWrite_FromBothSides_WhileBothRead_NeverHangs(t *testing.T) {
	s, c := pair(t, conn.Options{MaxMessage: -1})
	var wg sync.WaitGroup
	for _, end := range []*conn.Conn{s, c} {
		wg.Go(func() {
			if err := end.Write(bg, conn.Binary, make([]byte, 8<<20)); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			if m, err := end.Read(bg); len(m.Data) != 8<<20 || err != nil {
				t.Errorf("%d bytes, %v", len(m.Data), err)
			}
		})
	}
	wg.Wait()
}

func TestPings_AmongMessages_AreAllAnswered(t *testing.T) {
	const messages, every = 2000, 100
	s, c := pair(t, conn.Options{})
	var wg sync.WaitGroup
	for _, end := range []*conn.Conn{s, c} {
		go func() {
			i := 0
			for m, err := range end.Messages(bg) {
				if err == nil && string(m.Data) != fmt.Sprint(i) {
					t.Errorf("message %d is %q", i, m.Data)
				}
				i++
			}
		}()
		wg.Go(func() {
			for i := range messages {
				if err := end.WriteText(bg, fmt.Sprint(i)); err != nil {
					t.Error(err)
				}
				if i%every == 0 {
					wg.Go(func() {
						if _, err := end.Ping(bg); err != nil {
							t.Error(err)
						}
					})
				}
			}
		})
	}
	wg.Wait()
}
