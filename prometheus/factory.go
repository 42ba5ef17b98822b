package prometheus

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/swan-ws/websocket/frame"
)

const namespace = "websocket"

// factory makes the metrics of one Metrics.
type factory struct {
	*Metrics
	labels prometheus.Labels
}

func made[C prometheus.Collector](f factory, c C) C {
	f.all = append(f.all, c)
	return c
}

func (f factory) gauge(name, help string) prometheus.Gauge {
	return made(f, prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help, ConstLabels: f.labels}))
}

func (f factory) counter(name, help string) prometheus.Counter {
	return made(f, prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help, ConstLabels: f.labels}))
}

func (f factory) counters(name, help string, labels ...string) *prometheus.CounterVec {
	return made(f, prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help, ConstLabels: f.labels}, labels))
}

func (f factory) histogram(name, help string, buckets []float64) prometheus.Histogram {
	return made(f, prometheus.NewHistogram(prometheus.HistogramOpts{
		Namespace: namespace, Name: name, Help: help, ConstLabels: f.labels, Buckets: buckets,
	}))
}

// traffic makes a counter for each type and direction beforehand, as looking one up
// by its labels costs more than counting.
func (f factory) traffic() {
	messages := f.counters("messages_total", "Messages, and control frames.", "direction", "type")
	payload := f.counters("payload_bytes_total", "Bytes of their payload, as applications see it.", "direction", "type")
	wire := f.counters("wire_bytes_total", "Bytes that they took on the stream: frame headers, and payload as it was compressed.", "direction", "type")
	for direction, all := range map[string]*[frame.OpPong + 1]traffic{"sent": &f.sent, "received": &f.received} {
		for _, op := range []frame.Opcode{frame.OpText, frame.OpBinary, frame.OpPing, frame.OpPong, frame.OpClose} {
			all[op] = traffic{
				messages.WithLabelValues(direction, op.String()),
				payload.WithLabelValues(direction, op.String()),
				wire.WithLabelValues(direction, op.String()),
			}
		}
	}
}
