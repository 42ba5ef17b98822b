package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/server"
)

// whatEnds returns what follows the callback of that name when it ends its
// goroutine, or panics: the notes behind the callback's own, and the wire.
func whatEnds(name string, panics bool) (notes []string, wire []byte) {
	wire = conntest.Hex(`8802 03f3`) // 1011
	switch name {
	case "OnError":
		return []string{"close"}, nil // the fault's 1002
	case "OnClose":
		notes, wire = nil, conntest.Hex(`8802 03e8`) // it had come to an end in order
	default:
		notes = []string{"close"}
	}
	if panics {
		notes = append([]string{"error *server.PanicError"}, notes...)
	}
	return notes, wire
}

func TestService_SurvivesTheEndOfACallback(t *testing.T) {
	ends := map[string]func(*conn.Conn){
		"panic":            func(*conn.Conn) { panic("boom") },
		"panic of the net": func(*conn.Conn) { panic(http.ErrAbortHandler) },
		"index":            func(c *conn.Conn) { _ = c.Subprotocol()[0] },
		"Goexit":           func(*conn.Conn) { runtime.Goexit() },
	}
	for _, cb := range callbacks {
		for name, end := range ends {
			t.Run(cb.name+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					j := new(journal)
					peer, ended := serveRaw(doIn(cb.name, j, end))
					trigger(peer, cb.name, cb.trigger)
					peer.Write(conntest.Hex(`8882 00000000 03f3`))
					<-ended
					after, wire := whatEnds(cb.name, name != "Goexit")
					if lines := j.all(); !slices.Equal(lines[len(lines)-len(after):], after) {
						t.Errorf("got %q, want it to end in %q", lines, after)
					}
					if n := j.count("close"); n != 1 {
						t.Errorf("%d times OnClose: %q", n, j.all())
					}
					got, _ := io.ReadAll(peer)
					if !strings.Contains(string(got), string(wire)) {
						t.Errorf("sent % x, want % x in it", got, wire)
					}
					peer.Close()
				})
			})
		}
	}
}

// The panic comes while a Close from elsewhere reads in the callback's place.
func TestService_SurvivesAPanicDuringAClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := new(journal)
		closed, now := make(chan error, 1), make(chan struct{})
		peer, ended := serveRaw(doIn("OnText", j, func(c *conn.Conn) {
			go func() { closed <- c.Close(4000, "") }()
			<-now
			panic("boom")
		}))
		peer.Write(conntest.Hex(`8181 00000000 "x"`))
		expect(t, peer, conntest.Hex(`8802 0fa0`))
		synctest.Wait() // until Close waits for the answer
		close(now)
		synctest.Wait()
		peer.Write(conntest.Hex(`8181 00000000 "y" 8281 00000000 "z" 8882 00000000 0fa0`))
		<-ended
		if err := <-closed; err != nil || j.count("close") != 1 || j.count("text y") != 0 {
			t.Errorf("Close: %v; %q", err, j.all())
		}
		peer.Close()
	})
}

func TestService_TellsOnErrorOfThePanic(t *testing.T) {
	cause := errors.New("boom")
	reported := make(chan error, 1)
	s := &server.Service{
		OnText:  func(*conn.Conn, conn.Message) (any, error) { panic(cause) },
		OnError: func(_ *conn.Conn, err error) { reported <- err },
		Logger:  quiet(),
	}
	peer, ended := serveRaw(s)
	peer.Write(conntest.Hex(`8180 00000000 8882 00000000 03e8`))
	e, ok := errors.AsType[*server.PanicError](<-reported)
	if !ok || e.Value != cause || !strings.Contains(string(e.Stack), "TestService_TellsOnErrorOfThePanic") {
		t.Errorf("got %+v", e)
	}
	if got, want := e.Error(), "websocket: panic in a callback: boom"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	<-ended
}

