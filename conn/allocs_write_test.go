package conn_test

import (
	"io"
	"testing"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
)

// A writing is a way to write.
type writing struct {
	name   string
	allocs float64
	// start returns nil for a message that cannot be written so.
	start func(c *conn.Conn, p payload) (write func() error)
}

var writings = []writing{
	{"Write", 0, func(c *conn.Conn, p payload) func() error {
		return func() error { return c.Write(bg, p.MessageType, p.p) }
	}},
	{"WriteText", 0, func(c *conn.Conn, p payload) func() error {
		s := string(p.p)
		if p.MessageType != conn.Text {
			return nil
		}
		return func() error { return c.WriteText(bg, s) }
	}},
	{"WriteValue", 0, func(c *conn.Conn, p payload) func() error {
		var v any = conn.Message{Type: p.MessageType, Data: p.p}
		return func() error { return c.WriteValue(bg, v) }
	}},
	{"Send", 0, func(c *conn.Conn, p payload) func() error {
		m := conn.Prepare(p.MessageType, p.p)
		return func() error { return c.Send(bg, m) }
	}},
	{"SendAll", 0, func(c *conn.Conn, p payload) func() error {
		m, other := conn.Prepare(p.MessageType, p.p), conn.Prepare(conn.Text, []byte("swan"))
		return func() error {
			_, err := c.SendAll(bg, m, other, m)
			return err
		}
	}},
	// The writer, which may be kept, and must tell then that it is over.
	{"Writer", 1, func(c *conn.Conn, p payload) func() error {
		half := len(p.p) / 2
		return func() error {
			w, err := c.Writer(bg, p.MessageType)
			if err == nil {
				w.Write(p.p[:half])
				w.Write(p.p[half:])
				err = w.Close()
			}
			return err
		}
	}},
	{"SendPing", 0, func(c *conn.Conn, p payload) func() error {
		if len(p.p) > frame.MaxControlPayload {
			return nil
		}
		return func() error { return c.SendPing(bg, p.p) }
	}},
	{"SendPong", 0, func(c *conn.Conn, p payload) func() error {
		if len(p.p) > frame.MaxControlPayload {
			return nil
		}
		return func() error { return c.SendPong(bg, p.p) }
	}},
	{"NetConn", 0, func(c *conn.Conn, p payload) func() error {
		nc := conn.NetConn(c, p.MessageType)
		return func() error {
			_, err := nc.Write(p.p)
			return err
		}
	}},
}

func TestWrites_OfEveryKind_AllocateNothing(t *testing.T) {
	if raceDetector {
		t.Skip("sync.Pool forgets under the race detector")
	}
	for _, w := range writings {
		t.Run(w.name, func(t *testing.T) {
			eachAgreement(t, func(t *testing.T, _ bool, newConn func(io.ReadWriteCloser) *conn.Conn) {
				for _, carrier := range carriers {
					ours, theirs := carrier.pair(t)
					c := newConn(ours)
					taken := make(chan struct{})
					go func() {
						defer close(taken)
						discard(theirs)
					}()
					for _, p := range payloads() {
						if write := w.start(c, p); write != nil {
							var err error
							allocs := testing.AllocsPerRun(100, func() { err = write() })
							if err != nil || allocs > w.allocs {
								t.Errorf("%s, %v: %v allocations, %v", carrier.name, p, allocs, err)
							}
						}
					}
					c.CloseNow()
					<-taken
					theirs.Close()
				}
			})
		})
	}
}

// discard reads to the end.
func discard(r io.Reader) {
	buf := make([]byte, 64<<10)
	for {
		if _, err := r.Read(buf); err != nil {
			return
		}
	}
}
