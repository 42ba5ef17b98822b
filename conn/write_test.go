package conn_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
)

func TestWrite_OnTheWire_IsOneFrame_MaskedByClientsAlone(t *testing.T) {
	for _, role := range roles {
		for name, write := range writes {
			for _, size := range []int{0, 5, 126, 4096} {
				t.Run(fmt.Sprint(role, " ", name, " ", size), func(t *testing.T) {
					c, peer := against(t, role, conn.Options{})
					want := strings.Repeat("x", size)
					if err := write(c, want); err != nil {
						t.Fatal(err)
					}
					c.CloseNow()
					w := newWire(peer)
					f := w.mustNext(t)
					if !f.Fin || f.RSV != 0 || f.Opcode != frame.OpText || f.Masked != (role == machine.Client) || string(f.Payload) != want {
						t.Errorf("%+v", f.Header)
					}
					if more := w.all(t); len(more) > 0 {
						t.Errorf("and then %q", more)
					}
				})
			}
		}
	}
}

func TestWrite_OfAServer_ByteForByte(t *testing.T) {
	c, peer := against(t, machine.Server, conn.Options{})
	w, err := c.Writer(bg, conn.Binary)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, "a")
	for _, err := range []error{
		w.Close(),
		c.WriteText(bg, "Hello"),
		c.Write(bg, conn.Binary, []byte{0xff}),
		c.Send(bg, conn.Prepare(conn.Text, []byte("é"))),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	go c.Close(frame.CloseNormal, "bye")
	err = conntest.ParseScript(`
		< 82 01 "a"
		< 81 05 "Hello"
		< 82 01 ff
		< 81 02 "é"
		< 88 05 03e8 "bye"
		> 88 82 00000000 03e8
		< EOF
	`).Run(peer)
	if err != nil {
		t.Error(err)
	}
}

func TestWrite_UsesANewMaskingKeyForEachFrame(t *testing.T) {
	c, peer := against(t, machine.Client, conn.Options{})
	for range 100 {
		if err := c.Send(bg, prepared); err != nil {
			t.Fatal(err)
		}
	}
	w := newWire(peer)
	keys := map[frame.Key]int{}
	for range 100 {
		keys[w.mustNext(t).Key]++
	}
	if len(keys) < 99 {
		t.Errorf("%d keys for 100 frames", len(keys))
	}
}

func TestWrite_OfMuch_LeavesThePayloadAsItWas(t *testing.T) {
	for _, role := range roles {
		c, peer := against(t, role, conn.Options{})
		go io.Copy(io.Discard, peer)
		for _, size := range sizes {
			p := []byte(strings.Repeat("x", size))
			if err := c.Write(bg, conn.Text, p); err != nil {
				t.Fatal(err)
			}
			if strings.Trim(string(p), "x") != "" {
				t.Errorf("%v: payload of %d bytes changed", role, size)
			}
		}
	}
}

func TestWrite_IsOneCallOfTheStream(t *testing.T) {
	for _, tc := range []struct {
		name string
		role machine.Role
		size int
		want int
	}{
		{"small, server", machine.Server, 10, 1},
		{"small, client", machine.Client, 10, 1},
		{"below the gathering, server", machine.Server, 16383, 1},
		{"masked at once", machine.Client, 65536 - 14, 1},
		{"masked in two", machine.Client, 65536, 2},
		{"a header and the rest", machine.Server, 1 << 20, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a, b := conntest.PipeSize(2 << 20)
			defer b.Close()
			c := conn.New(a, conn.Config{Role: tc.role})
			defer c.CloseNow()
			before := a.Stats().Writes
			if err := c.Write(bg, conn.Binary, make([]byte, tc.size)); err != nil {
				t.Fatal(err)
			}
			if got := a.Stats().Writes - before; got != tc.want {
				t.Errorf("%d calls, want %d", got, tc.want)
			}
		})
	}
}

