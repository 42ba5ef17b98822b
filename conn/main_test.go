package conn_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
	"github.com/swan-ws/websocket/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

var (
	bg    = context.Background()
	roles = []machine.Role{machine.Server, machine.Client}
)

// quiet has no keepalive.
var quiet = conn.Options{PingEvery: -1}

// First bytes of frames, as a raw peer writes them.
const (
	fin          = 0x80
	text         = byte(frame.OpText)
	binaryData   = byte(frame.OpBinary)
	continuation = byte(frame.OpContinuation)
	pingFrame    = fin | byte(frame.OpPing)
	pongFrame    = fin | byte(frame.OpPong)
	closeFrame   = fin | byte(frame.OpClose)
)

// against returns a connection in that role and the raw other end of its stream.
func against(tb testing.TB, role machine.Role, o conn.Options) (*conn.Conn, *conntest.Conn) {
	tb.Helper()
	return againstSize(tb, role, o, conntest.DefaultPipeSize)
}

// againstSize is against over a stream that holds size bytes in each direction.
func againstSize(tb testing.TB, role machine.Role, o conn.Options, size int) (*conn.Conn, *conntest.Conn) {
	tb.Helper()
	a, b := conntest.PipeSize(size)
	c := conn.New(a, conn.Config{Options: o, Role: role})
	tb.Cleanup(func() {
		c.CloseNow()
		b.Close()
	})
	return c, b
}

// pair returns both ends of a connection, closed with the test.
func pair(tb testing.TB, o conn.Options) (s, c *conn.Conn) {
	tb.Helper()
	s, c = conntest.Pair(o, o)
	tb.Cleanup(func() {
		s.CloseNow()
		c.CloseNow()
	})
	return s, c
}

// head is the header of a frame as the peer of a connection in that role writes
// it: masked to a server, with a key of zeros, so that the payload stays legible.
func head(role machine.Role, first byte, length uint64) []byte {
	h := frame.Header{
		Fin: first&fin != 0, RSV: first & 0x70, Opcode: frame.Opcode(first & 0xf),
		Masked: role == machine.Server, Length: length,
	}
	return h.Append(nil)
}

// to is a frame as the peer of a connection in that role writes it.
func to(role machine.Role, first byte, payload string) []byte {
	return append(head(role, first, uint64(len(payload))), payload...)
}

// closeTo is a Close frame as the peer of a connection in that role writes it.
func closeTo(role machine.Role, code frame.CloseCode, reason string) []byte {
	return to(role, closeFrame, string(frame.AppendClose(nil, code, reason)))
}

func mustWrite(tb testing.TB, w io.Writer, p []byte) {
	tb.Helper()
	if _, err := w.Write(p); err != nil {
		tb.Fatal(err)
	}
}

// A wireFrame is a frame as it was found on the wire, unmasked.
type wireFrame struct {
	frame.Header
	Payload []byte
}

func (f wireFrame) String() string {
	if f.Opcode == frame.OpClose {
		code, reason, _ := frame.ParseClose(f.Payload)
		return fmt.Sprintf("close %d %s", code, reason)
	}
	end := ""
	if !f.Fin {
		end = "..."
	}
	return fmt.Sprintf("%v %s%s", f.Opcode, f.Payload, end)
}

// A wire reads the frames that a connection sends.
type wire struct{ r *bufio.Reader }

func newWire(r io.Reader) wire { return wire{bufio.NewReader(r)} }

// next returns the next frame, or io.EOF at the end of the stream.
func (w wire) next() (f wireFrame, err error) {
	var b []byte
	for n := 0; n == 0; {
		c, err := w.r.ReadByte()
		if err != nil {
			if len(b) > 0 && err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return f, err
		}
		b = append(b, c)
		if n, err = f.Parse(b); err != nil {
			return f, err
		}
	}
	f.Payload = make([]byte, f.Length)
	_, err = io.ReadFull(w.r, f.Payload)
	if f.Masked {
		frame.Mask(f.Payload, f.Key, 0)
	}
	return f, err
}

func (w wire) mustNext(tb testing.TB) wireFrame {
	tb.Helper()
	f, err := w.next()
	if err != nil {
		tb.Fatalf("the peer read no frame: %v", err)
	}
	return f
}

// all returns the frames up to the end of the stream, which must be in order.
func (w wire) all(tb testing.TB) (frames []string) {
	tb.Helper()
	for {
		f, err := w.next()
		if err == io.EOF {
			return frames
		}
		if err != nil {
			tb.Errorf("the peer read %q, then %v", frames, err)
			return frames
		}
		frames = append(frames, f.String())
	}
}

// wantMessage fails unless that is what a read returned.
func wantMessage(tb testing.TB, m conn.Message, err error, t conn.MessageType, data string) {
	tb.Helper()
	if err != nil || m.Type != t || string(m.Data) != data {
		tb.Fatalf("got %v %.40q (%d bytes), %v; want %v %.40q (%d bytes)", m.Type, m.Data, len(m.Data), err, t, data, len(data))
	}
}

