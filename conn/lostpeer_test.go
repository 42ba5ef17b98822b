package conn_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
)

// scenarios are pieces of a connection's life, each of which ends in order if
// the stream holds. The peer has sent script before and answers every Close.
var scenarios = []struct {
	name   string
	script func(role machine.Role) []byte
	do     func(ctx context.Context, c *conn.Conn) error
}{
	{"read text", whole(fin|text, "swan"), func(ctx context.Context, c *conn.Conn) error {
		m, err := c.Read(ctx)
		return expect(m, err, "swan")
	}},
	{"read fragments", func(role machine.Role) []byte {
		wire, _ := fragmented(role)
		return wire
	}, func(ctx context.Context, c *conn.Conn) error {
		_, want := fragmented(machine.Server)
		m, err := c.Read(ctx)
		return expect(m, err, want)
	}},
	{"read much", whole(fin|text, strings.Repeat("x", 20000)), func(ctx context.Context, c *conn.Conn) error {
		for m, err := range c.Messages(ctx) {
			return expect(m, err, strings.Repeat("x", 20000))
		}
		return errors.New("no message")
	}},
	{"read a stream", whole(fin|text, strings.Repeat("x", 20000)), func(ctx context.Context, c *conn.Conn) error {
		_, r, err := c.Reader(ctx)
		if err != nil {
			return err
		}
		p, err := io.ReadAll(r)
		return expect(conn.Message{Data: p}, err, strings.Repeat("x", 20000))
	}},
	{"write", nil, func(ctx context.Context, c *conn.Conn) error { return c.WriteText(ctx, "swan") }},
	{"write much", nil, func(ctx context.Context, c *conn.Conn) error {
		return c.Write(ctx, conn.Binary, make([]byte, 200_000))
	}},
	{"send", nil, func(ctx context.Context, c *conn.Conn) error { return c.Send(ctx, prepared) }},
	{"write a stream", nil, func(ctx context.Context, c *conn.Conn) error {
		w, err := c.Writer(ctx, conn.Binary)
		if err != nil {
			return err
		}
		for range 5 {
			if _, err := w.Write(make([]byte, 3000)); err != nil {
				if closed := w.Close(); closed != err {
					return fmt.Errorf("Close of the Writer said %w after %w", closed, err)
				}
				return err
			}
		}
		return w.Close()
	}},
	{"answer pings", func(role machine.Role) []byte {
		return append(to(role, pingFrame, "?"), to(role, fin|text, "swan")...)
	}, func(ctx context.Context, c *conn.Conn) error {
		m, err := c.Read(ctx)
		if err := expect(m, err, "swan"); err != nil {
			return err
		}
		return c.WriteText(ctx, "lake")
	}},
	{"ping", nil, func(ctx context.Context, c *conn.Conn) error {
		go drain(c)
		_, err := c.Ping(ctx)
		return err
	}},
	{"be closed by the peer", func(role machine.Role) []byte { return closeTo(role, frame.CloseNormal, "bye") },
		func(ctx context.Context, c *conn.Conn) error {
			_, err := c.Read(ctx)
			if conn.CloseStatus(err) == frame.CloseNormal {
				return nil
			}
			return err
		}},
	{"meet a fault", whole(fin|3, ""), func(ctx context.Context, c *conn.Conn) error {
		_, err := c.Read(ctx)
		if conn.CloseStatus(err) == frame.CloseProtocolError {
			return nil
		}
		return err
	}},
	{"be kept alive", nil, func(ctx context.Context, c *conn.Conn) error {
		ctx, cancel := context.WithTimeout(ctx, time.Hour)
		defer cancel()
		_, err := c.Read(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			return nil
		}
		return err
	}},
	{"close", nil, func(context.Context, *conn.Conn) error { return nil }},
}

func expect(m conn.Message, err error, want string) error {
	if err == nil && string(m.Data) != want {
		return fmt.Errorf("got %q", m.Data)
	}
	return err
}

// peerOf answers the Pings and the Close of a connection in that role.
func peerOf(role machine.Role, nc net.Conn, script []byte) {
	defer nc.Close()
	nc.Write(script)
	w := newWire(nc)
	for {
		f, err := w.next()
		switch {
		case err != nil:
			return
		case f.Opcode == frame.OpPing:
			nc.Write(to(role, pongFrame, string(f.Payload)))
		case f.Opcode == frame.OpClose:
			nc.Write(to(role, closeFrame, string(f.Payload)))
			return
		}
	}
}

func TestConn_WhereverItsStreamFails_EndsWithATypedError(t *testing.T) {
	kinds := []struct {
		name string
		wrap func(nc net.Conn, n int, err error) *conntest.Faulty
	}{
		{"at any operation", conntest.FailAt},
		{"at a read", conntest.FailReadAt},
		{"at a write", conntest.FailWriteAt},
		{"in a write", conntest.ShortWriteAt},
	}
	for _, sc := range scenarios {
		for _, kind := range kinds {
			for _, role := range roles {
				t.Run(fmt.Sprint(sc.name, " ", kind.name, " ", role), func(t *testing.T) {
					var script []byte
					if sc.script != nil {
						script = sc.script(role)
					}
					for n := 1; ; n++ {
						reached := false
						synctest.Test(t, func(t *testing.T) {
							a, b := conntest.Pipe()
							f := kind.wrap(a, n, nil)
							go peerOf(role, b, bytes.Clone(script))
							meetFault(t, f, role, n, sc.do)
							reached = f.Ops() >= n
						})
						if !reached {
							break
						}
						if n > 1000 {
							t.Fatal("no end")
						}
					}
				})
			}
		}
	}
}

// meetFault runs the scenario over a stream that fails at its n-th operation,
// closes the connection, and looks at how it ended.
func meetFault(t *testing.T, f *conntest.Faulty, role machine.Role, n int, do func(context.Context, *conn.Conn) error) {
	c := conn.New(f, conn.Config{Role: role})
	defer c.CloseNow()
	start := time.Now()
	err := do(bg, c)
	if err != nil {
		if f.Ops() < n {
			t.Fatalf("fault %d was not met: %v", n, err)
		}
		if !errors.Is(err, net.ErrClosed) || !errors.Is(err, conntest.ErrInjected) || conn.CloseStatus(err) != frame.CloseAbnormal {
			t.Errorf("fault %d: %v (%[2]T)", n, err)
		}
		if err != c.Err() {
			t.Errorf("fault %d: %v, but Err says %v", n, err, c.Err())
		}
	}
	if took := time.Since(start); took > time.Hour {
		t.Errorf("fault %d: took %v", n, took)
	}
	start = time.Now()
	closed := c.Close(frame.CloseNormal, "")
	if took := time.Since(start); took > conn.DefaultCloseTimeout+time.Second {
		t.Errorf("fault %d: Close took %v", n, took)
	}
	if err == nil && f.Ops() < n && closed != nil {
		t.Errorf("fault %d was not met: Close: %v", n, closed)
	}
	wantClosed(t, c)
}
