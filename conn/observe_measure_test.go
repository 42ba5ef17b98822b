package conn_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
)

func TestObserver_IsToldHowLongPingsTake(t *testing.T) {
	const far = 30 * time.Millisecond
	for _, role := range roles {
		synctest.Test(t, func(t *testing.T) {
			l := newLedger()
			c, peer := against(t, role, conn.Options{PingEvery: time.Minute, Observer: l.observer()})
			go drain(c)
			pong := func(payload []byte) { peer.Write(to(role, pongFrame, string(payload))) }
			var payloads [][]byte
			go func() {
				wire := newWire(peer)
				for n := 1; ; n++ {
					f, err := wire.next()
					if err != nil {
						return
					}
					payloads = append(payloads, f.Payload)
					<-time.After(far)
					switch n {
					case 1, 4: // in order
						pong(f.Payload)
					case 2: // lost, but the peer lives
						pong(nil)
					case 3: // others' and old ones
						pong(make([]byte, 8))
						pong(payloads[0])
						pong(binary.BigEndian.AppendUint64(nil, 1000))
						pong(f.Payload)
						pong(f.Payload)
					}
				}
			}()
			<-time.After(3*time.Minute + time.Second)
			if d, err := c.Ping(bg); d != far || err != nil {
				t.Error(d, err)
			}
			synctest.Wait()
			want := []time.Duration{far, time.Minute + far, far}
			if !slices.Equal(l.times, want) || !bytes.Equal(payloads[1], payloads[2]) || len(payloads) != 4 {
				t.Errorf("%v, want %v; pings %x", l.times, want, payloads)
			}
		})
	}
}

func TestObserver_ThatDoesNotWantTimes_SendsPingsWithoutPayload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, peer := against(t, machine.Server, conn.Options{PingEvery: time.Minute, Observer: new(conn.Observer)})
		if f := newWire(peer).mustNext(t); f.Opcode != frame.OpPing || f.Length != 0 {
			t.Error(f)
		}
	})
}

func TestObserver_IsToldWhatIsQueuedBehindAWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger()
		c, peer := againstSize(t, machine.Server, conn.Options{PingEvery: -1, Observer: l.observer()}, 100)
		go c.Write(bg, conn.Binary, make([]byte, 500))
		synctest.Wait()
		c.Write(bg, conn.Binary, make([]byte, 300))
		c.Send(bg, conn.Prepare(conn.Text, make([]byte, 100)))
		c.SendPing(bg, nil)
		if want := []int{304, 406, 408}; !slices.Equal(l.queued, want) {
			t.Errorf("queued %v, want %v", l.queued, want)
		}
		go io.Copy(io.Discard, peer)
		synctest.Wait()
		if l.sent["binary"] != (entry{2, 800, 808}) || l.sent["text"] != (entry{1, 100, 102}) || l.sent["ping"] != (entry{1, 0, 2}) {
			t.Error(l.sent)
		}
	})
}

func TestObserver_IsToldWhatWaitsToBeHandled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger()
		c, peer := against(t, machine.Server, conn.Options{PingEvery: -1, Observer: l.observer()})
		mustWrite(t, peer, burst(machine.Server, 5, 10))
		handled := 0
		err := c.Handle(3, nil, func(conn.Message) bool {
			if handled++; handled == 1 {
				<-time.After(time.Second)
			}
			return handled < 5
		})
		if err != nil || !slices.Equal(l.waiting, []int{1, 2, 3}) {
			t.Errorf("waiting %v, %v", l.waiting, err)
		}
	})
}

// Nor does an Observer that counts, by itself.
func TestObserver_CostsNoAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("sync.Pool forgets under the race detector")
	}
	var n, size int64
	count := func(_ *conn.Conn, t conn.Traffic) { n, size = n+1, size+t.Bytes+t.Wire }
	o := conn.Options{PingEvery: -1, Observer: &conn.Observer{Sent: count, Received: count}}
	for _, role := range roles {
		for _, size := range []int{32, 4096, 70000} {
			p := bytes.Repeat([]byte("x"), size)
			m := conn.Prepare(conn.Text, p)
			sends := conn.New(newSink(), conn.Config{Role: role, Options: o})
			deflates := accords[0].new(newSink(), role, o)
			reads := conn.New(&source{message: to(role, fin|text, string(p))}, conn.Config{Role: role, Options: o})
			buf := make([]byte, size)
			for name, do := range map[string]func(){
				"Write":        func() { sends.Write(bg, conn.Text, p) },
				"Send":         func() { sends.Send(bg, m) },
				"SendPing":     func() { sends.SendPing(bg, p[:8]) },
				"Write, small": func() { deflates.Write(bg, conn.Text, p) },
				"ReadInto":     func() { reads.ReadInto(bg, buf) },
			} {
				before := n
				if allocs := testing.AllocsPerRun(100, do); allocs != 0 || n != before+101 {
					t.Errorf("%v, %d, %s: %v allocations, %d calls", role, size, name, allocs, n-before)
				}
			}
			for _, c := range []*conn.Conn{sends, deflates, reads} {
				c.CloseNow()
			}
		}
	}
}

// What an Observer that counts costs, beside BenchmarkWrite and BenchmarkRead.
func BenchmarkObserver(b *testing.B) {
	var n atomic.Int64
	count := func(_ *conn.Conn, t conn.Traffic) { n.Add(t.Wire) }
	o := conn.Options{Observer: &conn.Observer{Sent: count, Received: count}}
	p := bytes.Repeat([]byte("x"), 32)
	b.Run("Write/server/32B", func(b *testing.B) {
		c := conn.New(newSink(), conn.Config{Role: machine.Server, Options: o})
		defer c.CloseNow()
		b.ReportAllocs()
		for b.Loop() {
			c.Write(bg, conn.Binary, p)
		}
	})
	b.Run("Read/server/32B", func(b *testing.B) {
		c := conn.New(&source{message: to(machine.Server, fin|text, string(p))}, conn.Config{Role: machine.Server, Options: o})
		defer c.CloseNow()
		buf := make([]byte, len(p))
		b.ReportAllocs()
		for b.Loop() {
			c.ReadInto(bg, buf)
		}
	})
}

func TestObserver_TellsBytesBeforeAndAfterCompression(t *testing.T) {
	s, c, ls, lc := counted(&accords[0], conn.Options{}, func() (net.Conn, net.Conn) { return conntest.Pipe() })
	defer c.CloseNow()
	defer s.CloseNow()
	s.WriteText(bg, strings.Repeat("swan", 5000))
	c.Read(bg)
	if e := ls.sent["text"]; e.bytes != 20000 || e.wire > 100 || lc.received["text"] != e {
		t.Errorf("sent %v, received %v", e, lc.received["text"])
	}
}
