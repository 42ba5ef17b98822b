package conn_test

import (
	"io"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
)

// trickle is a stream that costs next to nothing: it brings what it is given,
// then waits for its end.
type trickle struct {
	wire    string
	end     chan struct{}
	waiting *atomic.Int32
}

func (s *trickle) Read(p []byte) (int, error) {
	if s.wire == "" {
		s.waiting.Add(1)
		<-s.end
		return 0, io.EOF
	}
	n := copy(p, s.wire)
	s.wire = s.wire[n:]
	return n, nil
}
func (s *trickle) Write(p []byte) (int, error)      { return len(p), nil }
func (s *trickle) Close() error                     { return nil }
func (s *trickle) SetReadDeadline(time.Time) error  { return nil }
func (s *trickle) SetWriteDeadline(time.Time) error { return nil }

// What is counted: all that the heap holds for a connection whose stream brought a
// header and whose goroutine waits in Read, less the same for a connection that got
// nothing. The read buffer is in both.
func TestMemory_ADeclaredLength_CostsNothing(t *testing.T) {
	const conns = 1000
	for _, role := range roles {
		for name, read := range map[string]func(*conn.Conn){
			"Read":     func(c *conn.Conn) { c.Read(bg) },
			"Messages": drain,
		} {
			for _, tc := range []struct {
				came    string
				allowed int64
			}{
				{"", 4 << 10},
				{"x", 8 << 10}, // the message has begun: it has a buffer for what comes at once
			} {
				wire := string(head(role, fin|binaryData, 1<<40)) + tc.came
				extra := int64(1 << 62)
				for range 5 { // what other tests left may go meanwhile
					idle := costOf(conns, role, "", read)
					extra = min(extra, (costOf(conns, role, wire, read)-idle)/conns)
					if extra <= tc.allowed {
						break
					}
				}
				if extra > tc.allowed && !raceDetector {
					t.Errorf("%s, %v: %d bytes for a header that declares 2^40 and %q, %d allowed", name, role, extra, tc.came, tc.allowed)
				}
			}
		}
	}
}

// costOf returns what so many connections cost that have read wire and wait.
func costOf(conns int, role machine.Role, wire string, read func(*conn.Conn)) int64 {
	all := make([]*conn.Conn, conns)
	end := make(chan struct{})
	var waiting atomic.Int32
	before := heap()
	for i := range all {
		all[i] = conn.New(&trickle{wire, end, &waiting}, conn.Config{Role: role, Options: conn.Options{MaxMessage: -1, PingEvery: -1}})
		go read(all[i])
	}
	for int(waiting.Load()) < conns {
		runtime.Gosched()
	}
	cost := heap() - before
	close(end)
	for _, c := range all {
		<-c.Done()
	}
	return cost
}

func TestMemory_AMessageOfOneByteFragments_CostsWhatArrived(t *testing.T) {
	for _, role := range roles {
		const fragments = 200_000
		c, peer := againstSize(t, role, conn.Options{MaxMessage: -1, MaxFragments: -1}, 1000)
		go drain(c)
		mustWrite(t, peer, to(role, text, ""))
		before := heap()
		one := to(role, continuation, "x")
		batch := []byte(strings.Repeat(string(one), 1000))
		var most int64
		for range fragments / 1000 {
			mustWrite(t, peer, batch)
		}
		most = max(most, heap()-before)
		if most > 2*fragments+64<<10 && !raceDetector {
			t.Errorf("%d bytes on the heap for %d received", most, fragments)
		}
	}
}

func TestMaxFragments_ByDefault_IsEnforced(t *testing.T) {
	for _, tc := range []struct {
		name      string
		limit     int
		fragments int
		code      frame.CloseCode
	}{
		{"default", 0, conn.DefaultMaxFragments, 0},
		{"default and one", 0, conn.DefaultMaxFragments + 1, frame.ClosePolicyViolation},
		{"one", 1, 1, 0},
		{"one and one", 1, 2, frame.ClosePolicyViolation},
	} {
		for _, role := range roles {
			c, peer := againstSize(t, role, conn.Options{MaxFragments: tc.limit}, 1<<20)
			if tc.fragments == 1 {
				mustWrite(t, peer, to(role, fin|text, ""))
			} else {
				mustWrite(t, peer, to(role, text, ""))
				mustWrite(t, peer, []byte(strings.Repeat(string(to(role, continuation, "")), tc.fragments-2)))
				mustWrite(t, peer, to(role, fin|continuation, ""))
			}
			peer.CloseWrite()
			_, err := c.Read(bg)
			if got := conn.CloseStatus(err); got != tc.code {
				t.Errorf("%s: %v", tc.name, err)
			}
		}
	}
}

// Most connections have the same Options, and share them. Functions that only look the
// same are not.
func TestOptions_OfEachConnection_AreItsOwn(t *testing.T) {
	const many = 20
	var told [many]int
	for i := range many {
		c, peer := against(t, machine.Server, conn.Options{
			OnPong:     func(*conn.Conn, []byte) { told[i]++ },
			MaxMessage: int64(10 + i%2),
		})
		mustWrite(t, peer, to(machine.Server, pongFrame, ""))
		mustWrite(t, peer, to(machine.Server, fin|text, strings.Repeat("x", 11)))
		peer.CloseWrite()
		_, err := c.Read(bg)
		if tooBig := conn.CloseStatus(err) == frame.CloseTooBig; tooBig != (i%2 == 0) {
			t.Errorf("connection %d: %v", i, err)
		}
	}
	for i, n := range told {
		if n != 1 {
			t.Errorf("connection %d has been told of %d Pongs", i, n)
		}
	}
}
