package conn_test

import (
	"bytes"
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

// sizes are those at which something changes on the way: the header's length, the
// read buffer, the gathering of writes, the pieces that a client masks.
var sizes = []int{0, 1, 125, 126, 127, 4081, 4096, 4097, 16383, 16384, 16385, 65535, 65536, 65537, 131073, 1 << 20}

func TestMessages_OfEverySize_ArriveWhole_BothWays(t *testing.T) {
	s, c := pair(t, conn.Options{})
	for _, ends := range []struct {
		name     string
		from, to *conn.Conn
	}{{"server to client", s, c}, {"client to server", c, s}} {
		for _, size := range sizes {
			t.Run(fmt.Sprint(ends.name, " ", size), func(t *testing.T) {
				want := strings.Repeat("é"[:size%2+size%2], 1) + strings.Repeat("x", max(0, size-2*(size%2)))
				for name, write := range writes {
					sent := make(chan error, 1)
					go func() { sent <- write(ends.from, want) }()
					m, err := ends.to.Read(t.Context())
					wantMessage(t, m, err, conn.Text, want)
					if err := <-sent; err != nil {
						t.Fatalf("%s: %v", name, err)
					}
				}
			})
		}
	}
}

// writes are all ways to send a text message.
var writes = map[string]func(c *conn.Conn, s string) error{
	"Write":     func(c *conn.Conn, s string) error { return c.Write(bg, conn.Text, []byte(s)) },
	"WriteText": func(c *conn.Conn, s string) error { return c.WriteText(bg, s) },
	"Send":      func(c *conn.Conn, s string) error { return c.Send(bg, conn.Prepare(conn.Text, []byte(s))) },
	"Writer": func(c *conn.Conn, s string) error {
		w, err := c.Writer(bg, conn.Text)
		if err != nil {
			return err
		}
		if _, err := io.Copy(w, strings.NewReader(s)); err != nil {
			return err
		}
		return w.Close()
	},
}

// reads are all ways to read a whole message.
var reads = map[string]func(ctx context.Context, c *conn.Conn) (conn.Message, error){
	"Read": func(ctx context.Context, c *conn.Conn) (conn.Message, error) { return c.Read(ctx) },
	"ReadInto": func(ctx context.Context, c *conn.Conn) (conn.Message, error) {
		buf := bytes.Repeat([]byte("old"), 10)
		m, err := c.ReadInto(ctx, buf)
		if err != nil {
			copy(buf, "the caller's again, and overwritten")
		}
		return m, err
	},
	"Messages": func(ctx context.Context, c *conn.Conn) (conn.Message, error) {
		for m, err := range c.Messages(ctx) {
			m.Data = bytes.Clone(m.Data)
			return m, err
		}
		return conn.Message{}, errors.New("no turn of the loop")
	},
	"Reader": func(ctx context.Context, c *conn.Conn) (conn.Message, error) {
		t, r, err := c.Reader(ctx)
		if err != nil {
			return conn.Message{}, err
		}
		p, err := io.ReadAll(r)
		return conn.Message{Type: t, Data: p}, err
	},
}

func TestRead_OfFragments_IsOneMessage_AndTheNextFollows(t *testing.T) {
	for _, role := range roles {
		for name, read := range reads {
			t.Run(fmt.Sprint(role, " ", name), func(t *testing.T) {
				c, peer := against(t, role, conn.Options{})
				for _, f := range [][]byte{
					to(role, text, ""), to(role, continuation, "sw"), to(role, pingFrame, "?"),
					to(role, continuation, "a"), to(role, pongFrame, "!"), to(role, fin|continuation, "n"),
					to(role, fin|binaryData, ""), to(role, fin|binaryData, "lake"),
				} {
					mustWrite(t, peer, f)
				}
				m, err := read(t.Context(), c)
				wantMessage(t, m, err, conn.Text, "swan")
				m, err = read(t.Context(), c)
				wantMessage(t, m, err, conn.Binary, "")
				m, err = read(t.Context(), c)
				wantMessage(t, m, err, conn.Binary, "lake")
			})
		}
	}
}

func TestRead_GivesTheSame_HoweverTheBytesAreCut(t *testing.T) {
	for _, size := range []int{1, 2, 3, 7, 4095} {
		for name, read := range reads {
			t.Run(fmt.Sprint(name, " ", size), func(t *testing.T) {
				a, b := conntest.Pipe()
				c := conn.New(conntest.Chop(a, size), conn.Config{Role: machine.Client})
				defer c.CloseNow()
				long := strings.Repeat("swan", 3000)
				mustWrite(t, b, to(machine.Client, text, long))
				mustWrite(t, b, to(machine.Client, fin|continuation, long))
				mustWrite(t, b, to(machine.Client, fin|binaryData, "lake"))
				m, err := read(bg, c)
				wantMessage(t, m, err, conn.Text, long+long)
				m, err = read(bg, c)
				wantMessage(t, m, err, conn.Binary, "lake")
			})
		}
	}
}

func TestRead_Data_BelongsToTheCaller(t *testing.T) {
	c, peer := against(t, machine.Client, conn.Options{})
	mustWrite(t, peer, append(to(machine.Client, fin|text, "first"), to(machine.Client, fin|text, "other")...))
	first, err := c.Read(bg)
	wantMessage(t, first, err, conn.Text, "first")
	first.Data = append(first.Data[:0], "OTHER"...)
	other, err := c.Read(bg)
	wantMessage(t, other, err, conn.Text, "other")
	wantMessage(t, first, nil, conn.Text, "OTHER")
}

func TestReadInto_UsesTheBuffer_AndEnlargesIt(t *testing.T) {
	c, peer := against(t, machine.Client, conn.Options{})
	for _, tc := range []struct {
		name string
		size int
		room int
	}{
		{"room", 10, 20},
		{"exactly room", 20, 20},
		{"no room", 21, 20},
		{"much and room", 9000, 9000},
		{"much and no room", 9000, 20},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want := strings.Repeat("x", tc.size)
			mustWrite(t, peer, to(machine.Client, fin|binaryData, want))
			buf := make([]byte, tc.room)
			m, err := c.ReadInto(bg, buf)
			wantMessage(t, m, err, conn.Binary, want)
			if shares := &m.Data[0] == &buf[0]; shares != (tc.size <= tc.room) {
				t.Errorf("shares the buffer: %v", shares)
			}
		})
	}
}

