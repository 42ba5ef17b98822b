package conn_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
)

const errReset = syscall.ECONNRESET

func TestClose_OfThePeer_IsAnsweredOnce_WithItsCode(t *testing.T) {
	for _, role := range roles {
		for _, tc := range []struct {
			name    string
			frame   []byte
			answer  string
			code    frame.CloseCode
			message string
		}{
			{"code and reason", closeTo(role, frame.CloseGoingAway, "bye"), "close 1001 ", frame.CloseGoingAway,
				`websocket: closed by peer: 1001 going away: "bye"`},
			{"code alone", closeTo(role, 4242, ""), "close 4242 ", 4242, "websocket: closed by peer: 4242"},
			{"nothing", to(role, closeFrame, ""), "close 1005 ", frame.CloseNoStatus,
				"websocket: closed by peer: 1005 no status received"},
		} {
			t.Run(fmt.Sprint(role, " ", tc.name), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c, peer := against(t, role, conn.Options{})
					mustWrite(t, peer, to(role, fin|text, "before"))
					mustWrite(t, peer, tc.frame)
					for _, late := range [][]byte{to(role, fin|text, "after"), to(role, pingFrame, "after"), tc.frame} {
						mustWrite(t, peer, late)
					}
					peer.CloseWrite()
					m, err := c.Read(bg)
					wantMessage(t, m, err, conn.Text, "before")
					_, err = c.Read(bg)
					if err == nil || err.Error() != tc.message || conn.CloseStatus(err) != tc.code {
						t.Errorf("%v", err)
					}
					wantClosed(t, c)
					if got := newWire(peer).all(t); fmt.Sprint(got) != fmt.Sprint([]string{tc.answer}) {
						t.Errorf("the peer got %q", got)
					}
				})
			})
		}
	}
}

func TestClose_OfThePeer_EndsAMessageInTheMiddle(t *testing.T) {
	for name, read := range reads {
		t.Run(name, func(t *testing.T) {
			role := machine.Server
			c, peer := against(t, role, conn.Options{})
			mustWrite(t, peer, to(role, text, "half a message"))
			mustWrite(t, peer, closeTo(role, frame.CloseGoingAway, ""))
			peer.CloseWrite()
			if _, err := read(bg, c); conn.CloseStatus(err) != frame.CloseGoingAway {
				t.Error(err)
			}
			wantClosed(t, c)
		})
	}
}

func TestClose_OfThePeer_WaitsForNoOneButAClientForTheServersEnd(t *testing.T) {
	for _, tc := range []struct {
		role machine.Role
		want time.Duration
	}{{machine.Server, 0}, {machine.Client, time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			c, peer := against(t, tc.role, conn.Options{})
			mustWrite(t, peer, closeTo(tc.role, frame.CloseNormal, ""))
			start := time.Now()
			if _, err := c.Read(bg); conn.CloseStatus(err) != frame.CloseNormal {
				t.Error(err)
			}
			if took := time.Since(start); took != tc.want {
				t.Errorf("%v took %v, want %v", tc.role, took, tc.want)
			}
		})
	}
}

