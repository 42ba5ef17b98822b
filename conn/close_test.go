package conn_test

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
)

func TestClose_SendsCodeAndReason_AndBothEndsKnowWhy(t *testing.T) {
	for _, tc := range []struct {
		code   frame.CloseCode
		reason string
	}{
		{frame.CloseNormal, ""},
		{frame.CloseNormal, "bye"},
		{frame.CloseGoingAway, strings.Repeat("é", 61) + "x"},
		{frame.CloseInternalError, "x"},
		{frame.CloseNoStatus, ""},
		{3000, "a library's"},
		{4999, "an application's"},
	} {
		for _, role := range roles {
			t.Run(fmt.Sprint(role, " ", tc.code), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					closer, other := pair(t, conn.Options{})
					if role == machine.Client {
						closer, other = other, closer
					}
					go drain(other)
					if err := closer.Close(tc.code, tc.reason); err != nil {
						t.Fatal(err)
					}
					for _, end := range []struct {
						c      *conn.Conn
						remote bool
					}{{closer, false}, {other, true}} {
						wantClosed(t, end.c)
						e, ok := errors.AsType[*conn.CloseError](end.c.Err())
						if !ok || e.Code != tc.code || e.Reason != tc.reason || e.Remote != end.remote || e.Cause != nil {
							t.Errorf("%v: %#v", end.c.Role(), end.c.Err())
						}
					}
				})
			})
		}
	}
}

func TestClose_WithWhatMayNotBeSent_SaysSo_AndLeavesTheConnectionOpen(t *testing.T) {
	for _, tc := range []struct {
		name   string
		role   machine.Role
		code   frame.CloseCode
		reason string
		says   string
	}{
		{"no code", machine.Server, 0, "", "may not be sent"},
		{"below the codes", machine.Client, 999, "", "may not be sent"},
		{"reserved", machine.Server, 1004, "", "may not be sent"},
		{"abnormal", machine.Client, frame.CloseAbnormal, "", "may not be sent"},
		{"TLS", machine.Server, frame.CloseTLSHandshake, "", "may not be sent"},
		{"unassigned", machine.Server, 2999, "", "may not be sent"},
		{"above the codes", machine.Server, 5000, "", "may not be sent"},
		{"a client's", machine.Server, frame.CloseMandatoryExtension, "", "for clients"},
		{"reason without code", machine.Server, frame.CloseNoStatus, "x", "give a code"},
		{"long reason", machine.Server, frame.CloseNormal, strings.Repeat("x", 124), "at most 123"},
		{"reason not UTF-8", machine.Client, frame.CloseNormal, "\xff", "UTF-8"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, peer := against(t, tc.role, conn.Options{})
			err := c.Close(tc.code, tc.reason)
			if err == nil || !strings.Contains(err.Error(), tc.says) || errors.Is(err, net.ErrClosed) {
				t.Errorf("%v", err)
			}
			if c.Phase() != conn.Open || c.Err() != nil {
				t.Errorf("%v, %v", c.Phase(), c.Err())
			}
			mustWrite(t, peer, to(tc.role, fin|text, "still open"))
			m, err := c.Read(bg)
			wantMessage(t, m, err, conn.Text, "still open")
			if err := c.WriteText(bg, "yes"); err != nil {
				t.Error(err)
			}
			if f := newWire(peer).mustNext(t); f.String() != "text yes" {
				t.Errorf("the peer got %v", f)
			}
		})
	}
}

func TestClose_FromManyGoroutines_SendsOneFrame(t *testing.T) {
	for _, role := range roles {
		synctest.Test(t, func(t *testing.T) {
			c, peer := against(t, role, conn.Options{})
			var wg sync.WaitGroup
			for i := range 20 {
				wg.Go(func() {
					if err := c.Close(frame.CloseCode(3000+i), ""); err != nil {
						t.Error(err)
					}
					<-c.Done()
				})
			}
			synctest.Wait()
			mustWrite(t, peer, closeTo(role, frame.CloseNormal, ""))
			peer.CloseWrite()
			wg.Wait()
			if got := newWire(peer).all(t); len(got) != 1 {
				t.Errorf("the peer got %q", got)
			}
			wantClosed(t, c)
		})
	}
}