func TestReads_AllocateNothing(t *testing.T) {
	if raceDetector {
		t.Skip("sync.Pool forgets under the race detector")
	}
	buf := make([]byte, 20000)
	var loop func() conn.Message
	for _, tc := range []struct {
		name string
		read func(c *conn.Conn) conn.Message
	}{
		{"ReadInto", func(c *conn.Conn) conn.Message {
			m, _ := c.ReadInto(bg, buf)
			return m
		}},
		{"Messages", func(*conn.Conn) conn.Message { return loop() }},
	} {
		for _, role := range roles {
			for _, size := range []int{0, 32, 4096, 20000} {
				t.Run(fmt.Sprint(tc.name, " ", role, " ", size), func(t *testing.T) {
					c, peer := against(t, role, conn.Options{})
					wire := to(role, fin|binaryData, strings.Repeat("x", size))
					stop := func() {}
					if tc.name == "Messages" {
						loop, stop = pullMessages(c)
					}
					defer stop()
					var m conn.Message
					allocs := testing.AllocsPerRun(100, func() {
						peer.Write(wire)
						m = tc.read(c)
					})
					if len(m.Data) != size || allocs != 0 {
						t.Errorf("%v allocations for %d bytes", allocs, len(m.Data))
					}
				})
			}
		}
	}
}

// pullMessages runs one Messages loop and gives out a message a call.
func pullMessages(c *conn.Conn) (next func() conn.Message, stop func()) {
	messages, turn, ended := make(chan conn.Message), make(chan bool), make(chan bool)
	go func() {
		defer close(ended)
		if !<-turn {
			return
		}
		for m, err := range c.Messages(bg) {
			if err != nil {
				return
			}
			messages <- m
			if !<-turn {
				return
			}
		}
	}()
	return func() conn.Message {
			turn <- true
			return <-messages
		}, func() {
			turn <- false
			<-ended
		}
}

func TestMessages_LeavesTheRest_WhenTheLoopIsLeft(t *testing.T) {
	for _, role := range roles {
		c, peer := against(t, role, conn.Options{})
		for i := range 9 {
			mustWrite(t, peer, to(role, fin|text, fmt.Sprint(i)))
		}
		want := 0
		for range 3 {
			for m, err := range c.Messages(bg) {
				wantMessage(t, m, err, conn.Text, fmt.Sprint(want))
				if want++; want%3 == 0 {
					break
				}
			}
		}
	}
}

