package conn_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
)

// attach has c notes what it is told, and returns a channel that gets all of it at the
// end. A message says how long its callback takes.
func attach(c *conn.Conn, waiting int, begin func() bool) <-chan []string {
	told, ended := []string{}, make(chan []string, 1)
	go c.Attach(waiting, begin, func(m conn.Message) bool {
		told = append(told, string(m.Data))
		takeTime(m)
		return true
	}, func(err error) {
		c.CloseNow()
		ended <- append(told, fmt.Sprint(err))
	})
	return ended
}

// takeTime waits for what stands behind the last blank.
func takeTime(m conn.Message) {
	if d, err := time.ParseDuration(string(m.Data[strings.LastIndexByte(string(m.Data), ' ')+1:])); err == nil {
		<-time.After(d)
	}
}

// A callback that is slow delays no Pong, whether the Ping came before or meanwhile, and
// whoever the callback runs on.
func TestAttach_ASlowCallback_DelaysNoPong(t *testing.T) {
	text1 := func(s string) []byte { return to(machine.Server, fin|text, s) }
	ping := to(machine.Server, pingFrame, "?")
	for _, tc := range []struct {
		name  string
		begin time.Duration
		sent  [][]byte
		want  time.Duration // at the latest
	}{
		{"begin", time.Minute, [][]byte{ping}, 100 * time.Millisecond},
		{"the first message", 0, [][]byte{text1("a 1m"), ping}, 100 * time.Millisecond},
		{"after a slow one", 0, [][]byte{text1("a 1s"), text1("b 1s"), text1("c 1s"), text1("d 1m"), ping}, 3200 * time.Millisecond},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, peer := push(t, conn.Options{PingEvery: -1})
				mustWrite(t, peer, slices.Concat(tc.sent...))
				synctest.Wait() // no more events from now on
				start := time.Now()
				ended := attach(s, 2, func() bool { <-time.After(tc.begin); return true })
				if f := newWire(peer).mustNext(t); f.String() != "pong ?" || time.Since(start) > tc.want {
					t.Errorf("%v after %v", f, time.Since(start))
				}
				peer.Close()
				<-ended
			})
		})
	}
}

// A peer that has answered must not count as silent because nobody has read on.
func TestAttach_WithAQueueThatIsFull_SilenceMeansNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		role := machine.Server
		s, peer := push(t, conn.Options{PingEvery: 30 * time.Second, PongWithin: 10 * time.Second})
		ended := attach(s, 1, nil)
		mustWrite(t, peer, to(role, fin|text, "a 31s"))
		synctest.Wait()
		mustWrite(t, peer, slices.Concat(to(role, fin|text, "b 25s"), to(role, fin|text, "c")))
		go func() {
			for range 4 {
				f, _ := newWire(peer).next()
				peer.Write(to(role, pongFrame, string(f.Payload)))
			}
			peer.Write(closeTo(role, 1000, ""))
		}()
		if got := <-ended; !slices.Equal(got[:len(got)-1], []string{"a 31s", "b 25s", "c"}) || !strings.Contains(got[3], "1000") {
			t.Errorf("%q", got)
		}
	})
}

// One that has vanished does, in a callback as well as between them.
func TestAttach_NoticesASilentPeer(t *testing.T) {
	for _, sent := range []string{"quick", "slow 1h", "slow 1s"} {
		synctest.Test(t, func(t *testing.T) {
			s, peer := push(t, conn.Options{PingEvery: 30 * time.Second, PongWithin: 10 * time.Second})
			start := time.Now()
			attach(s, 4, nil)
			mustWrite(t, peer, to(machine.Server, fin|text, sent))
			<-s.Done()
			if took := time.Since(start); took != 40*time.Second {
				t.Errorf("%s: after %v: %v", sent, took, s.Err())
			}
			<-time.After(2 * time.Hour)
		})
	}
}

