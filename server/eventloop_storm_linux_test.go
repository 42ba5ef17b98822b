package server_test

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/server"
)

// Clients that write a little or a lot and end as they like, callbacks that wait, write
// and close: messages are handled in order, none beside another, and each connection
// is opened and closed once.
func TestEventLoop_InAStorm_NothingIsLost(t *testing.T) {
	const many = 40
	var open atomic.Int32
	closed := make(chan struct{}, 2*many)
	type nextKey struct{}
	s := &server.Service{EventLoop: true, Logger: quiet(), Waiting: 3}
	s.OnOpen = func(c *conn.Conn, _ *http.Request) error {
		open.Add(1)
		c.Set(nextKey{}, new(uint32))
		return nil
	}
	s.OnBinary = func(c *conn.Conn, m conn.Message) (any, error) {
		next := c.Value(nextKey{}).(*uint32) // the race detector sees two at a time
		if n := binary.BigEndian.Uint32(m.Data); n != *next {
			t.Errorf("message %d instead of %d", n, *next)
		}
		*next++
		switch m.Data[4] % 16 {
		case 0:
			<-time.After(12 * time.Millisecond)
		case 1:
			if *next > 30 {
				c.CloseNow()
			}
		case 2:
			if *next > 30 {
				go c.Close(4000, "")
			}
		}
		return nil, c.Write(c.Context(), m.Type, m.Data)
	}
	s.OnClose = func(*conn.Conn, error) { closed <- struct{}{} }
	dial := overTCP(t, s, false)
	var all sync.WaitGroup
	for who := range uint64(many) {
		all.Go(func() {
			c, err := dial()
			if err != nil {
				t.Error(err)
				return
			}
			defer c.CloseNow()
			random := rand.New(rand.NewPCG(who, 1))
			sent := uint32(random.IntN(60))
			go func() {
				for n := range sent {
					p := make([]byte, 5+random.IntN(1+random.IntN(1<<(4+random.IntN(13)))))
					binary.BigEndian.PutUint32(p, n)
					p[4] = byte(random.Uint32())
					if c.Write(context.Background(), conn.Binary, p) != nil {
						return
					}
				}
			}()
			for n := range sent {
				m, err := c.Read(t.Context())
				if err != nil {
					if sent <= 30 { // or it was cut, with what was under way
						t.Errorf("after %d of %d: %v", n, sent, err)
					}
					return
				}
				if got := binary.BigEndian.Uint32(m.Data); got != n {
					t.Errorf("%d came back instead of %d", got, n)
				}
			}
			if who%2 == 0 {
				c.Close(1000, "")
			}
		})
	}
	all.Wait()
	for range many {
		<-closed
	}
	if n := open.Load(); n != many || len(closed) > 0 {
		t.Errorf("%d opened, and %d closed twice", n, len(closed))
	}
}
