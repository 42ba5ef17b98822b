package prometheus_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/frame"
	"github.com/swan-ws/websocket/internal/leak"
	wsprometheus "github.com/swan-ws/websocket/prometheus"
)

func TestMain(m *testing.M) { leak.Main(m) }

// everything has happened to m, each a known number of times.
func everything(t *testing.T, m *wsprometheus.Metrics) {
	t.Helper()
	o := m.Observer()
	pair := func() (s, c *conn.Conn) {
		return conntest.Pair(conn.Options{PingEvery: -1, Observer: o}, conn.Options{PingEvery: -1})
	}
	s, c := pair()
	go func() {
		for m, err := range s.Messages(t.Context()) {
			if err == nil {
				s.Write(t.Context(), conn.Binary, m.Data)
			}
		}
	}()
	c.WriteText(t.Context(), "swan")
	c.Read(t.Context())
	<-time.After(5 * time.Second)
	c.Close(frame.CloseGoingAway, "bye")
	<-s.Done()
	for _, end := range []func(s, c *conn.Conn){
		func(s, c *conn.Conn) { s.CloseNow() },
		func(s, c *conn.Conn) { go c.Close(3000, ""); s.Read(t.Context()) },
		func(s, c *conn.Conn) { go c.Close(4321, ""); s.Read(t.Context()) },
	} {
		s, c := pair()
		end(s, c)
		<-s.Done()
		c.CloseNow()
	}
	open, far := pair() // stays
	t.Cleanup(func() { open.CloseNow(); far.CloseNow() })
	o.RoundTrip(open, 30*time.Millisecond)
	o.Queued(open, 5000)
	o.Waiting(open, 3)
	for _, kind := range []conn.ErrorKind{conn.ProtocolFault, conn.CallbackPanic} {
		o.Error(open, kind, errors.New("no"))
	}
	for _, status := range []int{403, 403, 0, 999} {
		o.Refused(status, errors.New("no"))
	}
}

func TestMetrics_SayWhatHasHappened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := wsprometheus.New(nil)
		everything(t, m)
		for name, want := range map[string]string{
			"websocket_connections":              `websocket_connections 1`,
			"websocket_connections_opened_total": `websocket_connections_opened_total 5`,
			"websocket_closes_total": `
				websocket_closes_total{by="peer",code="1001"} 1
				websocket_closes_total{by="peer",code="3xxx"} 1
				websocket_closes_total{by="peer",code="4xxx"} 1
				websocket_closes_total{by="self",code="1006"} 1`,
			"websocket_close_frames_total": `
				websocket_close_frames_total{code="1001",direction="received"} 1
				websocket_close_frames_total{code="1001",direction="sent"} 1
				websocket_close_frames_total{code="3xxx",direction="received"} 1
				websocket_close_frames_total{code="3xxx",direction="sent"} 1
				websocket_close_frames_total{code="4xxx",direction="received"} 1
				websocket_close_frames_total{code="4xxx",direction="sent"} 1`,
			"websocket_messages_total":      byType(0, 1, 3, 1, 0, 3),
			"websocket_payload_bytes_total": byType(0, 4, 6, 4, 0, 9),
			"websocket_wire_bytes_total":    byType(0, 6, 12, 10, 0, 27),
			"websocket_errors_total": `
				websocket_errors_total{kind="callback"} 0
				websocket_errors_total{kind="message"} 0
				websocket_errors_total{kind="panic"} 1
				websocket_errors_total{kind="protocol"} 1`,
			"websocket_handshakes_refused_total": `
				websocket_handshakes_refused_total{status="403"} 2
				websocket_handshakes_refused_total{status="none"} 1
				websocket_handshakes_refused_total{status="other"} 1`,
			"websocket_round_trip_seconds": histogram("round_trip_seconds", 0.03,
				"0.0005 0.001 0.0025 0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5 10", 0.03),
			"websocket_connection_lifetime_seconds": histogram("connection_lifetime_seconds", 5,
				"0.1 1 10 60 600 3600 14400 86400", 0, 0, 0, 5),
			"websocket_write_queue_bytes": histogram("write_queue_bytes", 5000, "256 1024 4096 16384 65536 262144", 5000),
			"websocket_waiting_messages":  histogram("waiting_messages", 3, "1 2 4 8 16 32 64 128", 3),
		} {
			if err := testutil.CollectAndCompare(m, strings.NewReader(withHead(m, name, want)), name); err != nil {
				t.Error(err)
			}
		}
	})
}

