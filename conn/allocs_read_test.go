package conn_test

import (
	"io"
	"iter"
	"testing"

	"github.com/swan-ws/websocket/conn"
)

// readings are all ways to read: next reads a message and returns its length.
var readings = []struct {
	name   string
	allocs float64
	start  func(c *conn.Conn, t conn.MessageType, size int) (next func() int, stop func())
}{
	{"ReadInto", 0, func(c *conn.Conn, _ conn.MessageType, _ int) (func() int, func()) {
		var buf []byte
		return func() int {
			m, _ := c.ReadInto(bg, buf[:0])
			buf = m.Data
			return len(buf)
		}, func() {}
	}},
	// Data is the caller's. It grows with what comes: nobody knows how much that will be.
	{"Read", 4, func(c *conn.Conn, _ conn.MessageType, _ int) (func() int, func()) {
		return func() int {
			m, _ := c.Read(bg)
			return len(m.Data)
		}, func() {}
	}},
	{"Messages", 0, func(c *conn.Conn, _ conn.MessageType, _ int) (func() int, func()) {
		next, stop := iter.Pull2(c.Messages(bg))
		return func() int {
			m, _, _ := next()
			return len(m.Data)
		}, stop
	}},
	{"Handle", 0, func(c *conn.Conn, _ conn.MessageType, _ int) (func() int, func()) {
		next, stop := iter.Pull(func(yield func(int) bool) {
			c.Handle(16, nil, func(m conn.Message) bool { return yield(len(m.Data)) })
		})
		return func() int {
			n, _ := next()
			return n
		}, stop
	}},
	// The reader, which may be kept, and must tell then that it is over.
	{"Reader", 1, func(c *conn.Conn, _ conn.MessageType, size int) (func() int, func()) {
		buf := make([]byte, size/2+1)
		return func() (n int) {
			_, r, err := c.Reader(bg)
			for err == nil {
				var m int
				m, err = r.Read(buf)
				n += m
			}
			return n
		}, func() {}
	}},
	{"NetConn", 0, func(c *conn.Conn, t conn.MessageType, size int) (func() int, func()) {
		nc, buf := conn.NetConn(c, t), make([]byte, size)
		return func() int {
			n, _ := io.ReadFull(nc, buf)
			return n
		}, func() {}
	}},
}

func TestReads_OfEveryKind_AllocateNothing(t *testing.T) {
	if raceDetector {
		t.Skip("sync.Pool forgets under the race detector")
	}
	for _, r := range readings {
		t.Run(r.name, func(t *testing.T) {
			eachAgreement(t, func(t *testing.T, compressed bool, newConn func(io.ReadWriteCloser) *conn.Conn) {
				for _, carrier := range carriers {
					for _, p := range payloads() {
						for _, frames := range []int{1, 3} {
							ours, theirs := carrier.pair(t)
							c := newConn(ours)
							wire := p.frames(c.Role(), compressed, frames)
							next, stop := r.start(c, p.MessageType, len(p.p))
							n, allocs := allocsOf(next, theirs, wire)
							if n != len(p.p) || allocs > r.allocs {
								t.Errorf("%s, %v in %d frames: %v allocations, %d bytes read", carrier.name, p, frames, allocs, n)
							}
							c.CloseNow()
							theirs.Close()
							stop()
						}
					}
				}
			})
		})
	}
}

// allocsOf returns what the last next returns, and how much it allocates, with wire
// sent for each.
func allocsOf(next func() int, to io.Writer, wire []byte) (n int, allocs float64) {
	send, sent := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(sent)
		for range send {
			to.Write(wire)
		}
	}()
	defer func() {
		close(send)
		<-sent
	}()
	return n, testing.AllocsPerRun(100, func() {
		send <- struct{}{}
		n = next()
	})
}
