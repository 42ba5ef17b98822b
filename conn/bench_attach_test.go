package conn_test

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/machine"
)

// BenchmarkAttach is the price of one small message in an event loop, without the
// system's: read is that of having it, echo that of sending it back too. ahead is read
// of one that comes with 63 others.
func BenchmarkAttach(b *testing.B) {
	wire := to(machine.Server, fin|binaryData, "a message of thirty-two bytes ..")
	for _, bc := range []struct {
		name string
		wire []byte
		echo bool
	}{
		{"read", wire, false},
		{"echo", wire, true},
		{"ahead", bytes.Repeat(wire, 64), false},
	} {
		b.Run(bc.name, func(b *testing.B) {
			s := &bursts{wire: bc.wire}
			c := conn.New(s, conn.Config{Role: machine.Server})
			left, ended := b.N, make(chan error, 1)
			c.Attach(16, nil, func(m conn.Message) bool {
				left--
				return !bc.echo || c.Write(bg, m.Type, m.Data) == nil
			}, func(err error) { ended <- err })
			b.ReportAllocs()
			for b.ResetTimer(); left > 0; {
				s.come()
			}
			b.StopTimer()
			c.CloseNow()
			<-ended
		})
	}
}

// bursts is an EventStream to which the same comes again and again, and which takes
// everything.
type bursts struct {
	wire, rest []byte
	readable   func()
	closed     bool
}

// come says that there is something to read.
func (s *bursts) come() {
	s.rest = s.wire
	s.readable()
}

func (s *bursts) TryRead(p []byte) (n int, err error) {
	n = copy(p, s.rest)
	if s.rest = s.rest[n:]; n == 0 && s.closed {
		err = io.EOF
	}
	return n, err
}

func (s *bursts) OnReadable(f func())                { s.readable = f }
func (s *bursts) TryWrite(p []byte) int              { return len(p) }
func (s *bursts) Write(p []byte) (int, error)        { return len(p), nil }
func (s *bursts) WriteBoth(p, q []byte) (int, error) { return len(p) + len(q), nil }
func (s *bursts) Read([]byte) (int, error)           { return 0, net.ErrClosed }
func (s *bursts) Close() error                       { s.closed = true; return nil }
func (s *bursts) SetReadDeadline(time.Time) error    { return nil }
func (s *bursts) SetWriteDeadline(time.Time) error   { return nil }

var _ conn.EventStream = (*bursts)(nil)