// byType is what there is of each type: sent, then received.
func byType(sentText, sentBinary, sentClose, text, bin, closing int) string {
	var b strings.Builder
	for _, line := range []struct {
		direction, kind string
		n               int
	}{
		{"sent", "text", sentText}, {"sent", "binary", sentBinary}, {"sent", "close", sentClose}, {"sent", "ping", 0}, {"sent", "pong", 0},
		{"received", "text", text}, {"received", "binary", bin}, {"received", "close", closing}, {"received", "ping", 0}, {"received", "pong", 0},
	} {
		fmt.Fprintf(&b, "NAME{direction=%q,type=%q} %d\n", line.direction, line.kind, line.n)
	}
	return b.String()
}

func histogram(name string, sum float64, buckets string, values ...float64) string {
	var b strings.Builder
	for _, le := range append(strings.Fields(buckets), "+Inf") {
		var most float64
		fmt.Sscan(le, &most)
		n := 0
		for _, v := range values {
			if v <= most {
				n++
			}
		}
		fmt.Fprintf(&b, "NAME_bucket{le=%q} %d\n", le, n)
	}
	fmt.Fprintf(&b, "NAME_sum %v\nNAME_count %d\n", sum, len(values))
	return b.String()
}

// withHead puts before the samples what m says of their metric.
func withHead(m prometheus.Collector, name, samples string) string {
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(m)
	w := httptest.NewRecorder()
	promhttp.HandlerFor(r, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	head := ""
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, "# HELP "+name+" ") || strings.HasPrefix(line, "# TYPE "+name+" ") {
			head += line
		}
	}
	return head + strings.ReplaceAll(strings.TrimLeft(samples, "\n"), "NAME", name) + "\n"
}

func TestMetrics_KeepThePrometheusConventions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := wsprometheus.New(prometheus.Labels{"service": "chat"})
		everything(t, m)
		problems, err := testutil.CollectAndLint(m)
		if len(problems) > 0 || err != nil {
			t.Error(problems, err)
		}
	})
}

// Whatever peers send: codes, statuses, addresses and the like make no new series
// beyond a limit.
func TestMetrics_HaveFewSeries_WhateverPeersDo(t *testing.T) {
	m := wsprometheus.New(nil)
	o := m.Observer()
	for n := range 1 << 16 {
		code := frame.CloseCode(n)
		o.Sent(nil, conn.Traffic{Opcode: frame.OpClose, Code: code})
		o.Received(nil, conn.Traffic{Opcode: frame.OpClose, Code: code})
		o.Opened(nil)
		o.Ended(nil, conn.End{Code: code, Remote: n%2 == 0})
		o.Refused(n, errors.New("no"))
	}
	if n := testutil.CollectAndCount(m); n > 220 {
		t.Errorf("%d series", n)
	}
	if n := testutil.CollectAndCount(m, "websocket_connections"); n != 1 {
		t.Errorf("%d gauges", n)
	}
}

func TestMetrics_OfTwoServices_AreToldApart(t *testing.T) {
	r := prometheus.NewPedanticRegistry()
	chat, feed := wsprometheus.New(prometheus.Labels{"service": "chat"}), wsprometheus.New(prometheus.Labels{"service": "feed"})
	r.MustRegister(chat, feed)
	chat.Observer().Opened(nil)
	want := "# HELP websocket_connections WebSocket connections that are open.\n# TYPE websocket_connections gauge\n" +
		"websocket_connections{service=\"chat\"} 1\nwebsocket_connections{service=\"feed\"} 0\n"
	if err := testutil.GatherAndCompare(r, strings.NewReader(want), "websocket_connections"); err != nil {
		t.Error(err)
	}
	if err := r.Register(chat); err == nil {
		t.Error("registered twice")
	}
}

// After the first of its kind nothing is allocated, but for ends and refusals.
func TestMetrics_AllocateNothingForMessages(t *testing.T) {
	o := wsprometheus.New(prometheus.Labels{"service": "chat"}).Observer()
	allocs := testing.AllocsPerRun(100, func() {
		o.Opened(nil)
		o.Sent(nil, conn.Traffic{Opcode: frame.OpText, Bytes: 100, Wire: 50})
		o.Received(nil, conn.Traffic{Opcode: frame.OpPing, Bytes: 100, Wire: 50})
		o.RoundTrip(nil, time.Second)
		o.Queued(nil, 1000)
		o.Waiting(nil, 1)
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func BenchmarkObserver(b *testing.B) {
	o := wsprometheus.New(nil).Observer()
	b.ReportAllocs()
	for b.Loop() {
		o.Received(nil, conn.Traffic{Opcode: frame.OpText, Bytes: 100, Wire: 50})
	}
}