// A hook that ends its goroutine, as a test's Fatal does, ends neither the program nor
// the way to close in order.
func TestAttach_OutlivesAHookThatEndsItsGoroutine(t *testing.T) {
	for _, first := range []string{"quick", "slow 1s"} {
		synctest.Test(t, func(t *testing.T) {
			role := machine.Server
			s, peer := push(t, conn.Options{PingEvery: -1, OnPing: func(*conn.Conn, []byte) { runtime.Goexit() }})
			ended := make(chan error, 2)
			go s.Attach(2, nil, func(m conn.Message) bool { takeTime(m); return true }, func(err error) { ended <- err })
			mustWrite(t, peer, to(role, fin|text, first))
			synctest.Wait()
			mustWrite(t, peer, to(role, pingFrame, ""))
			if err := <-ended; err != nil != (first != "quick") {
				t.Errorf("%s: %v", first, err)
			}
			start := time.Now()
			go peer.Write(closeTo(role, 1000, ""))
			if err := s.Close(1000, ""); err != nil || time.Since(start) > 0 {
				t.Errorf("%s: closed after %v: %v", first, time.Since(start), err)
			}
		})
	}
}

// What has been put aside does not wait for a hook that is slow.
func TestAttach_GoesOn_WhileAHookIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		role := machine.Server
		s, peer := push(t, conn.Options{PingEvery: -1, OnPing: func(*conn.Conn, []byte) { <-time.After(time.Hour) }})
		at := make(chan string, 2)
		go s.Attach(4, nil, func(m conn.Message) bool { at <- string(m.Data); takeTime(m); return true }, func(error) {})
		start := time.Now()
		mustWrite(t, peer, slices.Concat(to(role, fin|text, "a 1s"), to(role, fin|text, "b"), to(role, pingFrame, "")))
		if <-at; <-at != "b" || time.Since(start) > 2*time.Second {
			t.Errorf("after %v", time.Since(start))
		}
		<-time.After(2 * time.Hour)
	})
}

func TestAttach_ToAConnectionThatIsClosing_BeginsBeforeItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := push(t, conn.Options{PingEvery: -1})
		go s.Close(1001, "")
		synctest.Wait()
		ended := attach(s, 2, func() bool {
			peer.Close()
			<-time.After(time.Second)
			return true
		})
		start := time.Now()
		if got := <-ended; time.Since(start) != time.Second || len(got) != 1 {
			t.Errorf("%v after %v", got, time.Since(start))
		}
	})
}

// What comes in small pieces while a callback is slow is not copied with each of them.
func TestAttach_AMessageThatTrickles_CostsItsLength(t *testing.T) {
	const size, piece = 1 << 20, 1 << 10
	synctest.Test(t, func(t *testing.T) {
		s, peer := push(t, conn.Options{PingEvery: -1})
		ended := attach(s, 2, nil)
		mustWrite(t, peer, to(machine.Server, fin|text, "slow 1h"))
		synctest.Wait()
		whole := to(machine.Server, fin|text, strings.Repeat("x", size))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for p := range slices.Chunk(whole, piece) {
			mustWrite(t, peer, p)
			synctest.Wait()
		}
		runtime.ReadMemStats(&after)
		if cost := after.TotalAlloc - before.TotalAlloc; cost > 20*size {
			t.Errorf("%d KiB for a message of %d", cost>>10, size>>10)
		}
		peer.Close()
		if got := <-ended; len(got) != 3 || len(got[1]) != size {
			t.Errorf("%d messages and the end", len(got)-1)
		}
	})
}

// A call may come when another one has found nothing and is about to end.
func TestAttach_MissesNoCall(t *testing.T) {
	s := &stock{frame: to(machine.Server, fin|text, "x")}
	c := conn.New(s, conn.Config{Role: machine.Server, Options: conn.Options{PingEvery: -1}})
	defer c.CloseNow()
	met := make(chan bool, 4)
	c.Attach(1, nil, func(conn.Message) bool { met <- true; return true }, func(error) {})
	for range 2000 {
		for range cap(met) {
			go s.come()
		}
		for range cap(met) {
			<-met
		}
	}
}

