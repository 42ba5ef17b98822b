package client_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/client"
)

// slow takes a second over each handshake, and counts those it has at a time.
func slow(now, most *atomic.Int32) server {
	return func(nc net.Conn) {
		r, err := readRequest(nc)
		if err != nil {
			return
		}
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		<-time.After(time.Second)
		now.Add(-1)
		respond(nc, r, accepted)
		untilClosed(nc)
	}
}

// "There MUST be no more than one connection in a CONNECTING state" (§4.1), to
// those who ask for it.
func TestClient_SerializesHandshakes(t *testing.T) {
	for _, tt := range []struct {
		serialize bool
		most      int32
		took      time.Duration
	}{{true, 1, 10 * time.Second}, {false, 10, time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			var now, most atomic.Int32
			o := reach(t, slow(&now, &most))
			o.Serialize = tt.serialize
			o.HandshakeTimeout = time.Minute
			start := time.Now()
			var dials sync.WaitGroup
			for range 10 {
				dials.Go(func() {
					c, _, err := client.Dial(t.Context(), "ws://example.test/", o)
					if err != nil {
						t.Error(err)
						return
					}
					c.CloseNow()
				})
			}
			dials.Wait()
			if took := time.Since(start); most.Load() != tt.most || took != tt.took {
				t.Errorf("Serialize %v: %d at a time, in %v", tt.serialize, most.Load(), took)
			}
		})
	}
}

// Whoever waits for a turn does so within ctx, and leaves without a trace.
func TestClient_WaitsForItsTurnInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := reach(t, func(nc net.Conn) { untilClosed(nc) })
		o.Serialize = true
		o.HandshakeTimeout = 8 * time.Second
		first := make(chan error, 1)
		go func() {
			_, _, err := client.Dial(context.Background(), "ws://example.test/", o)
			first <- err
		}()
		synctest.Wait()
		dials := watchDials(o)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		start := time.Now()
		if _, _, err := client.Dial(ctx, "ws://example.test/", o); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if !dials()[0].isClosed() {
			t.Error("the stream is still open")
		}
		if err := <-first; !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 8*time.Second {
			t.Errorf("the first: %v after %v", err, time.Since(start))
		}
		o.DialContext = reach(t, answer(accepted)).DialContext
		c, _ := dial(t, "ws://example.test/", o) // the turn was given back
		c.CloseNow()
	})
}

// nowhere is a stream that does not know where it leads.
type nowhere struct{ net.Conn }

func (nowhere) RemoteAddr() net.Addr { return nil }

func TestClient_SerializesWithoutAnAddress(t *testing.T) {
	o := reach(t, answer(accepted))
	inner := o.DialContext
	o.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		nc, err := inner(ctx, network, addr)
		return nowhere{nc}, err
	}
	o.Serialize = true
	dial(t, "ws://example.test/", o)
}
