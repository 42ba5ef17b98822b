package conn_test

import (
	"context"
	"errors"
	"fmt"
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

func TestWrite_ThatFindsAnotherUnderWay_LeavesItsMessageAndReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := conntest.PipeSize(10)
		defer b.Close()
		c := conn.New(a, conn.Config{Role: machine.Server})
		defer c.CloseNow()
		go c.WriteText(bg, "the first one, longer than the pipe")
		synctest.Wait()
		const more = 50
		for i := range more {
			if err := c.WriteText(bg, fmt.Sprint(i)); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Send(bg, prepared); err != nil {
			t.Fatal(err)
		}
		w := newWire(b)
		w.mustNext(t)
		for i := range more {
			if f := w.mustNext(t); string(f.Payload) != fmt.Sprint(i) {
				t.Fatalf("message %d is %q", i, f.Payload)
			}
		}
		if f := w.mustNext(t); string(f.Payload) != "prepared" {
			t.Fatalf("the last is %q", f.Payload)
		}
		if got := a.Stats().Writes; got != 2 {
			t.Errorf("%d write calls for %d messages, want 2", got, more+2)
		}
	})
}

func TestWrite_WaitsWhenTooMuchIsQueued_AndCanBeGivenUp(t *testing.T) {
	for _, size := range []int{1000, 70000} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, peer := againstSize(t, machine.Server, conn.Options{WriteTimeout: -1, PingEvery: -1}, 10)
				p := make([]byte, size)
				go c.Write(bg, conn.Binary, p)
				synctest.Wait()
				ctx, cancel := context.WithTimeout(bg, time.Minute)
				defer cancel()
				sent := 1
				var err error
				for ; err == nil; sent++ {
					err = c.Write(ctx, conn.Binary, p)
				}
				sent--
				if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, net.ErrClosed) {
					t.Fatalf("after %d messages: %v", sent, err)
				}
				if queued := (sent - 1) * size; queued > 64<<10 {
					t.Errorf("%d bytes were queued", queued)
				}
				if c.Phase() != conn.Open {
					t.Fatal("the connection is not as good as before")
				}
				done := make(chan error)
				go func() { done <- c.WriteText(bg, "last") }()
				w := newWire(peer)
				for range sent {
					if f := w.mustNext(t); len(f.Payload) != size {
						t.Fatalf("%v", f.Header)
					}
				}
				if f := w.mustNext(t); string(f.Payload) != "last" {
					t.Fatalf("%q", f.Payload)
				}
				if err := <-done; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestWrite_ALargeMessage_IsNotOvertakenForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := againstSize(t, machine.Server, conn.Options{WriteTimeout: -1, PingEvery: -1}, 100)
		small := func() { c.Write(bg, conn.Binary, make([]byte, 1000)) }
		go small()
		synctest.Wait()
		large := make(chan error, 1)
		go func() { large <- c.Write(bg, conn.Text, []byte(strings.Repeat("x", 100_000))) }()
		synctest.Wait()
		for range 200 {
			go small() // each would have room in the queue
		}
		synctest.Wait()
		w := newWire(peer)
		for before := 0; ; before++ {
			if f := w.mustNext(t); f.Opcode == frame.OpText {
				if before > 1 {
					t.Errorf("%d messages overtook the large one", before-1)
				}
				break
			}
		}
		for range 200 {
			w.mustNext(t)
		}
		if err := <-large; err != nil {
			t.Error(err)
		}
	})
}

func TestWrite_InAHurry_DoesNotCutTheFramesOfOthers(t *testing.T) {
	for _, size := range []int{100, 70000} {
		synctest.Test(t, func(t *testing.T) {
			c, peer := againstSize(t, machine.Server, conn.Options{}, 10)
			ctx, cancel := context.WithTimeout(bg, time.Second)
			defer cancel()
			hurried := make(chan error)
			go func() { hurried <- c.Write(ctx, conn.Binary, make([]byte, size)) }()
			synctest.Wait()
			if err := c.WriteText(bg, strings.Repeat("x", 100)); err != nil {
				t.Fatal(err)
			}
			w := newWire(peer)
			w.mustNext(t)
			if err := <-hurried; err != nil {
				t.Error(err)
			}
			<-time.After(5 * time.Second) // the deadline passes with the other message half sent
			if f := w.mustNext(t); len(f.Payload) != 100 {
				t.Errorf("%+v", f.Header)
			}
			if err := c.Err(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWrite_ALargeMessageRefused_LetsTheOthersPass(t *testing.T) {
	const small = 50
	for range 30 {
		synctest.Test(t, func(t *testing.T) {
			c, peer := againstSize(t, machine.Server, conn.Options{WriteTimeout: -1, PingEvery: -1}, 10)
			go c.WriteText(bg, strings.Repeat("x", 100))
			synctest.Wait()
			ctx, cancel := context.WithTimeout(bg, time.Second)
			defer cancel()
			refused := make(chan error)
			go func() { refused <- c.Write(ctx, conn.Text, []byte(strings.Repeat("x", 100_000))) }()
			synctest.Wait()
			go func() { refused <- c.Write(bg, 7, make([]byte, 100_000)) }()
			for range small {
				go c.WriteText(bg, "small")
			}
			if err := <-refused; !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			w := newWire(peer)
			w.mustNext(t)
			for range small {
				if f := w.mustNext(t); f.String() != "text small" {
					t.Errorf("%v", f.Header)
				}
			}
			if err := <-refused; err == nil || errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
		})
	}
}