func TestCloseNow_EndsEverythingAtOnce_AndThePeerSees1006(t *testing.T) {
	for _, role := range roles {
		synctest.Test(t, func(t *testing.T) {
			c, other := pair(t, conn.Options{})
			if role == machine.Client {
				c, other = other, c
			}
			start := time.Now()
			read, ping := make(chan error), make(chan error)
			go func() { _, err := c.Read(bg); read <- err }()
			go func() {
				for {
					if _, err := c.Ping(bg); err != nil {
						ping <- err
						return
					}
				}
			}()
			synctest.Wait()
			if err := c.CloseNow(); err != nil {
				t.Error(err)
			}
			for _, err := range []error{<-read, <-ping} {
				if err != c.Err() || conn.CloseStatus(err) != frame.CloseAbnormal || !strings.Contains(err.Error(), "CloseNow") {
					t.Errorf("%v", err)
				}
			}
			wantClosed(t, c)
			_, err := other.Read(bg)
			if e, ok := errors.AsType[*conn.CloseError](err); !ok || e.Code != frame.CloseAbnormal || !e.Remote || e.Cause == nil { // the end, or a Pong that could not be sent
				t.Errorf("the peer got %#v", err)
			}
			wantClosed(t, other)
			if took := time.Since(start); took > 0 {
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestConn_ThatLostItsPeer_SaysSoWithTheCause(t *testing.T) {
	for _, role := range roles {
		for _, tc := range []struct {
			name string
			wire []byte
			end  func(peer *conntest.Conn)
			is   error
		}{
			{"between messages", nil, func(p *conntest.Conn) { p.Close() }, io.EOF},
			{"in a header", head(role, fin|text, 300)[:3], func(p *conntest.Conn) { p.Close() }, io.EOF},
			{"in a payload", head(role, fin|text, 300), func(p *conntest.Conn) { p.Close() }, io.EOF},
			{"in a message", to(role, text, "half"), func(p *conntest.Conn) { p.Close() }, io.EOF},
			{"in a Close frame", closeTo(role, frame.CloseNormal, "")[:3], func(p *conntest.Conn) { p.Close() }, io.EOF},
			{"by a reset", nil, func(p *conntest.Conn) { p.Reset() }, errReset},
		} {
			for name, read := range reads {
				t.Run(fmt.Sprint(role, " ", tc.name, " ", name), func(t *testing.T) {
					c, peer := against(t, role, conn.Options{})
					mustWrite(t, peer, tc.wire)
					tc.end(peer)
					_, err := read(bg, c)
					e, ok := errors.AsType[*conn.CloseError](err)
					if !ok || e.Code != frame.CloseAbnormal || !e.Remote || !errors.Is(err, tc.is) {
						t.Errorf("%#v", err)
					}
					wantClosed(t, c)
				})
			}
		}
	}
}

func TestPhase_GoesFromOpenOverClosingToClosed(t *testing.T) {
	for _, begins := range []string{"we", "peer"} {
		t.Run(begins, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var phases []conn.Phase
				role := machine.Client
				a, peer := conntest.Pipe()
				c := conn.New(a, conn.Config{Role: role, OnDone: func(c *conn.Conn) { phases = append(phases, c.Phase()) }})
				defer c.CloseNow()
				phases = append(phases, c.Phase())
				if c.Err() != nil {
					t.Error(c.Err())
				}
				if begins == "we" {
					go c.Close(frame.CloseNormal, "")
				} else {
					go drain(c)
					mustWrite(t, peer, closeTo(role, frame.CloseNormal, ""))
				}
				synctest.Wait() // the client waits for the server to end the stream
				phases = append(phases, c.Phase())
				if c.Err() == nil {
					t.Error("no Err while Closing")
				}
				select {
				case <-c.Done():
					t.Error("Done while Closing")
				default:
				}
				if err := c.WriteText(bg, "too late"); err != c.Err() {
					t.Errorf("Write while Closing: %v", err)
				}
				if begins == "we" {
					mustWrite(t, peer, closeTo(role, frame.CloseNormal, ""))
				}
				peer.Close()
				<-c.Done()
				synctest.Wait()
				if got := fmt.Sprint(phases); got != "[open closing closed]" {
					t.Errorf("phases %v", got)
				}
				c.CloseNow()
				c.Close(frame.CloseNormal, "")
				if len(phases) != 3 {
					t.Error("OnDone was called again")
				}
			})
		})
	}
}

func TestContext_EndsWithTheConnection(t *testing.T) {
	c, _ := against(t, machine.Server, conn.Options{})
	late, _ := against(t, machine.Server, conn.Options{})
	ctx := c.Context()
	if ctx.Err() != nil || c.Context() != ctx {
		t.Error(ctx.Err())
	}
	c.CloseNow()
	<-ctx.Done()
	late.CloseNow()
	if late.Context().Err() == nil {
		t.Error("the context of a closed connection has not ended")
	}
}

func TestStartClose_ReturnsAtOnce_AndTheReaderGetsWhatIsUnderWay(t *testing.T) {
	for name, read := range reads {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				role := machine.Server
				c, peer := against(t, role, conn.Options{})
				if err := c.StartClose(999, ""); err == nil || c.Phase() != conn.Open {
					t.Errorf("%v, %v", err, c.Phase())
				}
				start := time.Now()
				for range 2 {
					if err := c.StartClose(frame.CloseGoingAway, "bye"); err != nil {
						t.Error(err)
					}
				}
				if c.Phase() != conn.Closing || time.Since(start) > 0 {
					t.Errorf("%v after %v", c.Phase(), time.Since(start))
				}
				for i := range 3 {
					mustWrite(t, peer, to(role, fin|text, fmt.Sprint(i)))
				}
				mustWrite(t, peer, closeTo(role, frame.CloseGoingAway, ""))
				for i := range 3 {
					m, err := read(bg, c)
					wantMessage(t, m, err, conn.Text, fmt.Sprint(i))
				}
				if _, err := read(bg, c); conn.CloseStatus(err) != frame.CloseGoingAway {
					t.Error(err)
				}
				wantClosed(t, c)
				if got := newWire(peer).all(t); fmt.Sprint(got) != "[close 1001 bye]" {
					t.Errorf("the peer got %q", got)
				}
			})
		})
	}
}

func TestStartClose_WithoutAnAnswer_IsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := against(t, machine.Server, conn.Options{})
		start := time.Now()
		c.StartClose(frame.CloseNormal, "")
		if _, err := c.Read(bg); conn.CloseStatus(err) != frame.CloseNormal {
			t.Error(err)
		}
		if took := time.Since(start); took != conn.DefaultCloseTimeout {
			t.Errorf("took %v", took)
		}
		if err := c.StartClose(frame.CloseNormal, ""); err != nil {
			t.Errorf("on the closed connection: %v", err)
		}
		wantClosed(t, c)
	})
}
