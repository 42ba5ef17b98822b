package server_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/server"
)

// Three messages that come at once, and their echoes.
var (
	threeAtOnce = conntest.Hex(`8181 00000000 "1" 8181 00000000 "2" 8181 00000000 "3"`)
	firstTwo    = conntest.Hex(`8101 "1" 8101 "2"`)
	third       = conntest.Hex(`8101 "3"`)
)

// slowThird is a Service that echoes, by what it returns or by Write, and waits for slow
// before the third.
func slowThird(writes bool, slow func()) *server.Service {
	return &server.Service{
		OnText: func(c *conn.Conn, m conn.Message) (any, error) {
			if string(m.Data) == "3" {
				slow()
			}
			if writes {
				return nil, c.Write(c.Context(), m.Type, m.Data)
			}
			return m, nil
		},
		Logger: quiet(),
	}
}

func TestService_ASlowCallback_HoldsNoReplyLongerThanAMillisecond(t *testing.T) {
	for _, writes := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			peer, ended := serveRaw(slowThird(writes, func() { <-time.After(time.Second) }))
			start := time.Now()
			peer.Write(threeAtOnce)
			expect(t, peer, firstTwo)
			if took := time.Since(start); took > time.Millisecond {
				t.Errorf("writes %v: the replies before took %v", writes, took)
			}
			expect(t, peer, third)
			if took := time.Since(start); took < time.Second || took > time.Second+time.Millisecond {
				t.Errorf("writes %v: the slow one took %v", writes, took)
			}
			peer.Close()
			<-ended
		})
	}
}

// The same with sockets, with a goroutine for the connection and without: the replies
// are there while the slow callback still runs.
func TestService_ASlowCallback_HoldsNoReplyUntilItEnds(t *testing.T) {
	for _, eventLoop := range []bool{false, true} {
		for _, writes := range []bool{false, true} {
			t.Run(fmt.Sprintf("loop %v, writes %v", eventLoop, writes), func(t *testing.T) {
				release := make(chan struct{})
				s := slowThird(writes, func() { <-release })
				s.EventLoop = eventLoop
				peer := rawTCP(t, serveTCP(t, s))
				peer.Write(threeAtOnce)
				wantBytes(t, peer, firstTwo)
				close(release)
				wantBytes(t, peer, third)
			})
		}
	}
}
