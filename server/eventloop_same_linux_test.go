package server_test

import (
	"net/http"
	"runtime"
	"slices"
	"testing"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/server"
)

func TestEventLoop_AServiceLeavesTheRequestAtOnce(t *testing.T) {
	opening, release, left := make(chan struct{}), make(chan struct{}), make(chan struct{})
	s := echo()
	s.EventLoop = true
	s.OnOpen = func(*conn.Conn, *http.Request) error {
		close(opening)
		<-release
		return nil
	}
	c := mustDial(t, overTCP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.ServeHTTP(w, r)
		close(left)
	}), false))
	<-opening
	<-left
	close(release)
	roundTrip(t, c, "hello")
}

// Whoever ends the goroutine of a callback gets OnClose, and no OnError, as without it.
func TestEventLoop_ACallbackThatEndsItsGoroutine_IsClosedAsWithout(t *testing.T) {
	for _, where := range []string{"OnOpen", "OnText", "OnPing", "OnClose"} {
		var told [2][]string
		for i, eventLoop := range []bool{false, true} {
			j, opened, over := new(journal), make(chan struct{}), make(chan struct{})
			exit := func(in string) {
				j.note("%s", in)
				if in == where {
					runtime.Goexit()
				}
			}
			s := &server.Service{
				EventLoop: eventLoop,
				OnOpen: func(*conn.Conn, *http.Request) error {
					defer close(opened)
					exit("OnOpen")
					return nil
				},
				OnText: func(*conn.Conn, conn.Message) (any, error) { exit("OnText"); return nil, nil },
				OnPing: func(*conn.Conn, []byte) []byte { exit("OnPing"); return nil },
				OnError: func(_ *conn.Conn, err error) {
					if where != "OnPing" { // which may be met while OnOpen is about to return, and told of then
						j.note("OnError %v", err)
					}
				},
				OnClose: func(_ *conn.Conn, err error) {
					j.note("%d", conn.CloseStatus(err))
					defer close(over)
					exit("OnClose")
				},
				Logger: quiet(),
			}
			c := mustDial(t, overTCP(t, s, false))
			<-opened
			switch where { // one of them alone: a Ping may be met while another callback runs
			case "OnText":
				c.WriteText(t.Context(), "one")
			case "OnPing":
				c.SendPing(t.Context(), nil)
			case "OnClose":
				c.Close(1000, "")
			}
			drain(c)
			<-over
			told[i] = j.all()
		}
		if !slices.Equal(told[0], told[1]) {
			t.Errorf("in %s:\n%q without,\n%q with the loop", where, told[0], told[1])
		}
	}
}