// Over net/http too, where a panic would otherwise end the program, and a
// Goexit the goroutine of the request.
func TestService_APanicTouchesNoOtherConnection(t *testing.T) {
	for _, deadly := range []string{"panic", "goexit"} {
		var g server.Group
		s := echo()
		s.Group = &g
		s.OnBinary = func(_ *conn.Conn, m conn.Message) (any, error) {
			if string(m.Data) == "goexit" {
				runtime.Goexit()
			}
			panic("boom")
		}
		l := serveHTTP(t, s)
		victim, other := dial(t, l, nil), dial(t, l, nil)
		if err := victim.Write(t.Context(), conn.Binary, []byte(deadly)); err != nil {
			t.Fatal(err)
		}
		if _, err := victim.Read(t.Context()); conn.CloseStatus(err) != 1011 {
			t.Errorf("%s: the client saw %v, want 1011", deadly, err)
		}
		roundTrip(t, other, "still here")
		late := dial(t, l, nil)
		roundTrip(t, late, "and new ones too")
		go drain(other)
		go drain(late)
		if err := g.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// Whoever reads the log finds each trouble once.
func TestService_LogsEachTroubleOnce(t *testing.T) {
	for _, tt := range []struct {
		name  string
		serve func(t *testing.T, s *server.Service)
		want  []string // in the only line
	}{
		{"refused handshake", func(t *testing.T, s *server.Service) {
			s.Check = func(*http.Request) error { return errors.New("no such user") }
			if _, _, err := tryDial(t, serveHTTP(t, s), nil); err == nil {
				t.Error("accepted")
			}
		}, []string{"level=INFO", "refused", "remote=a", "path=/", "no such user"}},
		{"fault", func(t *testing.T, s *server.Service) {
			peer, ended := serveRaw(s)
			peer.Write(conntest.Hex(`8100`))
			peer.Close()
			<-ended
		}, []string{"level=WARN", "protocol", "remote=a", "§5.1"}},
		{"panic", func(t *testing.T, s *server.Service) {
			s.OnText = func(*conn.Conn, conn.Message) (any, error) { panic("boom") }
			peer, ended := serveRaw(s)
			peer.Write(conntest.Hex(`8180 00000000`))
			peer.Close()
			<-ended
		}, []string{"level=ERROR", "panic=boom", "panic_test.go"}},
		{"panic in OnClose", func(t *testing.T, s *server.Service) {
			s.OnClose = func(*conn.Conn, error) { panic("boom") }
			peer, ended := serveRaw(s)
			peer.Close()
			<-ended
		}, []string{"level=ERROR", "panic=boom"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log, book := logbook()
			tt.serve(t, &server.Service{Logger: log})
			lines := book.lines()
			if len(lines) != 1 {
				t.Errorf("%d lines: %q", len(lines), lines)
			}
			for _, word := range tt.want {
				if !strings.Contains(lines[0], word) {
					t.Errorf("no %q in %q", word, lines[0])
				}
			}
		})
	}
}

func TestService_LogsAPanicInOnError(t *testing.T) {
	log, book := logbook()
	s := &server.Service{Logger: log, OnError: func(*conn.Conn, error) { panic("twice") }}
	peer, ended := serveRaw(s)
	peer.Write(conntest.Hex(`8100`))
	peer.Close()
	<-ended
	if lines := book.lines(); len(lines) != 2 || !strings.Contains(lines[1], "panic=twice") {
		t.Errorf("got %q", lines)
	}
}

func TestService_RepliesWithoutAllocating(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates, and makes pools forget")
	}
	for _, size := range []int{0, 100, 2000} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			s, c := conntest.Pair(conn.Options{PingEvery: -1}, conn.Options{PingEvery: -1})
			go echo().Serve(s, nil)
			defer c.CloseNow()
			ctx := context.Background()
			message, buf := make([]byte, size), make([]byte, 0, size)
			allocs := testing.AllocsPerRun(1000, func() {
				if err := c.Write(ctx, conn.Text, message); err != nil {
					t.Fatal(err)
				}
				m, err := c.ReadInto(ctx, buf)
				if err != nil || len(m.Data) != size {
					t.Fatal(len(m.Data), err)
				}
			})
			if allocs != 0 {
				t.Errorf("%v allocations a message", allocs)
			}
		})
	}
}

// A plain function is a handler too: the ways to accept do not differ in the
// connection that results.
func TestServer_ServesConnectionsAcceptedByHand(t *testing.T) {
	j := new(journal)
	s := recorded(j)
	returned := make(chan struct{})
	l := serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := server.Accept(w, r, &server.Options{Conn: s.ConnOptions()})
		if err != nil {
			t.Error(err)
			return
		}
		s.Serve(c, r)
		close(returned)
	}))
	c := dial(t, l, &client.Options{})
	c.WriteText(t.Context(), "x")
	c.Close(1000, "")
	<-returned
	if diff := cmp.Diff([]string{"open", "text x", "close 1000"}, j.all()); diff != "" {
		t.Error(diff)
	}
}
