package conn_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
)

func TestWriter_SmallMessage_IsOneFrame_LargeOneSeveral(t *testing.T) {
	for _, tc := range []struct {
		name   string
		pieces []int
		frames []int
	}{
		{"nothing", nil, []int{0}},
		{"pieces that fit together", []int{1000, 1000, 2096}, []int{4096}},
		{"one piece too many", []int{4096, 1}, []int{4096, 1}},
		{"a piece too large", []int{4097}, []int{4097, 0}},
		{"small, too large, small", []int{10, 70000, 10}, []int{10, 70000, 10}},
	} {
		for _, role := range roles {
			t.Run(fmt.Sprint(tc.name, " ", role), func(t *testing.T) {
				c, peer := againstSize(t, role, conn.Options{}, 1<<20)
				w, err := c.Writer(bg, conn.Text)
				if err != nil {
					t.Fatal(err)
				}
				for _, size := range tc.pieces {
					if n, err := io.WriteString(w, strings.Repeat("x", size)); n != size || err != nil {
						t.Fatal(n, err)
					}
				}
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
				wire := newWire(peer)
				for i, size := range tc.frames {
					f := wire.mustNext(t)
					want := frame.OpContinuation
					if i == 0 {
						want = frame.OpText
					}
					if f.Opcode != want || f.Fin != (i == len(tc.frames)-1) || len(f.Payload) != size {
						t.Errorf("frame %d: %+v", i, f.Header)
					}
				}
				if n, err := w.Write([]byte("x")); n != 0 || err == nil {
					t.Errorf("Write after Close: %d, %v", n, err)
				}
				if err := w.Close(); err == nil {
					t.Error("a second Close: no error")
				}
				if c.Phase() != conn.Open {
					t.Error(c.Err())
				}
			})
		}
	}
}

func TestWriter_OthersWaitForIt_ControlFramesDoNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := against(t, machine.Server, conn.Options{PingEvery: -1})
		go drain(c)
		w, err := c.Writer(bg, conn.Text)
		if err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(strings.Repeat("x", 5000)))
		for i := range 3 {
			go func() {
				<-time.After(time.Duration(i+1) * time.Second)
				c.WriteText(bg, fmt.Sprint(i))
			}()
		}
		go c.Ping(bg)
		mustWrite(t, peer, to(machine.Server, pingFrame, "?"))
		ctx, cancel := context.WithTimeout(bg, time.Minute)
		defer cancel()
		if err := c.WriteText(ctx, "given up"); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if _, err := c.Writer(ctx, conn.Text); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		wire := newWire(peer)
		got := []string{wire.mustNext(t).Opcode.String()}
		for range 2 {
			f := wire.mustNext(t)
			got = append(got, f.Opcode.String())
		}
		want := fmt.Sprint([]frame.Opcode{frame.OpText, frame.OpPing, frame.OpPong})
		swapped := fmt.Sprint([]frame.Opcode{frame.OpText, frame.OpPong, frame.OpPing})
		if s := fmt.Sprint(got); s != want && s != swapped {
			t.Errorf("the peer got %v", got)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if f := wire.mustNext(t); f.Opcode != frame.OpContinuation || !f.Fin {
			t.Errorf("%+v", f.Header)
		}
		for range 3 {
			wire.mustNext(t)
		}
	})
}

func TestWriter_ThatFailsInTheMiddle_ClosesWith1011(t *testing.T) {
	for _, tc := range []struct {
		name string
		fail func(w io.WriteCloser, cancel context.CancelFunc) error
	}{
		{"text that is not UTF-8", func(w io.WriteCloser, _ context.CancelFunc) error {
			_, err := io.WriteString(w, "\xff")
			return err
		}},
		{"half a rune at the end", func(w io.WriteCloser, _ context.CancelFunc) error {
			_, err := io.WriteString(w, "\xc3")
			return err
		}},
		{"context ended", func(w io.WriteCloser, cancel context.CancelFunc) error {
			cancel()
			_, err := io.WriteString(w, strings.Repeat("x", 5000))
			return err
		}},
		{"context ended before a small piece", func(w io.WriteCloser, cancel context.CancelFunc) error {
			io.WriteString(w, "a")
			cancel()
			_, err := io.WriteString(w, strings.Repeat("x", 4096))
			return err
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, peer := against(t, machine.Server, conn.Options{})
				ctx, cancel := context.WithCancel(bg)
				defer cancel()
				w, err := c.Writer(ctx, conn.Text)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := io.WriteString(w, strings.Repeat("x", 5000)); err != nil {
					t.Fatal(err)
				}
				first := tc.fail(w, cancel)
				go func() {
					wire := newWire(peer)
					wire.mustNext(t)
					if f := wire.mustNext(t); f.String() != "close 1011 message could not be finished" {
						t.Errorf("the peer got %v", f)
					}
					peer.Write(closeTo(machine.Server, frame.CloseInternalError, ""))
				}()
				if _, err := w.Write([]byte("more")); first != nil && err != first {
					t.Errorf("Write after %v: %v", first, err)
				}
				if err := w.Close(); err == nil || first != nil && err != first {
					t.Errorf("Close after %v: %v", first, err)
				}
				if got := conn.CloseStatus(c.Err()); got != frame.CloseInternalError {
					t.Error(c.Err())
				}
				wantClosed(t, c)
			})
		})
	}
}

func TestWriter_WithNothingSent_IsGivenUpWithoutHarm(t *testing.T) {
	c, peer := against(t, machine.Client, conn.Options{})
	ctx, cancel := context.WithCancel(bg)
	w, err := c.Writer(ctx, conn.Text)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, "not sent yet")
	cancel()
	if err := w.Close(); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := c.WriteText(bg, "next"); err != nil {
		t.Fatal(err)
	}
	if f := newWire(peer).mustNext(t); f.String() != "text next" {
		t.Error(f)
	}
}

func TestWriter_OnAConnectionThatCloses_SaysWhy(t *testing.T) {
	c, _ := against(t, machine.Client, conn.Options{})
	w, err := c.Writer(bg, conn.Text)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, strings.Repeat("x", 5000))
	c.CloseNow()
	if _, err := io.WriteString(w, strings.Repeat("x", 5000)); err != c.Err() {
		t.Error(err)
	}
	if err := w.Close(); err != c.Err() {
		t.Error(err)
	}
	wantClosed(t, c)
}
