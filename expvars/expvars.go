// Package expvars publishes what happens on WebSocket connections by package expvar,
// which serves it as JSON under /debug/vars of http.DefaultServeMux. It needs nothing
// beside the standard library; for Prometheus there is a module of its own.
package expvars

import (
	"expvar"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
)

// Publish publishes a map under name, and returns the Observer that keeps it: name it
// in Options.Conn of servers and clients, as many as the map is to be about. As with
// all of expvar, a name can be used once: Publish panics if it is taken.
//
// The map holds
//
//	connections                    open now
//	opened                         ever
//	closed_by_self, closed_by_peer ended connections by close code: see conn.CloseLabel
//	sent, received                 messages, bytes and wire_bytes of each type: text,
//	                               binary, ping, pong, close
//	close_frames_sent, close_frames_received
//	                               by code
//	errors                         by kind: protocol, message, callback, panic
//	refused                        handshakes, by HTTP status, "none" if there was none
//	round_trip_seconds, lifetime_seconds, queued_bytes, waiting_messages
//	                               count, sum and max of what conn.Observer says
func Publish(name string) *conn.Observer {
	v := new(vars)
	m := expvar.NewMap(name)
	m.Set("connections", &v.connections)
	m.Set("opened", &v.opened)
	m.Set("closed_by_self", &v.closedBySelf)
	m.Set("closed_by_peer", &v.closedByPeer)
	m.Set("sent", &v.sent)
	m.Set("received", &v.received)
	m.Set("close_frames_sent", &v.sent.codes)
	m.Set("close_frames_received", &v.received.codes)
	m.Set("errors", &v.errors)
	m.Set("refused", &v.refused)
	m.Set("round_trip_seconds", &v.roundTrip)
	m.Set("lifetime_seconds", &v.lifetime)
	m.Set("queued_bytes", &v.queued)
	m.Set("waiting_messages", &v.waiting)
	v.roundTrip.unit, v.lifetime.unit = time.Second, time.Second
	return &conn.Observer{
		Opened: func(*conn.Conn) {
			v.connections.Add(1)
			v.opened.Add(1)
		},
		Ended:     v.ended,
		Sent:      func(_ *conn.Conn, t conn.Traffic) { v.sent.add(t) },
		Received:  func(_ *conn.Conn, t conn.Traffic) { v.received.add(t) },
		RoundTrip: func(_ *conn.Conn, d time.Duration) { v.roundTrip.add(int64(d)) },
		Queued:    func(_ *conn.Conn, bytes int) { v.queued.add(int64(bytes)) },
		Waiting:   func(_ *conn.Conn, messages int) { v.waiting.add(int64(messages)) },
		Error:     func(_ *conn.Conn, kind conn.ErrorKind, _ error) { v.errors.Add(kind.String(), 1) },
		Refused:   func(status int, _ error) { v.refused.Add(statusLabel(status), 1) },
	}
}

type vars struct {
	connections, opened        expvar.Int
	closedBySelf, closedByPeer expvar.Map
	sent, received             traffic
	errors, refused            expvar.Map

	roundTrip, lifetime, queued, waiting summary
}

func (v *vars) ended(_ *conn.Conn, e conn.End) {
	v.connections.Add(-1)
	v.lifetime.add(int64(e.Lifetime))
	by := &v.closedBySelf
	if e.Remote {
		by = &v.closedByPeer
	}
	by.Add(conn.CloseLabel(e.Code), 1)
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

// opcodes are what may be sent and received.
var opcodes = [...]frame.Opcode{frame.OpText, frame.OpBinary, frame.OpPing, frame.OpPong, frame.OpClose}

// traffic is what has passed in one direction.
type traffic struct {
	types [frame.OpPong + 1]struct{ messages, bytes, wire atomic.Int64 }
	codes expvar.Map
}

func (t *traffic) add(of conn.Traffic) {
	n := &t.types[of.Opcode]
	n.messages.Add(1)
	n.bytes.Add(of.Bytes)
	n.wire.Add(of.Wire)
	if of.Opcode == frame.OpClose {
		t.codes.Add(conn.CloseLabel(of.Code), 1)
	}
}

// String returns the traffic as JSON.
func (t *traffic) String() string {
	b, comma := []byte{'{'}, ""
	for _, op := range opcodes {
		n := &t.types[op]
		b = fmt.Appendf(b, `%s%q: {"messages": %d, "bytes": %d, "wire_bytes": %d}`,
			comma, op, n.messages.Load(), n.bytes.Load(), n.wire.Load())
		comma = ", "
	}
	return string(append(b, '}'))
}

// summary is what is left of many values.
type summary struct {
	unit            time.Duration // 0: they are no durations
	count, sum, max atomic.Int64
}

func (s *summary) add(n int64) {
	s.count.Add(1)
	s.sum.Add(n)
	for most := s.max.Load(); n > most && !s.max.CompareAndSwap(most, n); most = s.max.Load() {
	}
}

// String returns the summary as JSON.
func (s *summary) String() string {
	return fmt.Sprintf(`{"count": %d, "sum": %v, "max": %v}`, s.count.Load(), s.in(s.sum.Load()), s.in(s.max.Load()))
}

// in returns n in units, as a number.
func (s *summary) in(n int64) any {
	if s.unit == 0 {
		return n
	}
	return float64(n) / float64(s.unit)
}