func TestClose_FromInsideTheLoop_EndsIt(t *testing.T) {
	for _, role := range roles {
		for _, buffered := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				c, peer := against(t, role, conn.Options{})
				mustWrite(t, peer, to(role, fin|text, "first"))
				later := append(to(role, fin|text, "dropped"), closeTo(role, frame.CloseNormal, "")...)
				if buffered {
					mustWrite(t, peer, later)
				} else {
					time.AfterFunc(time.Second, func() { peer.Write(later) })
				}
				time.AfterFunc(2*time.Second, func() { peer.Close() })
				turns := 0
				for m, err := range c.Messages(bg) {
					if turns++; turns == 2 {
						if conn.CloseStatus(err) != frame.CloseNormal {
							t.Errorf("the loop ended with %v", err)
						}
						continue
					}
					wantMessage(t, m, err, conn.Text, "first")
					if err := c.Close(frame.CloseNormal, ""); err != nil {
						t.Error(err)
					}
					wantMessage(t, m, nil, conn.Text, "first") // still the application's
				}
				if turns != 2 {
					t.Errorf("%d turns", turns)
				}
				wantClosed(t, c)
			})
		}
	}
}

func TestClose_InTheLoop_LeavesALargeMessageAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		role := machine.Server
		c, peer := against(t, role, conn.Options{})
		large := strings.Repeat("swan", 3000)
		mustWrite(t, peer, to(role, fin|text, large))
		mustWrite(t, peer, to(role, fin|text, strings.Repeat("y", 9000)))
		mustWrite(t, peer, closeTo(role, frame.CloseNormal, ""))
		for m, err := range c.Messages(bg) {
			wantMessage(t, m, err, conn.Text, large)
			c.Close(frame.CloseNormal, "")
			wantMessage(t, m, nil, conn.Text, large)
			break
		}
		wantClosed(t, c)
	})
}

func TestClose_WhileAnotherReads_GivesItTheMessagesThatCome_ThenItsEnd(t *testing.T) {
	for name, read := range reads {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				role := machine.Client
				c, peer := against(t, role, conn.Options{})
				got := make(chan error)
				go func() {
					m, err := read(bg, c)
					if err == nil && string(m.Data) != "still comes" {
						err = fmt.Errorf("got %q", m.Data)
					}
					got <- err
					_, err = read(bg, c)
					got <- err
				}()
				synctest.Wait()
				closed := make(chan error)
				go func() { closed <- c.Close(frame.CloseNormal, "") }()
				synctest.Wait()
				if c.Phase() != conn.Closing {
					t.Errorf("phase %v", c.Phase())
				}
				mustWrite(t, peer, to(role, fin|text, "still comes"))
				if err := <-got; err != nil {
					t.Error(err)
				}
				mustWrite(t, peer, closeTo(role, frame.CloseNormal, ""))
				peer.Close()
				if err := <-got; conn.CloseStatus(err) != frame.CloseNormal {
					t.Error(err)
				}
				if err := <-closed; err != nil {
					t.Error(err)
				}
				wantClosed(t, c)
			})
		})
	}
}

func TestClose_EndsAReader_InTheMiddleOfItsMessage(t *testing.T) {
	for _, closing := range []struct {
		name string
		do   func(c *conn.Conn) error
	}{
		{"Close", func(c *conn.Conn) error { return c.Close(frame.CloseNormal, "") }},
		{"Close of the peer", func(c *conn.Conn) error {
			_, err := c.Read(bg)
			if conn.CloseStatus(err) == frame.CloseNormal {
				return nil
			}
			return err
		}},
	} {
		t.Run(closing.name, func(t *testing.T) {
			role := machine.Server
			c, peer := against(t, role, conn.Options{})
			mustWrite(t, peer, append(to(role, fin|text, "one two"), closeTo(role, frame.CloseNormal, "")...))
			peer.CloseWrite()
			_, r, err := c.Reader(bg)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := r.Read(make([]byte, 3)); n != 3 || err != nil {
				t.Fatal(n, err)
			}
			if err := closing.do(c); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if n, err := r.Read(make([]byte, 9)); n != 0 || err != c.Err() {
					t.Errorf("%d more bytes, %v", n, err)
				}
			}
			wantClosed(t, c)
		})
	}
}

