package client_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
)

// accept is a server that accepts and hands over the connection, and the stream
// under it. n counts connections from 1.
func accept(t testing.TB, serve func(n int, c *conn.Conn, nc net.Conn)) server {
	var count atomic.Int32
	return func(nc net.Conn) {
		r, err := readRequest(nc)
		if err != nil {
			t.Error(err)
			return
		}
		respond(nc, r, accepted)
		c := conn.New(nc, conn.Config{Role: machine.Server, Options: conn.Options{PingEvery: -1}})
		defer c.CloseNow()
		serve(int(count.Add(1)), c, nc)
	}
}

// readAll reads until the end and returns the code of that.
func readAll(c *conn.Conn) frame.CloseCode {
	for _, err := range c.Messages(context.Background()) {
		if err != nil {
			return conn.CloseStatus(err)
		}
	}
	return 0
}

// until is a session that reads until the end.
func until(_ context.Context, c *conn.Conn) error {
	readAll(c)
	return c.Err()
}

func reset(nc net.Conn) { nc.(*conntest.Conn).Reset() }

func TestKeep_CallsTheSessionForEveryConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := reach(t, accept(t, func(n int, c *conn.Conn, nc net.Conn) {
			m, err := c.Read(t.Context())
			if err != nil || string(m.Data) != "subscribe" {
				t.Errorf("connection %d: %q, %v", n, m.Data, err)
			}
			c.WriteText(t.Context(), fmt.Sprint("Connected ", n))
			synctest.Wait()
			if n < 3 {
				reset(nc)
				return
			}
			if code := readAll(c); code != frame.CloseNormal {
				t.Errorf("the last connection ended with %v", code)
			}
		}))
		var k clock
		k.time(o, never)
		var got []string
		err := client.Keep(t.Context(), "ws://example.test/", o, func(ctx context.Context, c *conn.Conn) error {
			if err := c.WriteText(ctx, "subscribe"); err != nil {
				return err
			}
			for m, err := range c.Messages(ctx) {
				if err != nil {
					return err
				}
				got = append(got, string(m.Data))
				if len(got) == 3 {
					break
				}
			}
			return nil
		})
		if want := []string{"Connected 1", "Connected 2", "Connected 3"}; err != nil || !slices.Equal(got, want) {
			t.Errorf("got %q, %v", got, err)
		}
		for i, wait := range k.waits() {
			if most := time.Second << i; wait < most/2 || wait > most {
				t.Errorf("waited %v, want %v to %v", wait, most/2, most)
			}
		}
	})
}

func TestKeep_ReachesAServerThatComesUpLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := reach(t, accept(t, func(_ int, c *conn.Conn, _ net.Conn) { readAll(c) }))
		o.Retry = &client.Retry{Jitter: -1}
		var k clock
		k.time(o, func(int) error {
			if time.Since(k.start) < 2*time.Second {
				return syscall.ECONNREFUSED
			}
			return nil
		})
		err := client.Keep(t.Context(), "ws://example.test/", o, func(context.Context, *conn.Conn) error { return nil })
		if err != nil || time.Since(k.start) != 3*time.Second {
			t.Errorf("after %v: %v", time.Since(k.start), err)
		}
	})
}

func TestKeep_GivesUpAfterMaxCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := reach(t, nil)
		o.Retry = &client.Retry{MaxCount: 3}
		var k clock
		k.time(o, always(syscall.ECONNREFUSED))
		err := client.Keep(t.Context(), "ws://example.test/", o, until)
		if !errors.Is(err, syscall.ECONNREFUSED) || len(k.at) != 4 {
			t.Errorf("%d dials: %v", len(k.at), err)
		}
	})
}

// What cannot be mended by another connection is returned as it is.
func TestKeep_ReturnsWhatIsFinal(t *testing.T) {
	own := errors.New("out of stock")
	closeWith := func(code frame.CloseCode) func(*conn.Conn) {
		return func(c *conn.Conn) { c.Close(code, "") }
	}
	for _, tt := range []struct {
		name    string
		serve   func(c *conn.Conn)
		session func(context.Context, *conn.Conn) error
		want    func(error) bool
	}{
		{"closed with 1000", closeWith(1000), until, func(err error) bool { return conn.CloseStatus(err) == 1000 }},
		{"closed with 1008", closeWith(1008), until, func(err error) bool { return conn.CloseStatus(err) == 1008 }},
		{"closed with 4001", closeWith(4001), until, func(err error) bool { return conn.CloseStatus(err) == 4001 }},
		{"closed by the session", func(c *conn.Conn) { readAll(c) }, func(_ context.Context, c *conn.Conn) error {
			c.Close(frame.CloseGoingAway, "")
			return c.Err()
		}, func(err error) bool { return conn.CloseStatus(err) == 1001 }},
		{"the session's own error", func(c *conn.Conn) {
			if code := readAll(c); code != frame.CloseGoingAway {
				t.Errorf("the peer was told %v", code)
			}
		}, func(context.Context, *conn.Conn) error { return own }, func(err error) bool { return err == own }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o, n := reachEach(t, func(string) server {
					return accept(t, func(_ int, c *conn.Conn, _ net.Conn) { tt.serve(c) })
				})
				err := client.Keep(t.Context(), "ws://example.test/", o, tt.session)
				if !tt.want(err) || n.addresses() != "example.test:80" {
					t.Errorf("dialed %q: %v", n.addresses(), err)
				}
			})
		})
	}
	t.Run("refused with 403", func(t *testing.T) {
		o, n := reachEach(t, func(string) server { return refusing("HTTP/1.1 403 No\r\n\r\n") })
		err := client.Keep(t.Context(), "ws://example.test/", o, until)
		if asHandshakeError(t, err).Status != 403 || n.addresses() != "example.test:80" {
			t.Errorf("dialed %q: %v", n.addresses(), err)
		}
	})
}

