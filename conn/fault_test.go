package conn_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
)

// faults are what a peer can do wrong.
var faults = []struct {
	name    string
	wire    func(role machine.Role) []byte
	code    frame.CloseCode
	section string
}{
	{"reserved opcode 3", whole(fin|3, ""), 1002, "5.2"},
	{"reserved opcode 11", whole(fin|11, ""), 1002, "5.2"},
	{"RSV1", whole(fin|0x40|text, ""), 1002, "5.2"},
	{"RSV3 on a Ping", whole(pingFrame|0x10, ""), 1002, "5.2"},
	{"wrong masking", func(role machine.Role) []byte { return to(1-role, fin|text, "Hello") }, 1002, "5.1"},
	{"fragmented Ping", whole(byte(frame.OpPing), ""), 1002, "5.5"},
	{"Ping of 126 bytes", func(role machine.Role) []byte { return head(role, pingFrame, 126) }, 1002, "5.5"},
	{"continuation of nothing", whole(fin|continuation, ""), 1002, "5.4"},
	{"message in a message", func(role machine.Role) []byte {
		return append(to(role, text, "one"), to(role, fin|text, "two")...)
	}, 1002, "5.4"},
	{"length not in its shortest form", func(role machine.Role) []byte {
		b := head(role, fin|binaryData, 300)
		b[2], b[3] = 0, 125
		return b
	}, 1002, "5.2"},
	{"length of 2^63", func(role machine.Role) []byte { return head(role, fin|binaryData, 1<<63) }, 1002, "5.2"},
	{"Close of one byte", whole(closeFrame, "\x03"), 1002, "5.5.1"},
	{"Close with 1005", whole(closeFrame, "\x03\xed"), 1002, "7.4"},
	{"Close reason not UTF-8", whole(closeFrame, "\x03\xe8\xff"), 1007, "5.5.1"},
	{"text not UTF-8", whole(fin|text, "\xed\xa0\x80"), 1007, "8.1"},
	{"text that ends in a rune", whole(fin|text, "\xc3"), 1007, "8.1"},
	{"fragment not UTF-8", whole(text, "\xff"), 1007, "8.1"},
	{"message too big", func(role machine.Role) []byte { return head(role, fin|text, 1001) }, 1009, "10.4"},
	{"message too big in all", func(role machine.Role) []byte {
		return append(to(role, text, strings.Repeat("x", 1000)), head(role, continuation, 1)...)
	}, 1009, "10.4"},
	{"length of 2^62", func(role machine.Role) []byte { return head(role, fin|text, 1<<62) }, 1009, "10.4"},
	{"too many fragments", func(role machine.Role) []byte {
		return append(to(role, text, "x"), append(to(role, continuation, ""), append(to(role, continuation, ""), head(role, fin|continuation, 0)...)...)...)
	}, 1008, "10.4"},
}

func whole(first byte, payload string) func(role machine.Role) []byte {
	return func(role machine.Role) []byte { return to(role, first, payload) }
}

var strict = conn.Options{MaxMessage: 1000, MaxFragments: 3}

func TestFault_IsToldToThePeer_AndEndsTheConnection(t *testing.T) {
	for _, role := range roles {
		for _, tc := range faults {
			for name, read := range reads {
				t.Run(fmt.Sprint(role, " ", tc.name, " ", name), func(t *testing.T) {
					c, peer := against(t, role, strict)
					mustWrite(t, peer, to(role, fin|binaryData, "good"))
					mustWrite(t, peer, tc.wire(role))
					mustWrite(t, peer, to(role, pingFrame, "not answered"))
					mustWrite(t, peer, closeTo(role, frame.CloseNormal, ""))
					peer.CloseWrite()
					m, err := read(bg, c)
					wantMessage(t, m, err, conn.Binary, "good")
					_, err = read(bg, c)
					fault, ok := errors.AsType[*frame.ProtocolError](err)
					if !ok || fault.Code != tc.code || fault.Section != tc.section {
						t.Errorf("%v", err)
					}
					if !errors.Is(err, net.ErrClosed) || conn.CloseStatus(err) != tc.code || !strings.HasPrefix(err.Error(), "websocket: protocol error ") {
						t.Errorf("%v", err)
					}
					wantClosed(t, c)
					want := fmt.Sprintf("[close %d %s]", tc.code, fault.Reason)
					if got := fmt.Sprint(newWire(peer).all(t)); got != want {
						t.Errorf("the peer got %s, want %s", got, want)
					}
				})
			}
		}
	}
}

