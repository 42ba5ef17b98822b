package hub_test

import (
	"bufio"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/hub"
)

// subscribers of the benchmarks; each takes two files. Run
//
//	go test -run '^$' -bench Stuck ./hub -subscribers 9000
var subscribers = flag.Int("subscribers", 1000, "connections in the benchmarks")

// A crowd is many connections over loopback TCP, whose peers read all that comes
// and note how long it took.
type crowd struct {
	conns []*conn.Conn
	peers []*peer
	left  atomic.Int64 // messages still to come
	done  chan struct{}
	wait  sync.WaitGroup
}

type peer struct {
	net.Conn
	took  []time.Duration
	reads int
}

var epoch = time.Now()

func newCrowd(tb testing.TB, n int) *crowd {
	tb.Helper()
	w := &crowd{done: make(chan struct{}, 1)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	tb.Cleanup(w.close)
	for range n {
		c, nc := connect(tb, l)
		w.conns = append(w.conns, c)
		w.peers = append(w.peers, &peer{Conn: nc})
	}
	for _, p := range w.peers {
		w.wait.Go(func() { w.read(p) })
	}
	return w
}

// connect returns both ends of a connection. Nothing but what is published travels.
func connect(tb testing.TB, l net.Listener) (*conn.Conn, net.Conn) {
	tb.Helper()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		tb.Fatalf("%v: fewer -subscribers, or a higher limit of files (ulimit -n)", err)
	}
	s, err := l.Accept()
	if err != nil {
		tb.Fatalf("%v: fewer -subscribers, or a higher limit of files (ulimit -n)", err)
	}
	nc.(*net.TCPConn).SetLinger(0) // leaves no port in TIME_WAIT
	o := conn.Options{PingEvery: -1, WriteTimeout: -1}
	return conn.New(s, conn.Config{Options: o, Role: machine.Server}), nc
}

func (w *crowd) close() {
	for _, p := range w.peers {
		p.Close()
	}
	for _, c := range w.conns {
		c.CloseNow()
	}
	w.wait.Wait()
}

// read reads frames of up to 125 bytes whose payload begins with the time.
func (w *crowd) read(p *peer) {
	r := bufio.NewReaderSize(counted{p}, 2048)
	var b [2 + 125]byte
	for {
		if _, err := io.ReadFull(r, b[:2]); err != nil {
			return
		}
		if _, err := io.ReadFull(r, b[2:2+b[1]]); err != nil {
			return
		}
		p.took = append(p.took, time.Since(epoch)-time.Duration(binary.BigEndian.Uint64(b[2:])))
		if w.left.Add(-1) == 0 {
			w.done <- struct{}{}
		}
	}
}

type counted struct{ *peer }

func (c counted) Read(p []byte) (int, error) {
	c.reads++
	return c.Conn.Read(p)
}

// burst publishes n messages and waits until all have come.
func (w *crowd) burst(tb testing.TB, h *hub.Hub, topic string, n int) {
	w.left.Store(int64(n * len(w.peers)))
	message := make([]byte, 100)
	for range n {
		binary.BigEndian.PutUint64(message, uint64(time.Since(epoch)))
		r, err := h.Publish(topic, message)
		if err != nil || r.Delivered+r.Queued < len(w.peers) {
			tb.Fatal(r, err)
		}
	}
	<-w.done
}

// take returns what the peers have noted, and forgets it. Nothing must be under way.
func (w *crowd) take() (took []time.Duration, reads int) {
	for _, p := range w.peers {
		took = append(took, p.took...)
		reads += p.reads
		p.took, p.reads = p.took[:0], 0
	}
	slices.Sort(took)
	return took, reads
}

func percentile(sorted []time.Duration, p float64) float64 {
	return float64(sorted[int(p*float64(len(sorted)-1))]) / 1e6
}

// Messages to many, alone and in bursts: what one costs for a subscriber, and how
// many a read of its peer brings.
func BenchmarkPublish(b *testing.B) {
	for _, burst := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("burst=%d", burst), func(b *testing.B) {
			w := newCrowd(b, *subscribers)
			var h hub.Hub
			for _, c := range w.conns {
				h.Subscribe(c, "news")
			}
			b.ReportAllocs()
			for b.Loop() {
				w.burst(b, &h, "news", burst)
			}
			took, reads := w.take()
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(len(took)), "ns/delivery")
			b.ReportMetric(float64(len(took))/float64(reads), "messages/read")
			b.ReportMetric(percentile(took, 0.5), "p50-ms")
			b.ReportMetric(percentile(took, 0.99), "p99-ms")
		})
	}
}

// The others must not notice a subscriber that does not read. Rounds with and
// without it take turns, so that both meet the same machine; the figures are medians
// of the rounds'.
func BenchmarkPublish_OneStuck(b *testing.B) {
	w := newCrowd(b, *subscribers)
	h := hub.Hub{Policy: hub.DropOldest}
	h.Subscribe(newStuck(b, &h), "with") // before all others
	for _, c := range w.conns {
		h.Subscribe(c, "with", "without")
	}
	topics := []string{"without", "with"}
	var p50, p99 [2][]float64 // of each round
	var ratios []float64
	for b.Loop() {
		for i, topic := range topics {
			w.burst(b, &h, topic, 1)
			took, _ := w.take()
			p50[i], p99[i] = append(p50[i], percentile(took, 0.5)), append(p99[i], percentile(took, 0.99))
		}
		last := len(p99[0]) - 1
		ratios = append(ratios, p99[1][last]/p99[0][last])
	}
	for i, topic := range topics {
		b.ReportMetric(median(p50[i]), "p50-ms-"+topic)
		b.ReportMetric(median(p99[i]), "p99-ms-"+topic)
	}
	b.ReportMetric(median(ratios), "p99-ratio")
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}

// newStuck returns a member that takes no more bytes.
func newStuck(tb testing.TB, h *hub.Hub) *conn.Conn {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	c, nc := connect(tb, l)
	tb.Cleanup(func() { c.CloseNow(); nc.Close() })
	h.Join(c)
	for h.Backlog(c).Dropped == 0 {
		h.Send(c, make([]byte, 60_000))
	}
	return c
}
