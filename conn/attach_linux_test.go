package conn_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
	"github.com/swan-ws/websocket/internal/loop"
)

// looped returns a server's connection in an event loop, and its peer.
func looped(t *testing.T, o conn.Options) (s *conn.Conn, c *conn.Conn) {
	t.Helper()
	sc, cc := loopback(t)
	socket, err := loop.Take(sc)
	if err != nil {
		t.Fatal(err)
	}
	s = conn.New(socket, conn.Config{Options: o})
	c = conn.New(cc, conn.Config{Role: machine.Client, Options: conn.Options{MaxMessage: -1}})
	t.Cleanup(func() {
		s.CloseNow()
		c.CloseNow()
	})
	return s, c
}

func TestAttach_HandlesOneMessageAfterTheOther_AndTheEnd(t *testing.T) {
	s, c := looped(t, conn.Options{MaxMessage: -1})
	began, ended := false, make(chan error, 2)
	back := func(m conn.Message) bool { return began && s.Write(bg, m.Type, m.Data) == nil }
	if !s.Attach(4, func() bool { began = true; return true }, back, func(err error) { ended <- err }) {
		t.Fatal("it is no event stream")
	}
	for _, size := range sizes {
		want := strings.Repeat("x", size)
		wrote := make(chan error, 1)
		go func() { wrote <- c.WriteText(bg, want) }()
		m, err := c.Read(t.Context())
		wantMessage(t, m, err, conn.Text, want)
		if err := <-wrote; err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Read(bg); err == nil || !strings.Contains(err.Error(), "one at a time") {
		t.Errorf("a read beside it: %v", err)
	}
	if err := c.Close(4001, "bye"); err != nil {
		t.Error(err)
	}
	if err := <-ended; conn.CloseStatus(err) != 4001 {
		t.Error(err)
	}
	if s.RemoteAddr() == nil || s.RemoteAddr().String() != c.LocalAddr().String() {
		t.Errorf("the peer is %v", s.RemoteAddr())
	}
}

func TestAttach_ToAStreamWithoutEvents_DoesNothing(t *testing.T) {
	s, _ := pair(t, conn.Options{})
	if s.Attach(1, nil, func(conn.Message) bool { return true }, func(error) { t.Error("it ended") }) {
		t.Error("it is attached")
	}
}

// Whatever ends the connection is told to end, once.
func TestAttach_EndsOnce(t *testing.T) {
	for name, tc := range map[string]struct {
		end  func(s, c *conn.Conn)
		want func(error) bool
	}{
		"closed elsewhere": {
			func(s, c *conn.Conn) {
				go drain(c)
				s.Close(frame.CloseGoingAway, "")
			},
			func(err error) bool { return conn.CloseStatus(err) == frame.CloseGoingAway },
		},
		"cut elsewhere": {
			func(s, _ *conn.Conn) { s.CloseNow() },
			func(err error) bool { return conn.CloseStatus(err) == frame.CloseAbnormal },
		},
		"closed in a callback": {
			func(_, c *conn.Conn) {
				c.WriteText(bg, "close")
				drain(c)
			},
			func(err error) bool { return conn.CloseStatus(err) == 4002 },
		},
		"given up in a callback": {
			func(_, c *conn.Conn) { c.WriteText(bg, "stop") },
			func(err error) bool { return err == nil },
		},
		"a callback ends its goroutine": {
			func(_, c *conn.Conn) { c.WriteText(bg, "exit") },
			func(err error) bool { return err == nil },
		},
		"the peer has gone": {
			func(_, c *conn.Conn) { c.CloseNow() },
			func(err error) bool { return conn.CloseStatus(err) == frame.CloseAbnormal },
		},
		"begin says no": {
			func(_, c *conn.Conn) {},
			func(err error) bool { return err == nil },
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, c := looped(t, conn.Options{})
			ended := make(chan error, 2)
			begin := func() bool { return name != "begin says no" }
			s.Attach(4, begin, func(m conn.Message) bool {
				switch string(m.Data) {
				case "close":
					s.Close(4002, "")
				case "exit":
					runtime.Goexit()
				}
				return string(m.Data) != "stop"
			}, func(err error) { ended <- err })
			tc.end(s, c)
			if err := <-ended; !tc.want(err) {
				t.Error(err)
			}
			s.CloseNow()
			c.CloseNow()
			if len(ended) > 0 {
				t.Errorf("and again: %v", <-ended)
			}
		})
	}
}

func TestAttach_WhileACallbackIsSlow_OthersReadOn(t *testing.T) {
	const waiting = 3
	s, c := looped(t, conn.Options{})
	var got []string
	at, release := make(chan struct{}, 20), make(chan struct{})
	ended := make(chan error, 1)
	s.Attach(waiting, nil, func(m conn.Message) bool {
		got = append(got, string(m.Data))
		at <- struct{}{}
		<-release
		return true
	}, func(err error) { ended <- err })
	c.WriteText(bg, "0")
	<-at
	go drain(c)
	var want []string
	for n := range waiting + 2 {
		if _, err := c.Ping(t.Context()); n < waiting && err != nil {
			t.Fatal(err)
		}
		if n < waiting-1 {
			c.WriteText(bg, fmt.Sprint(n+1))
		}
	}
	for n := range waiting {
		want = append(want, fmt.Sprint(n))
	}
	go c.Close(4003, "")
	<-c.Done() // the peer's Close is answered, too
	close(release)
	if err := <-ended; conn.CloseStatus(err) != 4003 || strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("handled %v, then %v", got, err)
	}
}

func TestAttach_WithMoreThanMayWait_ReadsAllInOrder(t *testing.T) {
	for _, waiting := range []int{-1, 1, 5} {
		s, c := looped(t, conn.Options{})
		release, ended := make(chan struct{}), make(chan error, 1)
		n := 0
		s.Attach(waiting, nil, func(m conn.Message) bool {
			if string(m.Data) != fmt.Sprint(n) {
				t.Errorf("message %d is %q", n, m.Data)
			}
			n++
			<-release
			return true
		}, func(err error) { ended <- err })
		const all = 200
		for n := range all {
			if err := c.WriteText(bg, fmt.Sprint(n)); err != nil {
				t.Fatal(err)
			}
		}
		close(release)
		if err := c.Close(1000, ""); err != nil {
			t.Error(err)
		}
		if <-ended; n != all {
			t.Errorf("%d messages", n)
		}
	}
}