func TestFault_MetByClose_EndsTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		role := machine.Server
		c, peer := against(t, role, conn.Options{})
		mustWrite(t, peer, to(role, fin|3, ""))
		time.AfterFunc(time.Second/2, func() { peer.Close() })
		if err := c.Close(frame.CloseNormal, ""); err == nil {
			t.Error("no error")
		}
		if got := conn.CloseStatus(c.Err()); got != frame.CloseNormal {
			t.Errorf("%v", c.Err()) // the first reason stays
		}
		wantClosed(t, c)
	})
}

func TestFault_FoundFirst_IsWhatCloseReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		role := machine.Server
		c, peer := against(t, role, conn.Options{})
		go drain(c)
		mustWrite(t, peer, to(role, fin|3, ""))
		synctest.Wait() // it lingers
		if c.Phase() != conn.Closing {
			t.Errorf("phase %v", c.Phase())
		}
		err := c.Close(frame.CloseNormal, "")
		if _, ok := errors.AsType[*frame.ProtocolError](err); !ok {
			t.Errorf("%v", err)
		}
		wantClosed(t, c)
	})
}

func TestFault_LingersForASecond_WhateverTheReadersContext(t *testing.T) {
	for _, stream := range streams {
		t.Run(stream.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				role := machine.Server
				a, b := stream.make()
				defer b.Close()
				go io.Copy(io.Discard, b)
				c := conn.New(a, conn.Config{Role: role})
				ctx, cancel := context.WithTimeout(bg, time.Second/2)
				defer cancel()
				go b.Write(to(role, fin|3, ""))
				start := time.Now()
				if _, err := c.Read(ctx); conn.CloseStatus(err) != frame.CloseProtocolError {
					t.Error(err)
				}
				if took := time.Since(start); took != time.Second {
					t.Errorf("lingered for %v: a reset may overtake the Close frame", took)
				}
				wantClosed(t, c)
			})
		})
	}
}

func TestFault_OfAPeerThatSendsForEver_IsBounded(t *testing.T) {
	role := machine.Client
	endless := &source{message: to(role, fin|text, "\xff")}
	c := conn.New(endless, conn.Config{Role: role})
	if _, err := c.Read(bg); conn.CloseStatus(err) != frame.CloseInvalidPayload {
		t.Error(err)
	}
	wantClosed(t, c)
}

func TestFault_OverTCP_ReachesAPeerThatIsStillSending(t *testing.T) {
	for _, role := range roles {
		wire := append(to(role, fin|3, ""), make([]byte, 1<<20)...)
		want := &frame.ProtocolError{}
		for run := range 100 {
			ours, peer := loopback(t)
			c := conn.New(ours, conn.Config{Role: role})
			read := make(chan error, 1)
			go func() {
				_, err := c.Read(bg)
				read <- err
			}()
			if _, err := peer.Write(wire); err != nil {
				t.Fatalf("run %d: the peer could not send: %v", run, err)
			}
			peer.SetReadDeadline(time.Now().Add(10 * time.Second))
			if got := fmt.Sprint(newWire(peer).all(t)); !strings.HasPrefix(got, "[close 1002 ") {
				t.Fatalf("%v, run %d: the peer got %q", role, run, got)
			}
			peer.Close()
			if err := <-read; !errors.As(err, &want) {
				t.Fatal(err)
			}
			<-c.Done()
		}
	}
}