// A server that accepts and hangs up at once is down too, whatever it says.
func TestKeep_BacksOffFromAServerThatHangsUp(t *testing.T) {
	for _, code := range []frame.CloseCode{1001, 1006, 1011, 1012, 1013, 1014} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := reach(t, accept(t, func(_ int, c *conn.Conn, nc net.Conn) {
					if code == frame.CloseAbnormal {
						nc.Close()
						return
					}
					c.Close(code, "")
				}))
				o.Retry = &client.Retry{MaxCount: 4, Jitter: -1}
				var k clock
				k.time(o, never)
				err := client.Keep(t.Context(), "ws://example.test/", o, until)
				const s = time.Second
				if want := []time.Duration{1 * s, 2 * s, 4 * s, 8 * s}; conn.CloseStatus(err) != code || !slices.Equal(k.waits(), want) {
					t.Errorf("waited %v, want %v: %v", k.waits(), want, err)
				}
			})
		})
	}
}

// Once a connection has been of use, counting begins anew.
func TestKeep_CountsAnewAfterAGoodConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		o := reach(t, accept(t, func(n int, c *conn.Conn, nc net.Conn) {
			if n == 10 {
				cancel()
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			c.Read(ctx)
			reset(nc)
		}))
		o.Retry = &client.Retry{MaxCount: 3, Jitter: -1}
		var k clock
		k.time(o, func(n int) error {
			if n%3 != 0 { // two failures before each connection
				return syscall.ECONNREFUSED
			}
			return nil
		})
		err := client.Keep(ctx, "ws://example.test/", o, until)
		if !errors.Is(err, context.Canceled) || len(k.at) != 30 {
			t.Errorf("%d dials: %v", len(k.at), err)
		}
		const s = time.Second
		if want := []time.Duration{1 * s, 2 * s, 61 * s, 2 * s, 4 * s, 61 * s}; !slices.Equal(k.waits()[:6], want) {
			t.Errorf("waited %v, want %v", k.waits()[:6], want)
		}
	})
}

// A feed that should bring something every minute, and is silent, is opened again.
func TestKeep_LeavesAConnectionOnWhichAReadTimedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k clock
		o := reach(t, accept(t, func(n int, c *conn.Conn, _ net.Conn) {
			c.WriteText(t.Context(), "news")
			want := frame.CloseGoingAway
			if n == 3 {
				want = frame.CloseNormal
			}
			if code := readAll(c); code != want {
				t.Errorf("the peer was told %v, want %v", code, want)
			}
		}))
		k.time(o, never)
		o.Retry = &client.Retry{MaxCount: 5}
		messages := 0
		err := client.Keep(t.Context(), "ws://example.test/", o, func(ctx context.Context, c *conn.Conn) error {
			for messages < 3 {
				ctx, cancel := context.WithTimeout(ctx, time.Minute)
				_, err := c.Read(ctx)
				cancel()
				if err != nil {
					return err
				}
				messages++
			}
			return nil
		})
		if err != nil || messages != 3 || len(k.at) != 3 {
			t.Errorf("%d messages, dials at %v: %v", messages, k.at, err)
		}
	})
}

// Every connection has a token of its own.
func TestKeep_AsksForCredentialsEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		o := reach(t, func(nc net.Conn) {
			r, err := readRequest(nc)
			if err != nil {
				t.Error(err)
				return
			}
			got = append(got, r.Header.Get("Authorization"))
			respond(nc, r, accepted)
		})
		calls := 0
		o.Auth = client.BearerFrom(func(context.Context) (string, error) { calls++; return fmt.Sprint(calls), nil })
		o.Retry = &client.Retry{MaxCount: 2}
		client.Keep(t.Context(), "ws://example.test/", o, until)
		if want := []string{"Bearer 1", "Bearer 2", "Bearer 3"}; !slices.Equal(got, want) {
			t.Errorf("sent %q, want %q", got, want)
		}
	})
}

func TestKeep_ShowsTheResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := reach(t, answer(withHeader("X-Name: swan")))
		err := client.Keep(t.Context(), "ws://example.test/", o, func(_ context.Context, c *conn.Conn) error {
			if resp := client.Response(c); resp.StatusCode != http.StatusSwitchingProtocols || resp.Header.Get("X-Name") != "swan" {
				t.Errorf("got %v", resp)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		c, _ := dial(t, "ws://example.test/", o)
		if client.Response(c) != nil {
			t.Error("one for a connection of Dial")
		}
	})
}
