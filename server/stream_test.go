package server_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/server"
)

type swans iter.Seq[swan]

// pairs yields values, then an error if there is one.
func pairs[T any](err error, values ...T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range values {
			if !yield(v, nil) {
				return
			}
		}
		if err != nil {
			var none T
			yield(none, err)
		}
	}
}

func TestService_SendsAStreamAsAMessageForEachValue(t *testing.T) {
	for _, tt := range []struct {
		name  string
		reply any
		want  []string
	}{
		{"strings", slices.Values([]string{"Hi Sam", "Hey Sam", "GM Sam"}), []string{"text Hi Sam", "text Hey Sam", "text GM Sam"}},
		{"anything", slices.Values([]any{"a", []byte("b"), 3, nil, swan{Name: "Leda"}}), []string{"text a", "binary b", "text 3", `text {"name":"Leda"}`}},
		{"bytes", slices.Values([][]byte{[]byte("a"), []byte("b")}), []string{"binary a", "binary b"}},
		{"structs", slices.Values([]swan{{"Leda", 1}, {"Zeus", 2}}), []string{`text {"name":"Leda","age":1}`, `text {"name":"Zeus","age":2}`}},
		{"messages", slices.Values([]conn.Message{{Type: conn.Binary, Data: []byte("a")}}), []string{"binary a"}},
		{"of a type with a name", swans(slices.Values([]swan{{Name: "Leda"}})), []string{`text {"name":"Leda"}`}},
		{"strings and errors", pairs(nil, "a", "b"), []string{"text a", "text b"}},
		{"anything and errors", pairs[any](nil, "a", 2), []string{"text a", "text 2"}},
		{"structs and errors", pairs(nil, swan{"Leda", 1}), []string{`text {"name":"Leda","age":1}`}},
		{"streams", slices.Values([]iter.Seq[int]{slices.Values([]int{1, 2}), slices.Values([]int{3})}), []string{"text 1", "text 2", "text 3"}},
		{"nothing", slices.Values([]string(nil)), nil},
		{"no strings", iter.Seq[string](nil), nil},
		{"no strings and errors", iter.Seq2[string, error](nil), nil},
		{"no anything and errors", iter.Seq2[any, error](nil), nil},
		{"no structs", iter.Seq[swan](nil), nil},
		{"no structs and errors", iter.Seq2[swan, error](nil), nil},

		{"error", pairs(errors.New("disk full"), "a"), []string{"text a", "close 1011 "}},
		{"error among anything", pairs[any](errors.New("disk full"), "a"), []string{"text a", "close 1011 "}},
		{"error among structs", pairs(errors.New("disk full"), swan{Name: "Leda"}), []string{`text {"name":"Leda"}`, "close 1011 "}},
		{"error of one's own", pairs(error(ticketError{}), "a"), []string{"text a", "close 4003 buy another"}},
		{"error for an element", slices.Values([]any{"a", errors.New("disk full"), "b"}), []string{"text a", "close 1011 "}},
		{"what is no JSON", slices.Values([]any{"a", func() {}, "b"}), []string{"text a", "close 1011 "}},
		{"panic", iter.Seq[string](func(yield func(string) bool) { yield("a"); panic("boom") }), []string{"text a", "close 1011 "}},
		{"panic among structs", iter.Seq[swan](func(yield func(swan) bool) { yield(swan{}); panic("boom") }), []string{`text {"name":""}`, "close 1011 "}},
		{"pairs of something else", iter.Seq2[int, string](func(func(int, string) bool) {}), []string{"close 1011 "}},

		{"CloseFrame", slices.Values([]any{"a", server.CloseFrame{Code: 4000, Reason: "bye"}, "b"}), []string{"text a", "close 4000 bye"}},
		{"CloseFrame for an error", pairs(error(server.CloseFrame{Code: 4000, Reason: "bye"}), "a"), []string{"text a", "close 4000 bye"}},
		{"wrapped CloseFrame", pairs(fmt.Errorf("%w", server.CloseFrame{Code: 4000}), "a"), []string{"text a", "close 4000 "}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := new(journal)
			s := &server.Service{
				OnText:   func(*conn.Conn, conn.Message) (any, error) { return tt.reply, nil },
				OnBinary: func(_ *conn.Conn, m conn.Message) (any, error) { return "then " + string(m.Data), nil },
				OnError:  func(_ *conn.Conn, err error) { j.note("%v", err) },
				OnClose:  func(*conn.Conn, error) { j.note("close") },
			}
			c, ended := served(t, s)
			say(t, c, "x")
			wantHeard(t, c, tt.want...)
			fails := len(tt.want) > 0 && strings.HasPrefix(tt.want[len(tt.want)-1], "close")
			if !fails { // it goes on
				c.Write(t.Context(), conn.Binary, []byte("y"))
				wantHeard(t, c, "text then y")
			}
			c.CloseNow()
			<-ended
			want := 1
			if fails && tt.name != "CloseFrame" && tt.name != "CloseFrame for an error" {
				want = 2
			}
			if got := j.all(); len(got) != want || got[want-1] != "close" {
				t.Errorf("reported: %q", got)
			}
		})
	}
}

// A message that comes while a stream is under way is answered there and then.
func TestService_AnswersInTheMiddleOfAStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, ended := served(t, answering(func(c *conn.Conn, m conn.Message) (any, error) {
			if string(m.Data) != "count" {
				return m, nil
			}
			return iter.Seq[int](func(yield func(int) bool) {
				for i := range 3 {
					<-time.After(time.Second)
					if !yield(i) {
						return
					}
				}
			}), nil
		}))
		say(t, c, "count", "a")
		wantHeard(t, c, "text a", "text 0")
		say(t, c, "b")
		wantHeard(t, c, "text b", "text 1")
		say(t, c, "c")
		wantHeard(t, c, "text c", "text 2")
		say(t, c, "count", "d")
		wantHeard(t, c, "text d", "text 0", "text 1", "text 2")
		c.CloseNow()
		<-ended
	})
}

