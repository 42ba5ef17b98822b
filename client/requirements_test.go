package client_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
)

// located is a stream that knows where it leads.
type located struct {
	net.Conn
	addr string
}

func (l located) RemoteAddr() net.Addr { return location(l.addr) }

type location string

func (location) Network() string  { return "tcp" }
func (l location) String() string { return string(l) }

// R6, R7: turns are for an address. Through a proxy "the client SHOULD limit the
// total number of simultaneous pending connections" (§4.1 item 2); since the
// address is then the proxy's, there is one at a time through each.
func TestClient_Serialized_TakesTurnsByAddress(t *testing.T) {
	for _, tt := range []struct {
		name, proxy string
		most        int32
		took        time.Duration
	}{
		{"three servers", "", 3, time.Second},
		{"three servers behind a proxy", "http://proxy.test", 1, 3 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var now, most atomic.Int32
				s := slow(&now, &most)
				if tt.proxy != "" {
					s = connectProxy(nil, s)
				}
				o := reach(t, s)
				o.Serialize = true
				if tt.proxy != "" {
					o.Proxy = through(tt.proxy)
				}
				inner := o.DialContext
				o.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
					nc, err := inner(ctx, network, addr)
					return located{nc, addr}, err
				}
				start := time.Now()
				var dials sync.WaitGroup
				for i := range 3 {
					dials.Go(func() {
						c, _, err := client.Dial(t.Context(), fmt.Sprintf("ws://h%d.test/", i), o)
						if err != nil {
							t.Error(err)
							return
						}
						c.CloseNow()
					})
				}
				dials.Wait()
				if took := time.Since(start); most.Load() != tt.most || took != tt.took {
					t.Errorf("%d at a time, in %v, want %d in %v", most.Load(), took, tt.most, tt.took)
				}
			})
		})
	}
}

// R108, R110: a lost connection is reported as such, once and for all. Nothing is
// opened again behind the application's back.
func TestClient_DoesNotReopenWhatIsLost(t *testing.T) {
	for name, end := range map[string]func(nc *conntest.Conn){
		"ended": func(nc *conntest.Conn) { nc.Close() },
		"reset": func(nc *conntest.Conn) { nc.Reset() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o, n := reachEach(t, func(string) server {
					return func(nc net.Conn) {
						r, err := readRequest(nc)
						if err != nil {
							t.Error(err)
							return
						}
						respond(nc, r, accepted+string(conntest.Hex(`8105 "Hello"`)))
						synctest.Wait() // until the client has read that
						end(nc.(*conntest.Conn))
					}
				})
				c, _ := dial(t, "ws://example.test/", o)
				if m, err := c.Read(t.Context()); err != nil || string(m.Data) != "Hello" {
					t.Errorf("got %q, %v", m.Data, err)
				}
				_, lost := c.Read(t.Context())
				if conn.CloseStatus(lost) != 1006 {
					t.Errorf("got %v, want 1006", lost)
				}
				<-time.After(time.Hour)
				if _, err := c.Read(t.Context()); err != lost {
					t.Errorf("a later read: %v", err)
				}
				if err := c.WriteText(t.Context(), "x"); err != lost {
					t.Errorf("a later write: %v", err)
				}
				if c.Phase() != conn.Closed || n.addresses() != "example.test:80" {
					t.Errorf("%v, dialed %q", c.Phase(), n.addresses())
				}
			})
		})
	}
}
