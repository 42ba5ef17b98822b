package client_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
)

// write writes text and wants no error.
func write(t testing.TB, o *client.Outbox, text string) {
	t.Helper()
	if err := o.Write(t.Context(), conn.Text, []byte(text)); err != nil {
		t.Errorf("write of %q: %v", text, err)
	}
}

// attach attaches c, whose reader is somebody else, and returns what again was
// called with.
func attach(t testing.TB, o *client.Outbox, c *conn.Conn, yes bool) (asked []string) {
	t.Helper()
	err := o.Attach(t.Context(), c, func(m conn.Message) bool {
		asked = append(asked, string(m.Data))
		return yes
	})
	if err != nil {
		t.Error(err)
	}
	return asked
}

func texts(messages []conn.Message) (all []string) {
	for _, m := range messages {
		all = append(all, string(m.Data))
	}
	return all
}

// receive reads c on and returns what has come whenever it is asked.
func receive(c *conn.Conn) func() []string {
	var mu sync.Mutex
	var all []string
	go func() {
		for m, err := range c.Messages(context.Background()) {
			if err == nil {
				mu.Lock()
				all = append(all, string(m.Data))
				mu.Unlock()
			}
		}
	}()
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
}

func TestOutbox_ReportsWhatWasInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o client.Outbox
		s, c := pair(t)
		go readAll(c)
		received := receive(s)
		attach(t, &o, c, false)
		write(t, &o, "one")
		write(t, &o, "two")
		<-time.After(5 * time.Second) // the Pong has come
		write(t, &o, "three")
		write(t, &o, "four")
		synctest.Wait()
		s.CloseNow() // nobody has told the client that they came
		synctest.Wait()

		s, c = pair(t)
		go readAll(c)
		again := receive(s)
		if asked := attach(t, &o, c, true); !slices.Equal(asked, []string{"three", "four"}) {
			t.Errorf("asked about %q", asked)
		}
		write(t, &o, "five")
		synctest.Wait()
		if got := received(); !slices.Equal(got, []string{"one", "two", "three", "four"}) {
			t.Errorf("first the peer got %q", got)
		}
		if got := again(); !slices.Equal(got, []string{"three", "four", "five"}) {
			t.Errorf("then the peer got %q", got)
		}
		<-time.After(2 * time.Second)
		if left := o.Unconfirmed(); left != nil {
			t.Errorf("left: %q", texts(left))
		}
	})
}

func TestOutbox_DropsWhatIsNotWantedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o client.Outbox
		s, c := pair(t)
		attach(t, &o, c, false)
		write(t, &o, "one")
		s.CloseNow()
		s, c = pair(t)
		received := receive(s)
		if asked := attach(t, &o, c, false); !slices.Equal(asked, []string{"one"}) {
			t.Errorf("asked about %q", asked)
		}
		write(t, &o, "two")
		synctest.Wait()
		if got := received(); !slices.Equal(got, []string{"two"}) {
			t.Errorf("the peer got %q", got)
		}
		if left := texts(o.Unconfirmed()); !slices.Equal(left, []string{"two"}) {
			t.Errorf("left: %q", left)
		}
		if left := o.Unconfirmed(); left != nil {
			t.Errorf("a second time: %q", texts(left))
		}
	})
}

// A write that fails with its connection is not lost: the next Attach has it.
func TestOutbox_KeepsWhatAWriteCouldNotSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o client.Outbox
		s, c := pair(t)
		attach(t, &o, c, false)
		large := strings.Repeat("x", 200<<10) // more than the pipe holds
		done := make(chan error)
		go func() { done <- o.Write(t.Context(), conn.Text, []byte(large)) }()
		synctest.Wait()
		s.CloseNow()
		if err := <-done; err != nil {
			t.Errorf("the write: %v", err)
		}
		if left := texts(o.Unconfirmed()); !slices.Equal(left, []string{large}) {
			t.Errorf("left: %d messages", len(left))
		}
	})
}

// Write waits for a connection, and lets those go first that were lost.
func TestOutbox_WaitsForAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o client.Outbox
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := o.Write(ctx, conn.Text, []byte("late")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		s, c := pair(t)
		attach(t, &o, c, false)
		write(t, &o, "one")
		s.CloseNow()
		c.CloseNow()
		go write(t, &o, "two")
		synctest.Wait()

		s, c = pair(t)
		received := receive(s)
		asked := 0
		o.Attach(t.Context(), c, func(conn.Message) bool {
			asked++
			synctest.Wait()
			return true
		})
		if asked != 1 {
			t.Errorf("asked about %d messages: one had not been sent at all", asked)
		}
		synctest.Wait()
		if got := received(); !slices.Equal(got, []string{"one", "two"}) {
			t.Errorf("the peer got %q", got)
		}
	})
}

func TestOutbox_RefusesWhatCannotBeSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o client.Outbox
		_, c := pair(t)
		attach(t, &o, c, false)
		if err := o.Write(t.Context(), conn.Text, []byte("\xff")); err == nil {
			t.Error("text that is none")
		}
		if err := o.Write(t.Context(), 7, nil); err == nil {
			t.Error("neither text nor binary")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := o.Write(ctx, conn.Text, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("with a context that has ended: %v", err)
		}
		if left := o.Unconfirmed(); left != nil {
			t.Errorf("left: %q", texts(left))
		}
	})
}

// An older connection may still seem to be there when the next one is.
func TestOutbox_LetsWhatWasLostGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o client.Outbox
		_, c := pair(t)
		attach(t, &o, c, false)
		write(t, &o, "one")
		s, c := pair(t)
		received := receive(s)
		o.Attach(t.Context(), c, func(conn.Message) bool {
			go write(t, &o, "two")
			synctest.Wait()
			return true
		})
		synctest.Wait()
		if got := received(); !slices.Equal(got, []string{"one", "two"}) {
			t.Errorf("the peer got %q", got)
		}
	})
}

// A Pong confirms what went before its Ping, and not what has yet to go, be it new or
// sent again.
func TestOutbox_ConfirmsOnlyWhatWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o client.Outbox
		buf := []byte("one")
		lose := func(s, c *conn.Conn) {
			go readAll(s)
			go readAll(c)
			<-time.After(5 * time.Second)
			c.CloseNow()
			synctest.Wait()
		}
		// blocks makes all other messages wait, but no Ping.
		blocks := func(c *conn.Conn) {
			if _, err := c.Writer(t.Context(), conn.Text); err != nil {
				t.Error(err)
			}
		}
		s, c := pair(t)
		attach(t, &o, c, false)
		write(t, &o, "zero")
		blocks(c)
		go func() {
			if err := o.Write(t.Context(), conn.Text, buf); err != nil {
				t.Error(err)
			}
			copy(buf, "???") // it is the caller's again
		}()
		synctest.Wait()
		lose(s, c)

		_, c = pair(t)
		if asked := attach(t, &o, c, true); !slices.Equal(asked, []string{"one"}) {
			t.Errorf("first asked about %q", asked)
		}
		write(t, &o, "two")
		c.CloseNow()

		s, c = pair(t)
		go o.Attach(t.Context(), c, func(m conn.Message) bool {
			if string(m.Data) == "two" {
				blocks(c)
			}
			return true
		})
		synctest.Wait()
		lose(s, c)

		_, c = pair(t)
		if asked := attach(t, &o, c, true); !slices.Equal(asked, []string{"two"}) {
			t.Errorf("then asked about %q", asked)
		}
	})
}

// A write given up while others have the connection has sent nothing.
func TestOutbox_ForgetsWhatWasGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o client.Outbox
		s, c := pair(t)
		attach(t, &o, c, false)
		w, err := c.Writer(t.Context(), conn.Text) // all others wait
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := o.Write(ctx, conn.Text, []byte("one")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		w.Close()
		if left := o.Unconfirmed(); left != nil || s.Err() != nil {
			t.Errorf("left: %q, %v", texts(left), s.Err())
		}
	})
}

// No more is held than MaxBytes, and Pings make room.
func TestOutbox_WaitsForRoom(t *testing.T) {
	for _, tt := range []struct {
		name      string
		max, size int
		most      int // messages at once
	}{
		{"zero", 0, 100_000, 10},
		{"small", 1000, 72, 5},
		{"a message that is longer", 1000, 2000, 1},
		{"no limit", -1, 100_000, 40},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := client.Outbox{MaxBytes: tt.max}
				s, c := pair(t)
				received := receive(s)
				attach(t, &o, c, false)
				var written sync.WaitGroup
				text := strings.Repeat("x", tt.size)
				for range 40 {
					written.Go(func() { write(t, &o, text) })
				}
				synctest.Wait()
				if n := len(received()); n != tt.most { // nobody reads Pongs
					t.Errorf("%d messages have been sent, want %d", n, tt.most)
				}
				start := time.Now()
				go readAll(c)
				written.Wait()
				if took := time.Since(start); took > 0 {
					t.Errorf("it took %v", took)
				}
				synctest.Wait()
				if n := len(received()); n != 40 {
					t.Errorf("%d messages in the end", n)
				}
			})
		})
	}
}