// A stream goes no further than the peer reads.
func TestService_AStreamWaitsForThePeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size, total = 10_000, 1000
		yielded := 0
		s := replying(iter.Seq[[]byte](func(yield func([]byte) bool) {
			for ; yielded < total; yielded++ {
				if !yield(make([]byte, size)) {
					return
				}
			}
		}))
		s.Conn.WriteTimeout = -1
		c, ended := served(t, s)
		say(t, c, "x")
		<-time.After(time.Hour)
		synctest.Wait()
		// What fits in the pipe, what is being written and what is queued.
		if most := (conntest.DefaultPipeSize+128<<10)/size + 2; yielded > most {
			t.Errorf("%d values were taken that nobody reads, want %d at the most", yielded, most)
		}
		for range total {
			if m, err := c.Read(t.Context()); err != nil || len(m.Data) != size {
				t.Fatal(len(m.Data), err)
			}
		}
		c.Close(1000, "")
		<-ended
	})
}

// A stream ends with its connection, and Serve after both.
func TestService_AStreamEndsWithItsConnection(t *testing.T) {
	for name, end := range map[string]func(there, c *conn.Conn){
		"the peer closes":  func(_, c *conn.Conn) { c.Close(1000, "") },
		"the peer is gone": func(_, c *conn.Conn) { c.CloseNow() },
		"Close":            func(there, c *conn.Conn) { go drain(c); there.Close(1000, "") },
		"CloseNow":         func(there, _ *conn.Conn) { there.CloseNow() },
	} {
		for _, blocks := range []bool{false, true} { // in the stream, or in writing
			t.Run(fmt.Sprintf("%s/blocks=%v", name, blocks), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					j := new(journal)
					var there *conn.Conn
					s := answering(func(c *conn.Conn, _ conn.Message) (any, error) {
						there = c
						return iter.Seq2[any, error](func(yield func(any, error) bool) {
							for yield(make([]byte, 100<<10), nil) {
								if blocks {
									<-time.After(time.Second)
								}
							}
							j.note("stream ended")
						}), nil
					})
					s.OnError = func(_ *conn.Conn, err error) { j.note("error %v", err) }
					s.OnClose = func(*conn.Conn, error) { j.note("close") }
					c, ended := served(t, s)
					say(t, c, "x")
					<-time.After(1500 * time.Millisecond)
					end(there, c)
					<-ended
					if j.count("stream ended") != 1 || j.count("close") != 1 || len(j.all()) != 2 {
						t.Errorf("%q", j.all())
					}
				})
			})
		}
	}
}

// What goes wrong in a stream after the end is logged; OnError is not called after
// OnClose.
func TestService_AStreamThatPanicsAfterTheEnd_IsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, book := logbook()
		s := replying(iter.Seq[string](func(yield func(string) bool) {
			<-time.After(time.Minute)
			panic("boom")
		}))
		s.Logger = log
		s.OnError = func(_ *conn.Conn, err error) { t.Errorf("OnError(%v)", err) }
		c, ended := served(t, s)
		say(t, c, "x")
		c.Close(1000, "")
		<-ended
		if lines := book.lines(); len(lines) != 1 || !strings.Contains(lines[0], "panic=boom") {
			t.Errorf("logged %q", lines)
		}
	})
}

// OnError hears of a stream's failure when no other callback runs.
func TestService_AStreamsErrorWaitsForTheCallbackThatRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := new(journal)
		c, ended := served(t, &server.Service{
			OnText: func(_ *conn.Conn, m conn.Message) (any, error) {
				if string(m.Data) == "stream" {
					return pairs(errors.New("disk full"), "a"), nil
				}
				j.note("slow")
				<-time.After(5 * time.Second)
				j.note("over")
				return nil, nil
			},
			OnError: func(*conn.Conn, error) { j.note("error") },
		})
		say(t, c, "stream", "slow", "never handled")
		wantHeard(t, c, "text a", "close 1011 ")
		<-ended
		switch got := strings.Join(j.all(), " "); got {
		case "slow over error", "error": // if the stream was quicker, what came is not handled
		default:
			t.Error(got)
		}
	})
}

// A peer cannot have any number of streams: the 101st holds up the callbacks behind it
// until it has ended, and nothing else.
func TestService_StreamsAreNotMoreThanAHundred(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const asked = 130
		free := make(chan struct{})
		var running, most atomic.Int32
		c, ended := served(t, answering(func(c *conn.Conn, m conn.Message) (any, error) {
			name := string(m.Data)
			return iter.Seq[string](func(yield func(string) bool) {
				most.Store(max(most.Load(), running.Add(1)))
				defer running.Add(-1)
				select {
				case <-free:
					yield(name)
				case <-c.Done():
				}
			}), nil
		}))
		for i := range asked - 20 { // some of these wait
			say(t, c, fmt.Sprint(i))
		}
		<-time.After(time.Second)
		synctest.Wait()
		if running.Load() != 101 {
			t.Errorf("%d streams, want 100 and the one that holds up the others", running.Load())
		}
		go drain(c)
		if _, err := c.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		for i := range 20 {
			go c.WriteText(context.Background(), fmt.Sprint(i))
		}
		<-time.After(time.Second)
		close(free)
		<-time.After(time.Second)
		if running.Load() != 0 || most.Load() != 101 {
			t.Errorf("%d streams are left of %d", running.Load(), most.Load())
		}
		c.CloseNow()
		<-ended
	})
}
