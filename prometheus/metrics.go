// Package prometheus counts and measures what happens on WebSocket connections, for
// Prometheus. It is a module of its own, so that only those who want it need its
// dependencies; with the original beside it, import it as
//
//	wsprometheus "github.com/swan-ws/websocket/prometheus"
//
// Beside the metrics there are a page for Prometheus itself, consoles/websocket.html,
// and a dashboard for Grafana, dashboard.json.
package prometheus

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
)

// Metrics are those of any number of connections. They are a prometheus.Collector: to
// be registered once. How many series there are does not depend on the peers.
type Metrics struct {
	observer                             conn.Observer
	sent, received                       [frame.OpPong + 1]traffic
	closes, closeFrames, errors, refused *prometheus.CounterVec
	all                                  []prometheus.Collector
}

// traffic is that of one type in one direction.
type traffic struct{ messages, payload, wire prometheus.Counter }

// New returns Metrics that all have those labels: of the service, or of the side if a
// program has both. nil: none. Metrics registered together must have labels of the
// same names and different values.
func New(labels prometheus.Labels) *Metrics {
	m := new(Metrics)
	f := factory{m, labels}
	connections := f.gauge("connections", "WebSocket connections that are open.")
	opened := f.counter("connections_opened_total", "WebSocket connections opened.")
	lifetime := f.histogram("connection_lifetime_seconds", "How long connections were open, when they end.",
		[]float64{.1, 1, 10, 60, 600, 3600, 4 * 3600, 24 * 3600})
	m.closes = f.counters("closes_total", "Connections ended, by close code and who began: this side (self) or the peer. 1006 is without a Close frame.", "code", "by")
	m.closeFrames = f.counters("close_frames_total", "Close frames by their code.", "direction", "code")
	f.traffic()
	roundTrip := f.histogram("round_trip_seconds", "Time between a Ping and its Pong.",
		[]float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10})
	queued := f.histogram("write_queue_bytes", "Bytes that wait for a slow stream, when something is queued behind them.",
		prometheus.ExponentialBuckets(256, 4, 6))
	waiting := f.histogram("waiting_messages", "Messages that wait for a slow callback, when one is read behind them.",
		prometheus.ExponentialBuckets(1, 2, 8))
	m.errors = f.counters("errors_total", "Faults of peers (protocol), messages not understood (message), callbacks that failed (callback) or panicked (panic).", "kind")
	m.refused = f.counters("handshakes_refused_total", "Opening handshakes that came to nothing, by the HTTP status.", "status")
	for kind := conn.ProtocolFault; kind <= conn.CallbackPanic; kind++ {
		m.errors.WithLabelValues(kind.String()) // so that the first one is an increase
	}

	m.observer = conn.Observer{
		Opened: func(*conn.Conn) {
			connections.Inc()
			opened.Inc()
		},
		Ended: func(_ *conn.Conn, e conn.End) {
			connections.Dec()
			lifetime.Observe(e.Lifetime.Seconds())
			m.closes.WithLabelValues(conn.CloseLabel(e.Code), by(e)).Inc()
		},
		Sent:      func(_ *conn.Conn, t conn.Traffic) { m.add(&m.sent, "sent", t) },
		Received:  func(_ *conn.Conn, t conn.Traffic) { m.add(&m.received, "received", t) },
		RoundTrip: func(_ *conn.Conn, d time.Duration) { roundTrip.Observe(d.Seconds()) },
		Queued:    func(_ *conn.Conn, bytes int) { queued.Observe(float64(bytes)) },
		Waiting:   func(_ *conn.Conn, messages int) { waiting.Observe(float64(messages)) },
		Error:     func(_ *conn.Conn, kind conn.ErrorKind, _ error) { m.errors.WithLabelValues(kind.String()).Inc() },
		Refused:   func(status int, _ error) { m.refused.WithLabelValues(statusLabel(status)).Inc() },
	}
	return m
}

// Observer returns what feeds the metrics: name it in the Options.Conn of servers and
// clients, or as a Server's.
func (m *Metrics) Observer() *conn.Observer { return &m.observer }

// Describe is for the registry.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range m.all {
		c.Describe(ch)
	}
}

// Collect is for the registry.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	for _, c := range m.all {
		c.Collect(ch)
	}
}

func (m *Metrics) add(all *[frame.OpPong + 1]traffic, direction string, t conn.Traffic) {
	n := &all[t.Opcode]
	n.messages.Inc()
	n.payload.Add(float64(t.Bytes))
	n.wire.Add(float64(t.Wire))
	if t.Opcode == frame.OpClose {
		m.closeFrames.WithLabelValues(direction, conn.CloseLabel(t.Code)).Inc()
	}
}

func by(e conn.End) string {
	if e.Remote {
		return "peer"
	}
	return "self"
}

// statusLabel is one of few, whatever a server answers.
func statusLabel(status int) string {
	switch {
	case status == 0:
		return "none"
	case http.StatusText(status) == "":
		return "other"
	}
	return strconv.Itoa(status)
}
