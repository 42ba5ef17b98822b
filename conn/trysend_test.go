package conn_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
)

func numbered(n, size int) (ms []*conn.Prepared) {
	for i := range n {
		ms = append(ms, conn.Prepare(conn.Text, []byte(fmt.Sprint(i, strings.Repeat("x", size)))))
	}
	return ms
}

// Over anything and in either role: what it says that it has sent arrives, in order.
func TestTrySend_SendsWhatItSays(t *testing.T) {
	for _, size := range []int{10, 10_000, 100_000} {
		for _, role := range roles {
			for name, streams := range map[string]func() (io.ReadWriteCloser, io.ReadWriteCloser){
				"pipe": func() (io.ReadWriteCloser, io.ReadWriteCloser) { return conntest.Pipe() },
				"TCP":  func() (io.ReadWriteCloser, io.ReadWriteCloser) { return loopback(t) },
			} {
				t.Run(fmt.Sprintf("%s/%v/%d", name, role, size), func(t *testing.T) {
					ours, theirs := streams()
					c := conn.New(ours, conn.Config{Role: role, Options: quiet})
					peer := conn.New(theirs, conn.Config{Role: 1 - role, Options: quiet})
					defer c.CloseNow()
					defer peer.CloseNow()
					ms := numbered(100, size)
					go func() {
						for sent := 0; sent < len(ms); {
							n, err := c.TrySend(ms[sent:]...)
							if err != nil || n == 0 && c.Ready(bg) != nil {
								t.Error(err)
								return
							}
							sent += n
						}
					}()
					for _, want := range ms {
						m, err := peer.Read(bg)
						wantMessage(t, m, err, conn.Text, string(want.Message().Data))
					}
				})
			}
		}
	}
}

// It waits neither for the peer nor for who is writing.
func TestTrySend_NeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := againstSize(t, machine.Server, conn.Options{WriteTimeout: -1, PingEvery: -1}, 10)
		ms := numbered(5, 100)
		if n, err := c.TrySend(ms...); n != 5 || err != nil {
			t.Fatal(n, err)
		}
		synctest.Wait()
		for range 3 {
			if n, err := c.TrySend(ms...); n != 0 || err != nil {
				t.Fatal(n, err)
			}
		}
		ready := make(chan error)
		go func() { ready <- c.Ready(bg) }()
		w := newWire(peer)
		for i := range 5 {
			if f := w.mustNext(t); !strings.HasPrefix(string(f.Payload), fmt.Sprint(i)) {
				t.Fatalf("message %d is %q", i, f.Payload)
			}
		}
		if err := <-ready; err != nil {
			t.Error(err)
		}
		if n, err := c.TrySend(ms[:1]...); n != 1 || err != nil {
			t.Error(n, err)
		}
		w.mustNext(t)
	})
}

// A message in pieces is not cut.
func TestTrySend_DoesNotCutAMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := against(t, machine.Server, quiet)
		w, err := c.Writer(bg, conn.Text)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := c.TrySend(prepared); n != 0 || err != nil {
			t.Error(n, err)
		}
		ready := make(chan error, 1)
		go func() { ready <- c.Ready(bg) }()
		synctest.Wait()
		select {
		case <-ready:
			t.Error("ready in the midst of a message")
		default:
		}
		w.Close()
		if err := <-ready; err != nil {
			t.Error(err)
		}
		if n, err := c.TrySend(prepared); n != 1 || err != nil {
			t.Error(n, err)
		}
		wire := newWire(peer)
		for f := wire.mustNext(t); string(f.Payload) != "prepared"; f = wire.mustNext(t) {
		}
	})
}

func TestTrySend_SaysWhyNothingCanBeSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, end := range []func(c *conn.Conn){
			func(c *conn.Conn) { c.CloseNow() },
			func(c *conn.Conn) { c.StartClose(frame.CloseNormal, "") },
		} {
			c, _ := against(t, machine.Server, quiet)
			end(c)
			if n, err := c.TrySend(prepared); n != 0 || !errors.Is(err, net.ErrClosed) {
				t.Error(n, err)
			}
			if err := c.Ready(bg); !errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
		}
		c, _ := against(t, machine.Server, quiet)
		bad := conn.Prepare(conn.Text, []byte{0xff})
		if n, err := c.TrySend(prepared, bad); n != 1 || err != nil {
			t.Error(n, err)
		}
		synctest.Wait()
		for _, m := range []*conn.Prepared{bad, nil} {
			if n, err := c.TrySend(m); n != 0 || err == nil {
				t.Error(n, err)
			}
		}
		if n, err := c.TrySend(); n != 0 || err != nil {
			t.Error(n, err)
		}
	})
}

// What the peer does not take is given up after WriteTimeout, as with any write.
func TestTrySend_GivesUpAPeerThatTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := againstSize(t, machine.Server, conn.Options{PingEvery: -1}, 10)
		start := time.Now()
		c.TrySend(numbered(1, 100)...)
		if err := c.Ready(bg); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		if took := time.Since(start); took < conn.DefaultWriteTimeout || took > 2*conn.DefaultWriteTimeout {
			t.Errorf("after %v", took)
		}
	})
}
