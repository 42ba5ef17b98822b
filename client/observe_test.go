package client_test

import (
	"context"
	"net"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
)

// Of each attempt that fails, with the server's status if there is one.
func TestObserver_IsToldOfEachDialThatFails(t *testing.T) {
	const refusal = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
	for _, tt := range []struct {
		name   string
		server server
		url    string
		want   []int
	}{
		{"refusal", answer(refusal), "ws://example.test/", []int{503, 503, 503}},
		{"answer that breaks a rule", answer(withHeader("Sec-WebSocket-Protocol: none")), "ws://example.test/", []int{101}},
		{"no answer", func(nc net.Conn) { readRequest(nc) }, "ws://example.test/", []int{0, 0, 0}},
		{"bad URL", nil, "http://[", []int{0}},
		{"none", answer(accepted), "ws://example.test/", nil},
	} {
		for _, how := range []string{"Dial", "Keep"} {
			t.Run(tt.name+"/"+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var told []int
					var open, ended int
					o := reach(t, tt.server)
					o.Retry = &client.Retry{MaxCount: 2}
					o.Conn.Observer = &conn.Observer{
						Opened: func(*conn.Conn) { open++ },
						Ended:  func(*conn.Conn, conn.End) { ended++ },
						Refused: func(status int, err error) {
							if told = append(told, status); err == nil {
								t.Error("no reason")
							}
						},
					}
					if how == "Keep" {
						client.Keep(t.Context(), tt.url, o, func(context.Context, *conn.Conn) error { return nil })
					} else if c, _, err := client.Dial(t.Context(), tt.url, o); err == nil {
						c.Close(1000, "")
					}
					if !slices.Equal(told, tt.want) || open != ended || open+len(told) == 0 {
						t.Errorf("told %v, want %v; opened %d, ended %d", told, tt.want, open, ended)
					}
				})
			})
		}
	}
}

func TestObserver_IsToldWhatIsReadAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var waiting []int
		o := conn.Options{PingEvery: -1, Observer: &conn.Observer{
			Waiting: func(_ *conn.Conn, n int) { waiting = append(waiting, n) },
		}}
		s, c := conntest.Pair(conn.Options{PingEvery: -1}, o)
		defer s.CloseNow()
		defer c.CloseNow()
		a := client.ReadAhead(c, 3)
		for range 5 {
			s.WriteText(t.Context(), "swan")
		}
		synctest.Wait()
		if !slices.Equal(waiting, []int{1, 2, 3}) {
			t.Errorf("waiting %v", waiting)
		}
		a.Read(t.Context())
		synctest.Wait()
		if waiting[len(waiting)-1] != 3 {
			t.Errorf("waiting %v", waiting)
		}
	})
}
