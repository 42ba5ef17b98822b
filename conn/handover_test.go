package conn_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
)

// noPings keeps the fake clock to what a test does.
var noPings = conn.Options{PingEvery: -1}

func TestClose_ReadsOn_WhereAReaderStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := conntest.Pair(noPings, noPings)
		go drain(s)
		ctx, stop := context.WithCancel(t.Context())
		go func() {
			for range c.Messages(ctx) {
			}
		}()
		synctest.Wait() // until it reads
		closed := make(chan error)
		start := time.Now()
		go func() { closed <- c.Close(frame.CloseNormal, "") }()
		stop()
		if err := <-closed; err != nil || time.Since(start) > time.Second {
			t.Errorf("Close: %v after %v", err, time.Since(start))
		}
	})
}

// A callback that is not the reader's own would run beside one that is, and its
// panic would end the program.
func TestClose_CallsNoHookForWhatItReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var pings atomic.Int32
		o := noPings
		o.OnPing = func(*conn.Conn, []byte) { pings.Add(1) }
		s, c := conntest.Pair(o, noPings)
		c.WriteText(t.Context(), "hold on")
		for range s.Messages(t.Context()) {
			rtt := make(chan error, 1)
			go func() {
				_, err := c.Ping(t.Context())
				rtt <- err
			}()
			go drain(c)
			synctest.Wait()
			if err := s.Close(frame.CloseNormal, ""); err != nil {
				t.Error(err)
			}
			if err := <-rtt; err != nil && pings.Load() == 0 {
				t.Log("the ping was met by the Close:", err)
			}
			break
		}
		if n := pings.Load(); n != 0 {
			t.Errorf("OnPing was called %d times", n)
		}
	})
}

func TestRead_GivesUp_WhileCloseReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := conntest.Pair(noPings, noPings)
		defer s.CloseNow()
		go c.Close(frame.CloseNormal, "") // s does not answer
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if _, err := c.Read(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
		<-c.Done()
	})
}

// slowToClose fails its writes and takes its time to close.
type slowToClose struct {
	net.Conn
	closing, mayClose chan struct{}
}

func (s slowToClose) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func (s slowToClose) Close() error {
	close(s.closing)
	<-s.mayClose
	return s.Conn.Close()
}

func TestWrite_ThatFails_SaysSo_WhileAnotherGoroutineCloses(t *testing.T) {
	a, b := conntest.Pipe()
	defer b.Close()
	stream := slowToClose{a, make(chan struct{}), make(chan struct{})}
	c := conn.New(stream, conn.Config{Role: machine.Server})
	go c.CloseNow()
	<-stream.closing
	if err := c.WriteText(t.Context(), "lost"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
	close(stream.mayClose)
	<-c.Done()
}

func TestWrite_WithoutAContext_HarmsNobodyElse(t *testing.T) {
	s, c := conntest.Pair(conn.Options{}, conn.Options{})
	defer s.CloseNow()
	defer c.CloseNow()
	for name, call := range map[string]func(){
		"Write": func() { c.Write(nil, conn.Binary, nil) },            //lint:ignore SA1012 that is the test
		"Send":  func() { c.Send(nil, conn.Prepare(conn.Text, nil)) }, //lint:ignore SA1012 that is the test
		"Ping":  func() { c.Ping(nil) },                               //lint:ignore SA1012 that is the test
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s took a nil context", name)
				}
			}()
			call()
		}()
		if err := c.WriteText(t.Context(), name); err != nil {
			t.Errorf("after %s: %v", name, err)
		}
		if m, err := s.Read(t.Context()); string(m.Data) != name {
			t.Errorf("after %s: %q, %v", name, m.Data, err)
		}
	}
}

// lateTimer is a context whose deadline has passed before its timer has fired.
type lateTimer struct{ context.Context }

func (lateTimer) Deadline() (time.Time, bool) { return time.Unix(1, 0), true }

func TestWrite_AfterItsDeadline_SendsNothingAndLosesNothing(t *testing.T) {
	s, c := conntest.Pair(conn.Options{}, conn.Options{})
	defer s.CloseNow()
	defer c.CloseNow()
	if err := c.WriteText(lateTimer{t.Context()}, "late"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if err := c.WriteText(t.Context(), "next"); err != nil {
		t.Error(err)
	}
	if m, err := s.Read(t.Context()); string(m.Data) != "next" {
		t.Errorf("got %q, %v", m.Data, err)
	}
}

func TestWrite_WhereAWriterIsOpen_DoesNotWaitForItAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := conntest.Pair(noPings, noPings)
		defer s.CloseNow()
		w, err := c.Writer(t.Context(), conn.Text)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		go c.Close(frame.CloseNormal, "")
		synctest.Wait()
		start := time.Now()
		if err := c.WriteText(t.Context(), "x"); conn.CloseStatus(err) != frame.CloseNormal || time.Since(start) > 0 {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
		c.CloseNow()
	})
}

func TestWriteTimeout_IsForASlice_NotForALargeMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := conntest.PipeSize(64 << 10)
		c := conn.New(a, conn.Config{Role: machine.Server, Options: conn.Options{PingEvery: -1, WriteTimeout: 2 * time.Second}})
		gone := make(chan struct{})
		go func() { // a steady peer: 1 MiB a second
			defer close(gone)
			buf := make([]byte, 64<<10)
			for {
				if _, err := io.ReadFull(b, buf); err != nil {
					return
				}
				<-time.After(time.Second / 16)
			}
		}()
		if err := c.Write(t.Context(), conn.Binary, make([]byte, 8<<20)); err != nil {
			t.Error(err)
		}
		c.CloseNow()
		b.Close()
		<-gone
	})
}

func TestIdleTimeout_PostponedByPieces_AndByWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := conntest.Pair(conn.Options{PingEvery: -1, IdleTimeout: 3 * time.Second}, noPings)
		go drain(c)
		go func() { // 10 s for one message
			w, _ := c.Writer(t.Context(), conn.Binary)
			for range 5 {
				w.Write(make([]byte, 5000))
				<-time.After(2 * time.Second)
			}
			w.Close()
		}()
		start := time.Now()
		for m, err := range s.Messages(t.Context()) {
			if err != nil {
				if !errors.Is(err, conn.ErrIdleTimeout) || time.Since(start) < 20*time.Second {
					t.Errorf("%v after %v", err, time.Since(start))
				}
				break
			}
			if len(m.Data) != 25000 {
				t.Errorf("%d bytes", len(m.Data))
			}
			<-time.After(10 * time.Second) // work
		}
		<-s.Done()
	})
}