func TestWrite_OfTextThatIsNotUTF8_IsRefused_AndTheConnectionStaysOpen(t *testing.T) {
	for _, role := range roles {
		c, peer := against(t, role, conn.Options{})
		w, err := c.Writer(bg, conn.Text)
		if err != nil {
			t.Fatal(err)
		}
		_, writerErr := io.WriteString(w, "\xff")
		half, err := func() (error, error) {
			if err := w.Close(); err == nil {
				t.Error("no error of Close")
			}
			w, err := c.Writer(bg, conn.Text)
			if err != nil {
				return nil, err
			}
			io.WriteString(w, "\xc3")
			return w.Close(), nil
		}()
		if err != nil {
			t.Fatal(err)
		}
		for name, err := range map[string]error{
			"Write":        c.Write(bg, conn.Text, []byte("\xff")),
			"WriteText":    c.WriteText(bg, "\xc3"),
			"Send":         c.Send(bg, conn.Prepare(conn.Text, []byte("\xff"))),
			"Writer.Write": writerErr,
			"Writer.Close": half,
		} {
			if err == nil || !strings.Contains(err.Error(), "not valid UTF-8: send it as a binary message") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := c.Write(bg, conn.Binary, []byte("\xff")); err != nil {
			t.Error(err)
		}
		if f := newWire(peer).mustNext(t); f.Opcode != frame.OpBinary || f.Length != 1 {
			t.Errorf("the peer got %v", f)
		}
	}
}

func TestWrite_OfAnotherType_IsRefused(t *testing.T) {
	c, peer := against(t, machine.Server, conn.Options{})
	for _, mt := range []conn.MessageType{0, 3, 8, 9, 10, 129, 255} {
		_, err := c.Writer(bg, mt)
		for name, err := range map[string]error{
			"Write":  c.Write(bg, mt, nil),
			"Send":   c.Send(bg, conn.Prepare(mt, nil)),
			"Writer": err,
		} {
			if err == nil || !strings.Contains(err.Error(), "use text or binary") {
				t.Errorf("%s with type %d: %v", name, mt, err)
			}
		}
	}
	if err := c.Send(bg, nil); err == nil || !strings.Contains(err.Error(), "Prepare") {
		t.Errorf("Send of nil: %v", err)
	}
	c.CloseNow()
	if got := newWire(peer).all(t); len(got) > 0 {
		t.Errorf("the peer got %q", got)
	}
}

func TestWrite_WithAnEndedContext_SendsNothing(t *testing.T) {
	c, peer := against(t, machine.Server, conn.Options{})
	ctx, cancel := context.WithCancel(bg)
	cancel()
	for _, op := range operations {
		if !strings.HasPrefix(op.name, "Write") && op.name != "Send" {
			continue
		}
		if err := op.do(ctx, c); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "not sent") {
			t.Errorf("%s: %v", op.name, err)
		}
	}
	c.CloseNow()
	if got := newWire(peer).all(t); len(got) > 0 {
		t.Errorf("the peer got %q", got)
	}
}

func TestPrepare_CopiesItsBytes(t *testing.T) {
	p := []byte("before")
	m := conn.Prepare(conn.Binary, p)
	copy(p, "after!")
	s, c := pair(t, conn.Options{})
	for _, ends := range [][2]*conn.Conn{{s, c}, {c, s}, {s, c}} {
		if err := ends[0].Send(bg, m); err != nil {
			t.Fatal(err)
		}
		got, err := ends[1].Read(bg)
		wantMessage(t, got, err, conn.Binary, "before")
	}
}

func TestWrite_AllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("sync.Pool forgets under the race detector")
	}
	for _, role := range roles {
		for _, size := range []int{0, 32, 4096, 70000} {
			t.Run(fmt.Sprint(role, " ", size), func(t *testing.T) {
				c := conn.New(newSink(), conn.Config{Role: role})
				defer c.CloseNow()
				p := []byte(strings.Repeat("x", size))
				s := string(p)
				m := conn.Prepare(conn.Text, p)
				if allocs := testing.AllocsPerRun(100, func() {
					c.Write(bg, conn.Text, p)
					c.WriteText(bg, s)
					c.Send(bg, m)
				}); allocs != 0 {
					t.Errorf("%v allocations", allocs)
				}
			})
		}
	}
}
