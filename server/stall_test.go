package server_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/frame"
	"github.com/swan-ws/websocket/server"
)

var (
	flood = conntest.Hex(`8185 00000000 "flood"`)
	hello = conntest.Hex(`8185 00000000 "hello"`)
	back  = conntest.Hex(`8105 "hello"`)
)

// fill writes until that fails: the system's buffers are full before.
func fill(c *conn.Conn) error {
	p := make([]byte, 1<<20)
	for {
		if err := c.Write(context.Background(), conn.Binary, p); err != nil {
			return err
		}
	}
}

// victims are so many connections that each poller of an event loop has some of them,
// and of any others.
func victims() int { return 2 * runtime.GOMAXPROCS(0) }

// hail has a message echoed on each of the connections.
func hail(t *testing.T, others []net.Conn) {
	t.Helper()
	for _, nc := range others {
		nc.SetDeadline(time.Now().Add(patience))
		nc.Write(hello)
		wantBytes(t, nc, back)
	}
}

func rawTCPs(t *testing.T, n int, addr net.Addr) (all []net.Conn) {
	for range n {
		all = append(all, rawTCP(t, addr))
	}
	return all
}

// eachMode calls test with a goroutine for each connection and with an event loop.
func eachMode(t *testing.T, test func(t *testing.T, eventLoop bool)) {
	for _, eventLoop := range []bool{false, true} {
		t.Run(fmt.Sprint("loop ", eventLoop), func(t *testing.T) { test(t, eventLoop) })
	}
}

// Callbacks that write to peers who do not read wait for these, and hold up nobody else.
func TestService_PeersThatDoNotRead_HoldUpNobodyElse(t *testing.T) {
	eachMode(t, func(t *testing.T, eventLoop bool) {
		filling, gone := make(chan struct{}, victims()), make(chan error, victims())
		s := echo()
		s.EventLoop, s.Conn.WriteTimeout = eventLoop, -1
		quick := s.OnText
		s.OnText = func(c *conn.Conn, m conn.Message) (any, error) {
			if string(m.Data) != "flood" {
				return quick(c, m)
			}
			filling <- struct{}{}
			gone <- fill(c)
			return nil, nil
		}
		addr := serveTCP(t, s)
		stuck, others := rawTCPs(t, victims(), addr), rawTCPs(t, victims(), addr)
		for _, nc := range stuck {
			nc.Write(flood)
		}
		for range stuck {
			<-filling
		}
		for range 20 {
			hail(t, others)
		}
		if len(gone) > 0 {
			t.Errorf("one of them has been given up: %v", <-gone)
		}
		for _, nc := range stuck {
			nc.Close()
		}
		for range stuck {
			if err := <-gone; conn.CloseStatus(err) != 1006 {
				t.Error(err)
			}
		}
	})
}

// A peer that does not read is given up after WriteTimeout, whoever writes, and others do
// not notice: those of a Service without one, so that a busy machine is not taken for a
// slow peer.
func TestService_APeerThatDoesNotRead_IsGivenUpAfterTheWriteTimeout(t *testing.T) {
	for _, who := range []string{"the callback", "somebody else"} {
		t.Run(who, func(t *testing.T) {
			eachMode(t, func(t *testing.T, eventLoop bool) {
				s, wrote := echo(), make(chan error, victims())
				s.Conn.WriteTimeout = 30 * time.Millisecond
				s.OnText = func(c *conn.Conn, m conn.Message) (any, error) {
					if who == "the callback" {
						wrote <- fill(c)
					} else {
						go func() { wrote <- fill(c) }()
					}
					return nil, nil
				}
				wantAllCut(t, s, eventLoop, wrote, os.ErrDeadlineExceeded, 1006)
			})
		})
	}
}

// So is one with whom no message has passed for IdleTimeout: that a write waits for it
// is no sign of life.
func TestService_APeerThatDoesNotRead_IsIdle(t *testing.T) {
	eachMode(t, func(t *testing.T, eventLoop bool) {
		s, wrote := echo(), make(chan error, victims())
		s.Conn.IdleTimeout, s.Conn.CloseTimeout, s.Conn.WriteTimeout = 30*time.Millisecond, 30*time.Millisecond, -1
		s.OnOpen = func(c *conn.Conn, _ *http.Request) error {
			go func() { wrote <- fill(c) }()
			return nil
		}
		wantAllCut(t, s, eventLoop, wrote, conn.ErrIdleTimeout, 1001)
	})
}

// wantAllCut has s fill connections, and wants it to end them for that reason, while
// those of another Service go on.
func wantAllCut(t *testing.T, s *server.Service, eventLoop bool, wrote chan error, cause error, code frame.CloseCode) {
	t.Helper()
	closed := make(chan error, victims())
	s.OnClose = func(_ *conn.Conn, err error) { closed <- err }
	other := echo()
	s.EventLoop, other.EventLoop = eventLoop, eventLoop
	others := rawTCPs(t, victims(), serveTCP(t, other))
	for _, nc := range rawTCPs(t, victims(), serveTCP(t, s)) {
		nc.Write(flood)
	}
	for n := 0; n < victims(); {
		hail(t, others)
		select {
		case err := <-closed:
			n++
			for _, err := range []error{err, <-wrote} {
				e, ok := errors.AsType[*conn.CloseError](err)
				if !ok || e.Code != code || !errors.Is(err, cause) {
					t.Errorf("got %v, want %d for %v", err, code, cause)
				}
			}
		default:
		}
	}
}

// Peers that stop at every byte of a frame, its header above all, hold up nobody; and
// when they go on, so does the message.
func TestService_PeersThatStopInsideAFrame_HoldUpNobodyElse(t *testing.T) {
	eachMode(t, func(t *testing.T, eventLoop bool) {
		s := echo()
		s.EventLoop = eventLoop
		addr := serveTCP(t, s)
		others := rawTCPs(t, victims(), addr)
		payload := make([]byte, 70_000)
		for i := range payload {
			payload[i] = 'x'
		}
		frames := [][]byte{
			hello,
			append(conntest.Hex(`81FE 00C8 00000000`), payload[:200]...),
			append(conntest.Hex(`81FF 0000000000011170 00000000`), payload...),
		}
		echoes := [][]byte{
			back,
			append(conntest.Hex(`817E 00C8`), payload[:200]...),
			append(conntest.Hex(`817F 0000000000011170`), payload...),
		}
		var stuck []net.Conn
		for _, f := range frames {
			for at := 1; at <= 15 && at < len(f); at++ {
				nc := rawTCP(t, addr)
				nc.Write(f[:at])
				stuck = append(stuck, nc)
			}
		}
		for range 5 {
			hail(t, others)
		}
		for i, f := range frames {
			for at := 1; at <= 15 && at < len(f); at++ {
				nc := stuck[0]
				stuck = stuck[1:]
				nc.SetDeadline(time.Now().Add(patience))
				nc.Write(f[at:])
				wantBytes(t, nc, echoes[i])
			}
		}
	})
}