// stock is an EventStream of frames that are all the same.
type stock struct {
	bursts
	frame []byte
	left  atomic.Int32
}

func (s *stock) come() {
	s.left.Add(1)
	s.readable()
}

func (s *stock) TryRead(p []byte) (int, error) {
	if s.left.Load() == 0 {
		runtime.Gosched()
		return 0, nil
	}
	s.left.Add(-1)
	return copy(p, s.frame), nil
}

// Callbacks, hooks and the end are those of Handle, whatever the peer does and when.
func TestAttach_IsHandle(t *testing.T) {
	for seed := range uint64(150) {
		handled := story(t, seed, func(t *testing.T, o conn.Options) (*conn.Conn, *conntest.Conn) {
			return against(t, machine.Server, o)
		}, func(c *conn.Conn, waiting int, begin func() bool, f func(conn.Message) bool, end func(error)) {
			go func() { end(c.Handle(waiting, begin, f)) }()
		})
		attached := story(t, seed, push, func(c *conn.Conn, waiting int, begin func() bool, f func(conn.Message) bool, end func(error)) {
			go c.Attach(waiting, begin, f, end)
		})
		if !slices.Equal(handled, attached) {
			t.Errorf("seed %d:\n%q\n%q", seed, handled, attached)
		}
	}
}

// story has a peer say the same, in the same pieces and at the same time, to a
// connection with the same callbacks, and returns what these were told.
func story(t *testing.T, seed uint64, over func(*testing.T, conn.Options) (*conn.Conn, *conntest.Conn), handle func(*conn.Conn, int, func() bool, func(conn.Message) bool, func(error))) (told []string) {
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(seed, 13))
		pause := func() { <-time.After(time.Duration(random.IntN(3)*random.IntN(100)) * time.Millisecond) }
		s, peer := over(t, conn.Options{})
		go io.Copy(io.Discard, peer)
		ended := make(chan error, 2)
		handle(s, []int{-1, 1, 3, 16}[random.IntN(4)], func() bool { return true }, func(m conn.Message) bool {
			told = append(told, fmt.Sprintf("%.20s", m.Data))
			takeTime(m)
			switch {
			case strings.HasPrefix(string(m.Data), "close"):
				s.Close(4001, "")
			case strings.HasPrefix(string(m.Data), "cut"):
				s.CloseNow()
			case strings.HasPrefix(string(m.Data), "exit"):
				return false
			}
			return true
		}, func(err error) {
			s.CloseNow()
			ended <- err
		})
		var wire []byte
		for range random.IntN(30) {
			p := fmt.Sprintf("%d ", random.IntN(100))
			if random.IntN(30) == 0 {
				p = []string{"close ", "cut ", "exit "}[random.IntN(3)]
			}
			p += strings.Repeat("x", random.IntN(5)*random.IntN(3000))
			wire = append(wire, to(machine.Server, fin|text, fmt.Sprintf("%s %dms", p, random.IntN(3)*random.IntN(80)))...)
			if random.IntN(4) == 0 {
				wire = append(wire, to(machine.Server, pingFrame, "?")...)
			}
			for len(wire) > 0 && random.IntN(3) > 0 {
				n := random.IntN(len(wire)) + 1
				peer.Write(wire[:n])
				wire = wire[n:]
				pause()
			}
		}
		peer.Write(wire)
		switch random.IntN(4) {
		case 0:
			peer.Write(closeTo(machine.Server, 1000, ""))
		case 1:
			peer.Write([]byte{0xff, 0xff}) // no frame
		}
		pause()
		peer.CloseWrite()
		err := <-ended
		// What comes after these depends on what had been read by then.
		if i := slices.IndexFunc(told, func(m string) bool { return m[0] > '9' }); i >= 0 {
			told = told[:i+1]
		} else {
			told = append(told, fmt.Sprint(conn.CloseStatus(err)))
		}
		<-time.After(time.Hour)
		if len(ended) > 0 {
			t.Errorf("seed %d: another end: %v", seed, <-ended)
		}
	})
	return told
}