func TestMessages_PanicInTheLoop_LeavesTheConnectionReadable(t *testing.T) {
	c, peer := against(t, machine.Server, conn.Options{})
	mustWrite(t, peer, to(machine.Server, fin|text, "one"))
	mustWrite(t, peer, to(machine.Server, fin|text, "two"))
	func() {
		defer func() { _ = recover() }()
		for range c.Messages(bg) {
			panic("in the loop's body")
		}
	}()
	m, err := c.Read(bg)
	wantMessage(t, m, err, conn.Text, "two")
}

func TestMessages_EndsAfterTheFirstError(t *testing.T) {
	c, peer := against(t, machine.Client, conn.Options{})
	mustWrite(t, peer, to(machine.Client, fin|text, "one"))
	mustWrite(t, peer, closeTo(machine.Client, frame.CloseNormal, "bye"))
	peer.CloseWrite()
	turns, errs := 0, 0
	for _, err := range c.Messages(bg) {
		if turns++; err != nil {
			errs++
		}
	}
	if turns != 2 || errs != 1 {
		t.Errorf("%d turns with %d errors", turns, errs)
	}
}

func TestRead_InPlace_FailsWhereTextIsNotUTF8(t *testing.T) {
	role := machine.Client
	c, peer := against(t, role, conn.Options{})
	mustWrite(t, peer, to(role, fin|text, strings.Repeat("x", 9000)+"\xff"))
	peer.CloseWrite()
	if _, err := c.Read(bg); conn.CloseStatus(err) != frame.CloseInvalidPayload {
		t.Error(err)
	}
	wantClosed(t, c)
}

func TestRead_WhileAnotherReads_SaysSo(t *testing.T) {
	c, peer := against(t, machine.Client, conn.Options{})
	mustWrite(t, peer, to(machine.Client, fin|text, "one"))
	mustWrite(t, peer, to(machine.Client, fin|text, "two"))
	for range c.Messages(bg) {
		for name, read := range reads {
			if _, err := read(bg, c); err == nil || !strings.Contains(err.Error(), "one at a time") {
				t.Errorf("%s inside a loop of Messages: %v", name, err)
			}
		}
		break
	}
	_, r, err := c.Reader(bg)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); string(got) != "two" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestRead_FindsWhatCameWithTheHandshake(t *testing.T) {
	for _, role := range roles {
		for _, extra := range []int{0, 1, 10000} {
			a, b := conntest.Pipe()
			long := strings.Repeat("x", extra)
			came := append(to(role, fin|text, "hello"), to(role, fin|text, long)...)
			c := conn.New(a, conn.Config{Role: role, Buffered: came[:len(came)-1]})
			last := came[len(came)-1:]
			for i := range came[:len(came)-1] {
				came[i] = 0xff // they were copied
			}
			m, err := c.Read(bg)
			wantMessage(t, m, err, conn.Text, "hello")
			mustWrite(t, b, last)
			m, err = c.Read(bg)
			wantMessage(t, m, err, conn.Text, long)
			c.CloseNow()
		}
	}
}

func TestJSON_GoesThereAndBack(t *testing.T) {
	type bird struct {
		Name string
		Legs int
	}
	s, c := pair(t, conn.Options{})
	if err := c.WriteJSON(bg, bird{"swan", 2}); err != nil {
		t.Fatal(err)
	}
	var got bird
	if err := s.ReadJSON(bg, &got); err != nil || got != (bird{"swan", 2}) {
		t.Errorf("%v, %v", got, err)
	}
	if err := c.WriteJSON(bg, func() {}); err == nil || !strings.Contains(err.Error(), "message not sent") {
		t.Errorf("a func as JSON: %v", err)
	}
	if err := c.WriteText(bg, "{"); err != nil {
		t.Fatal(err)
	}
	if err := s.ReadJSON(bg, &got); err == nil || !strings.Contains(err.Error(), "text message of 1 bytes") {
		t.Errorf("half an object: %v", err)
	}
	if err := c.Write(bg, conn.Binary, []byte(`{"Name":"cygnet"}`)); err != nil {
		t.Fatal(err)
	}
	if err := s.ReadJSON(bg, &got); err != nil || got.Name != "cygnet" {
		t.Errorf("after a message that was no JSON: %v, %v", got, err)
	}
	c.CloseNow()
	if err := s.ReadJSON(bg, &got); conn.CloseStatus(err) != frame.CloseAbnormal {
		t.Error(err)
	}
}
