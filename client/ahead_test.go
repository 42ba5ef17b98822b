package client_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/frame"
)

// pair returns a connection whose server end is s, for whoever reads it.
func pair(t testing.TB) (s, c *conn.Conn) {
	quiet := conn.Options{PingEvery: -1}
	s, c = conntest.Pair(quiet, quiet)
	t.Cleanup(func() { s.CloseNow(); c.CloseNow() })
	return s, c
}

// While the application is busy elsewhere, the peer is answered, and so is a Ping
// of the application's.
func TestReadAhead_AnswersWhileNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := pair(t)
		client.ReadAhead(c, 1)
		go readAll(s)
		for range 100 {
			if rtt, err := s.Ping(t.Context()); err != nil || rtt != 0 {
				t.Fatalf("the peer's Ping took %v, %v", rtt, err)
			}
			<-time.After(100 * time.Millisecond)
		}
		if _, err := c.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		if err := s.Close(frame.CloseNormal, "bye"); err != nil {
			t.Errorf("the peer's Close: %v", err)
		}
		synctest.Wait()
		if c.Phase() != conn.Closed || conn.CloseStatus(c.Err()) != frame.CloseNormal {
			t.Errorf("%v: %v", c.Phase(), c.Err())
		}
	})
}

// What has been read ahead is not lost with the connection, nor is what was still on
// the way.
func TestReadAhead_KeepsWhatCameBeforeTheEnd(t *testing.T) {
	for _, n := range []int{-1, 0, 1, 2, 5, 100} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, c := pair(t)
				a := client.ReadAhead(c, n)
				var want []string
				for i := range 5 {
					want = append(want, fmt.Sprint(i))
					s.WriteText(t.Context(), want[i])
				}
				s.StartClose(frame.CloseGoingAway, "")
				synctest.Wait()
				var got []string
				for m, err := range a.Messages(t.Context()) {
					if err != nil {
						if conn.CloseStatus(err) != frame.CloseGoingAway {
							t.Error(err)
						}
						break
					}
					got = append(got, string(m.Data))
				}
				if !slices.Equal(got, want) {
					t.Errorf("got %q", got)
				}
				for range 3 {
					if _, err := a.Read(t.Context()); conn.CloseStatus(err) != frame.CloseGoingAway {
						t.Errorf("a later read: %v", err)
					}
				}
			})
		})
	}
}

func TestReadAhead_ReadsNoMoreThanItMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := pair(t)
		a := client.ReadAhead(c, 3)
		text := strings.Repeat("x", 30<<10) // two of them fill the pipe
		sent := 0
		var mu sync.Mutex
		go func() {
			for s.WriteText(context.Background(), text) == nil {
				mu.Lock()
				sent++
				mu.Unlock()
			}
		}()
		count := func() int {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			return sent
		}
		before := count()
		if before < 3 || before > 6 {
			t.Errorf("%d messages are read or on the way", before)
		}
		for range 10 {
			if m, err := a.Read(t.Context()); err != nil || string(m.Data) != text {
				t.Fatalf("%d bytes, %v", len(m.Data), err)
			}
		}
		if after := count(); after != before+10 {
			t.Errorf("%d messages, want %d", after, before+10)
		}
	})
}

func TestReadAhead_GivesUpAReadWithoutALoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := pair(t)
		a := client.ReadAhead(c, 2)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := a.Read(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		s.WriteText(t.Context(), "Hello")
		if m, err := a.Read(t.Context()); err != nil || string(m.Data) != "Hello" {
			t.Errorf("got %q, %v", m.Data, err)
		}
	})
}

// Many may read: each message goes to one of them, and the end to all.
func TestReadAhead_SharesMessagesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := pair(t)
		a := client.ReadAhead(c, 4)
		var mu sync.Mutex
		got := map[string]int{}
		var readers sync.WaitGroup
		for range 5 {
			readers.Go(func() {
				for m, err := range a.Messages(t.Context()) {
					if err != nil {
						if conn.CloseStatus(err) != frame.CloseNormal {
							t.Error(err)
						}
						return
					}
					mu.Lock()
					got[string(m.Data)]++
					mu.Unlock()
				}
			})
		}
		for i := range 100 {
			s.WriteText(t.Context(), fmt.Sprint(i))
		}
		s.Close(frame.CloseNormal, "")
		readers.Wait()
		for text, times := range got {
			if times != 1 {
				t.Errorf("%s came %d times", text, times)
			}
		}
		if len(got) != 100 {
			t.Errorf("%d messages", len(got))
		}
	})
}

// The application can close while messages wait.
func TestReadAhead_EndsWithAClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := pair(t)
		go readAll(s)
		a := client.ReadAhead(c, 1)
		s.WriteText(t.Context(), "one")
		s.WriteText(t.Context(), "two")
		synctest.Wait()
		if err := c.Close(frame.CloseNormal, ""); err != nil {
			t.Error(err)
		}
		if m, err := a.Read(t.Context()); err != nil || string(m.Data) != "one" {
			t.Errorf("got %q, %v", m.Data, err)
		}
		if _, err := a.Read(t.Context()); conn.CloseStatus(err) != frame.CloseNormal {
			t.Errorf("got %v", err)
		}
	})
}

func TestReadAhead_StopsWhenTheLoopDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := pair(t)
		a := client.ReadAhead(c, 4)
		s.WriteText(t.Context(), "one")
		s.WriteText(t.Context(), "two")
		for m, err := range a.Messages(t.Context()) {
			if err != nil || string(m.Data) != "one" {
				t.Errorf("got %q, %v", m.Data, err)
			}
			break
		}
		if m, err := a.Read(t.Context()); err != nil || string(m.Data) != "two" {
			t.Errorf("got %q, %v", m.Data, err)
		}
	})
}

func TestReadAhead_AfterCloseNow_StillGivesWhatHadCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := pair(t)
		want := []string{"one", "two", "three"}
		for _, text := range want {
			s.WriteText(t.Context(), text)
		}
		a := client.ReadAhead(c, 1)
		synctest.Wait()
		c.CloseNow()
		synctest.Wait()
		for _, text := range want {
			if m, err := a.Read(t.Context()); err != nil || string(m.Data) != text {
				t.Errorf("got %q, %v, want %q", m.Data, err, text)
			}
		}
		if _, err := a.Read(t.Context()); conn.CloseStatus(err) != frame.CloseAbnormal {
			t.Errorf("got %v", err)
		}
	})
}