// wantClosed fails unless the connection is closed for good, says why in a typed
// error, and says the same whatever is asked of it.
func wantClosed(tb testing.TB, c *conn.Conn) {
	tb.Helper()
	<-c.Done()
	if c.Phase() != conn.Closed {
		tb.Errorf("phase %v", c.Phase())
	}
	want := c.Err()
	if !errors.Is(want, net.ErrClosed) {
		tb.Fatalf("ended with %v (%[1]T), not a net.ErrClosed", want)
	}
	if conn.CloseStatus(want) == 0 {
		tb.Errorf("no close status in %v (%[1]T)", want)
	}
	for { // what came before the end can still be read
		if _, err := c.Read(bg); err != nil {
			break
		}
	}
	ctx, cancel := context.WithCancel(bg)
	cancel()
	for range 2 {
		for _, op := range operations {
			if op.ends {
				continue
			}
			if err := op.do(bg, c); err != nil && err != want || err == nil && op.fails {
				tb.Errorf("%s on the closed connection: %v, want %v", op.name, err, want)
			}
			if err := op.do(ctx, c); err == nil && op.fails {
				tb.Errorf("%s on the closed connection with an ended context: no error", op.name)
			}
		}
		if err := c.Close(frame.CloseNormal, ""); err != nil {
			tb.Errorf("Close on the closed connection: %v", err)
		}
		if err := c.CloseNow(); err != nil {
			tb.Errorf("CloseNow on the closed connection: %v", err)
		}
	}
	if c.Err() != want {
		tb.Errorf("the reason changed from %v to %v", want, c.Err())
	}
}

// operations are all that can be done with a connection.
var operations = []struct {
	name  string
	ends  bool // ends the connection
	fails bool // fails on a closed connection
	do    func(ctx context.Context, c *conn.Conn) error
}{
	{name: "Read", fails: true, do: func(ctx context.Context, c *conn.Conn) error {
		_, err := c.Read(ctx)
		return err
	}},
	{name: "Messages", fails: true, do: func(ctx context.Context, c *conn.Conn) error {
		for _, err := range c.Messages(ctx) {
			return err
		}
		return nil
	}},
	{name: "Reader", fails: true, do: func(ctx context.Context, c *conn.Conn) error {
		_, r, err := c.Reader(ctx)
		if err == nil {
			_, err = r.Read(make([]byte, 3)) // and leaves the rest
		}
		if err == io.EOF {
			err = nil
		}
		return err
	}},
	{name: "Write", fails: true, do: func(ctx context.Context, c *conn.Conn) error {
		return c.Write(ctx, conn.Binary, make([]byte, 700))
	}},
	{name: "Write of much", fails: true, do: func(ctx context.Context, c *conn.Conn) error {
		return c.Write(ctx, conn.Binary, make([]byte, 70000))
	}},
	{name: "WriteText", fails: true, do: func(ctx context.Context, c *conn.Conn) error {
		return c.WriteText(ctx, "swan")
	}},
	{name: "Writer", fails: true, do: func(ctx context.Context, c *conn.Conn) error {
		w, err := c.Writer(ctx, conn.Text)
		if err != nil {
			return err
		}
		w.Write(bytes.Repeat([]byte("swan"), 2000))
		return w.Close()
	}},
	{name: "Send", fails: true, do: func(ctx context.Context, c *conn.Conn) error {
		return c.Send(ctx, prepared)
	}},
	{name: "Ping", fails: true, do: func(ctx context.Context, c *conn.Conn) error {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		_, err := c.Ping(ctx)
		return err
	}},
	{name: "SetMaxMessage", do: func(_ context.Context, c *conn.Conn) error {
		c.SetMaxMessage(1 << 17)
		return nil
	}},
	{name: "Set", do: func(_ context.Context, c *conn.Conn) error {
		c.Set(key{}, c.ID())
		if c.Value(key{}) != c.ID() {
			return errors.New("value lost")
		}
		c.Phase()
		return nil
	}},
	{name: "Close", ends: true, do: func(_ context.Context, c *conn.Conn) error {
		return c.Close(frame.CloseGoingAway, "bye")
	}},
	{name: "CloseNow", ends: true, do: func(_ context.Context, c *conn.Conn) error {
		return c.CloseNow()
	}},
}

type key struct{}

var prepared = conn.Prepare(conn.Text, []byte("prepared"))

// echo sends back what comes until the connection ends.
func echo(c *conn.Conn) {
	defer c.CloseNow()
	for m, err := range c.Messages(bg) {
		if err != nil || c.Write(bg, m.Type, m.Data) != nil {
			return
		}
	}
}

// drain reads until the connection ends.
func drain(c *conn.Conn) {
	for _, err := range c.Messages(bg) {
		_ = err
	}
}

// number is a payload that says who wrote it, and the how manieth it is.
func number(size int, who, count uint32) []byte {
	p := make([]byte, max(size, 8))
	binary.BigEndian.PutUint32(p, who)
	binary.BigEndian.PutUint32(p[4:], count)
	for i := 8; i < len(p); i++ {
		p[i] = byte(i)*7 + byte(count)
	}
	return p
}