func TestClose_WithoutAnAnswer_TakesCloseTimeout(t *testing.T) {
	for _, tc := range []struct {
		name    string
		timeout time.Duration
		want    time.Duration
	}{
		{"default", 0, conn.DefaultCloseTimeout},
		{"set", time.Minute, time.Minute},
		{"none", -1, 0},
	} {
		for _, reading := range []bool{false, true} {
			t.Run(fmt.Sprint(tc.name, " ", reading), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c, _ := against(t, machine.Server, conn.Options{CloseTimeout: tc.timeout, PingEvery: -1})
					if reading {
						go drain(c)
						synctest.Wait()
					}
					start := time.Now()
					err := c.Close(frame.CloseNormal, "")
					if took := time.Since(start); took != tc.want {
						t.Errorf("took %v, want %v", took, tc.want)
					}
					if err == nil || !strings.Contains(err.Error(), "not closed in order: the peer sent no Close frame") {
						t.Errorf("%v", err)
					}
					wantClosed(t, c)
				})
			})
		}
	}
}

func TestClose_OfAPeerThatSendsOn_IsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		role := machine.Server
		c, peer := againstSize(t, role, conn.Options{}, 1000)
		var wg sync.WaitGroup
		defer wg.Wait()
		wg.Go(func() {
			for range time.Tick(time.Millisecond) {
				if _, err := peer.Write(to(role, fin|text, strings.Repeat("x", 100))); err != nil {
					return
				}
			}
		})
		start := time.Now()
		if err := c.Close(frame.CloseNormal, ""); err == nil {
			t.Error("no error")
		}
		if took := time.Since(start); took != conn.DefaultCloseTimeout {
			t.Errorf("took %v", took)
		}
	})
}

func TestClose_WithABlockedWrite_IsBounded(t *testing.T) {
	for _, role := range roles {
		for _, reading := range []bool{false, true} {
			t.Run(fmt.Sprint(role, " ", reading), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c, _ := againstSize(t, role, conn.Options{WriteTimeout: -1}, 10)
					wrote := make(chan error)
					go func() { wrote <- c.Write(bg, conn.Binary, make([]byte, 100000)) }()
					if reading {
						go drain(c)
					}
					synctest.Wait()
					start := time.Now()
					if err := c.Close(frame.CloseNormal, ""); err == nil {
						t.Error("no error")
					}
					if took := time.Since(start); took > conn.DefaultCloseTimeout+time.Second {
						t.Errorf("took %v", took)
					}
					if err := <-wrote; !errors.Is(err, net.ErrClosed) {
						t.Errorf("Write: %v", err)
					}
					wantClosed(t, c)
				})
			})
		}
	}
}

func TestClose_BothAtOnce_IsInOrder(t *testing.T) {
	for _, reading := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s, c := pair(t, conn.Options{})
			start := time.Now()
			var wg sync.WaitGroup
			for i, end := range []*conn.Conn{s, c} {
				if reading {
					wg.Go(func() { drain(end) })
				}
				wg.Go(func() {
					if err := end.Close(frame.CloseCode(3000+i), ""); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if took := time.Since(start); took > 0 {
				t.Errorf("took %v", took)
			}
			if s, c := conn.CloseStatus(s.Err()), conn.CloseStatus(c.Err()); s < 3000 || c < 3000 {
				t.Errorf("closed with %v and %v", s, c)
			}
		})
	}
}