func TestClose_OverTCP_ReachesAPeerThatIsStillSending(t *testing.T) {
	for run := range 50 {
		sc, cc := loopback(t)
		s := conn.New(sc, conn.Config{Role: machine.Server})
		c := conn.New(cc, conn.Config{Role: machine.Client})
		go func() {
			for c.Write(bg, conn.Binary, make([]byte, 1<<16)) == nil {
			}
		}()
		ended := make(chan error)
		go func() {
			_, err := c.Read(bg)
			ended <- err
		}()
		if _, err := s.Read(bg); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(3000, "enough"); err != nil {
			t.Fatalf("run %d: %v", run, err)
		}
		if err := <-ended; conn.CloseStatus(err) != 3000 {
			t.Fatalf("run %d: the peer got %v", run, err)
		}
	}
}

func TestLimits_AreJudgedByTheHeader(t *testing.T) {
	for _, role := range roles {
		for _, size := range []uint64{999, 1000, 1001, 1 << 16, 1 << 31, 1<<31 + 1, 1 << 32, 1 << 40, 1<<63 - 1} {
			t.Run(fmt.Sprint(role, " ", size), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c, peer := against(t, role, strict)
					mustWrite(t, peer, head(role, fin|binaryData, size))
					ctx, cancel := context.WithTimeout(bg, 2*time.Second)
					defer cancel()
					_, err := c.Read(ctx)
					want := frame.CloseTooBig
					if size <= 1000 {
						want = 0
					}
					if got := conn.CloseStatus(err); got != want {
						t.Errorf("%v", err)
					}
				})
			})
		}
	}
}

func TestSetMaxMessage_HoldsForTheMessagesThatBeginAfterIt(t *testing.T) {
	for _, role := range roles {
		for _, tc := range []struct {
			limit int64
			size  uint64
			code  frame.CloseCode
		}{
			{5, 5, 0}, {5, 6, frame.CloseTooBig},
			{0, conn.DefaultMaxMessage, 0}, {0, conn.DefaultMaxMessage + 1, frame.CloseTooBig},
			{-1, 1 << 62, 0},
		} {
			synctest.Test(t, func(t *testing.T) {
				c, peer := against(t, role, conn.Options{MaxMessage: 1})
				c.SetMaxMessage(tc.limit)
				mustWrite(t, peer, head(role, fin|binaryData, tc.size))
				ctx, cancel := context.WithTimeout(bg, 2*time.Second)
				defer cancel()
				if _, err := c.Read(ctx); conn.CloseStatus(err) != tc.code {
					t.Errorf("limit %d, size %d: %v", tc.limit, tc.size, err)
				}
			})
		}
	}
}

func TestSetMaxMessage_InTheMiddleOfAMessage_LeavesItAlone(t *testing.T) {
	for _, role := range roles {
		for _, came := range []int{0, 1, 4} { // payload bytes of the first frame
			synctest.Test(t, func(t *testing.T) {
				c, peer := against(t, role, conn.Options{MaxMessage: 10})
				mustWrite(t, peer, to(role, text, "swan")[:len(head(role, text, 4))+came])
				ctx, cancel := context.WithTimeout(bg, time.Second)
				defer cancel()
				if _, err := c.Read(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Fatal(err)
				}
				c.SetMaxMessage(4)
				mustWrite(t, peer, []byte("swan")[came:])
				mustWrite(t, peer, to(role, fin|continuation, "sea"))
				m, err := c.Read(bg)
				wantMessage(t, m, err, conn.Text, "swansea")
				mustWrite(t, peer, head(role, fin|text, 5))
				peer.CloseWrite()
				if _, err := c.Read(bg); conn.CloseStatus(err) != frame.CloseTooBig {
					t.Error(err)
				}
			})
		}
	}
}

func TestDeadlineOfTheStream_ThatNobodyHereSet_EndsTheConnection(t *testing.T) {
	a, b := streams[0].make()
	defer b.Close()
	c := conn.New(a, conn.Config{Role: machine.Client})
	a.(interface{ SetReadDeadline(time.Time) error }).SetReadDeadline(time.Unix(1, 0))
	if _, err := c.Read(bg); !errors.Is(err, os.ErrDeadlineExceeded) || conn.CloseStatus(err) != frame.CloseAbnormal {
		t.Error(err)
	}
	wantClosed(t, c)
}
