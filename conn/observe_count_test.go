package conn_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
)

// sayings are all ways to send something, with how many messages of how many bytes
// they are.
var sayings = []struct {
	name     string
	messages int
	bytes    int64
	say      func(c *conn.Conn)
}{
	{"texts", 4, 5 + 300 + 5000 + 70000, func(c *conn.Conn) {
		c.WriteText(bg, "swans")
		c.WriteText(bg, prose(300, 1))
		c.Write(bg, conn.Text, []byte(prose(5000, 2)))
		c.Write(bg, conn.Text, []byte(prose(70000, 3)))
	}},
	{"bytes", 5, 125 + 126 + 70000 + 200000, func(c *conn.Conn) {
		for _, n := range []int{0, 125, 126, 70000, 200000} {
			c.Write(bg, conn.Binary, noise(n, 1))
		}
	}},
	{"streams", 3, 12 + 15000 + 0, func(c *conn.Conn) {
		for _, pieces := range [][]string{{"three", " ", "pieces"}, {prose(9000, 4), prose(10, 5), prose(5990, 6)}, {}} {
			w, _ := c.Writer(bg, conn.Text)
			for _, p := range pieces {
				io.WriteString(w, p)
			}
			w.Close()
		}
	}},
	{"prepared", 8, 4*4 + 3*3000 + 20000, func(c *conn.Conn) {
		short, long, large := conn.Prepare(conn.Text, []byte("swan")), conn.Prepare(conn.Text, []byte(prose(3000, 7))), conn.Prepare(conn.Binary, noise(20000, 2))
		c.Send(bg, short)
		c.Send(bg, long)
		c.SendAll(bg, short, long, short, large)
		c.SendAll(bg)
		c.WriteValue(bg, short)
		c.WriteValue(bg, long)
	}},
	{"controls", 0, 0, func(c *conn.Conn) {
		c.SendPing(bg, nil)
		c.SendPong(bg, make([]byte, 125))
		c.Ping(bg)
	}},
	{"what cannot be sent", 0, 0, func(c *conn.Conn) {
		ended, cancel := context.WithCancel(bg)
		cancel()
		c.Write(ended, conn.Text, []byte("no"))
		c.WriteText(bg, "\xff")
		c.Send(bg, conn.Prepare(conn.Text, []byte("\xff")))
		c.SendPing(bg, make([]byte, 126))
		c.Close(1, "")
		w, _ := c.Writer(bg, conn.Text)
		io.WriteString(w, "\xff")
		w.Close()
	}},
}

// hearings are all ways to read until the end.
var hearings = map[string]func(c *conn.Conn){
	"Messages": drain,
	"Read": func(c *conn.Conn) {
		for buf := []byte(nil); ; {
			m, err := c.ReadInto(bg, buf)
			if err != nil {
				return
			}
			buf = m.Data[:0]
		}
	},
	"Handle": func(c *conn.Conn) { c.Handle(3, nil, func(conn.Message) bool { return true }) },
	"Reader": func(c *conn.Conn) {
		for n := 0; ; n++ {
			_, r, err := c.Reader(bg)
			if err != nil {
				return
			}
			if n%2 == 0 {
				io.Copy(io.Discard, r)
			} else {
				io.CopyN(io.Discard, r, 4000) // the rest is skipped
			}
		}
	},
}

// counted returns both ends of a connection, over a Pipe, with their ledgers.
func counted(a *accord, o conn.Options, over func() (sc, cc net.Conn)) (s, c *conn.Conn, ls, lc *ledger) {
	sc, cc := over()
	ls, lc = newLedger(), newLedger()
	side := func(nc net.Conn, role machine.Role, l *ledger) *conn.Conn {
		o.Observer = l.observer()
		if a != nil {
			return a.new(nc, role, o)
		}
		return conn.New(nc, conn.Config{Options: o, Role: role})
	}
	return side(sc, machine.Server, ls), side(cc, machine.Client, lc), ls, lc
}

// What one side has sent the other has received, in messages, in bytes, and in bytes
// of the stream, of which none is left out.
func TestObserver_CountsAddUpAtBothEnds(t *testing.T) {
	modes := []*accord{nil}
	for i := range accords {
		modes = append(modes, &accords[i])
	}
	for _, mode := range modes {
		for name, hear := range hearings {
			t.Run(fmt.Sprint(mode, " ", name), func(t *testing.T) {
				var a, b *conntest.Conn
				s, c, ls, lc := counted(mode, quiet, func() (net.Conn, net.Conn) {
					a, b = conntest.Pipe()
					return a, b
				})
				talk(s, c, hear)
				wantSums(t, ls, lc)
				if sent, received := a.Stats().BytesWritten, a.Stats().BytesRead; ls.sent.wire() != sent || ls.received.wire() != received {
					t.Errorf("%d of %d bytes sent and %d of %d received", ls.sent.wire(), sent, ls.received.wire(), received)
				}
				if sent := b.Stats().BytesWritten; lc.sent.wire() != sent {
					t.Errorf("the client has sent %d bytes of %d", lc.sent.wire(), sent)
				}
			})
		}
	}
}

// talk has both sides say everything at the same time, until the client closes.
func talk(s, c *conn.Conn, hear func(*conn.Conn)) {
	var read, write sync.WaitGroup
	for _, side := range []*conn.Conn{s, c} {
		read.Go(func() { hear(side) })
		for range 2 {
			for _, saying := range sayings {
				write.Go(func() { saying.say(side) })
			}
		}
	}
	write.Wait()
	c.Close(frame.CloseNormal, "enough")
	<-s.Done()
	read.Wait()
}

func wantSums(t *testing.T, ls, lc *ledger) {
	t.Helper()
	for _, l := range []*ledger{ls, lc} {
		if e := l.end(t); e.Code != frame.CloseNormal || e.Remote != (l == ls) {
			t.Errorf("%+v", e)
		}
	}
	if !maps.Equal(ls.sent, lc.received) || !maps.Equal(lc.sent, ls.received) {
		t.Errorf("server sent\n%v, client received\n%v; client sent\n%v, server received\n%v", ls.sent, lc.received, lc.sent, ls.received)
	}
	var messages, size int64
	for _, saying := range sayings {
		messages, size = messages+2*int64(saying.messages), size+2*saying.bytes
	}
	for _, b := range []book{ls.sent, lc.sent} {
		text, bin := b["text"], b["binary"]
		if text.n+bin.n != messages || text.bytes+bin.bytes != size || b["ping"].n != 4 || b["close 1000"].n != 1 {
			t.Errorf("%v, want %d messages of %d bytes", b, messages, size)
		}
	}
}

// Over TCP reads and writes go another way.
func TestObserver_CountsAddUpAtBothEnds_OfASocket(t *testing.T) {
	for _, mode := range []*accord{nil, &accords[0]} {
		s, c, ls, lc := counted(mode, quiet, func() (net.Conn, net.Conn) {
			sc, cc := loopback(t)
			return sc, cc
		})
		talk(s, c, drain)
		wantSums(t, ls, lc)
	}
}

// Answers to a burst wait in the queue for one another, and are counted once.
func TestObserver_CountsAddUp_OfABurst(t *testing.T) {
	for name, loop := range loops {
		for _, role := range roles {
			synctest.Test(t, func(t *testing.T) {
				l := newLedger()
				c, peer := against(t, role, conn.Options{PingEvery: -1, Observer: l.observer()})
				go loop(c)
				wire := slices.Concat(burst(role, 50, 10), to(role, pingFrame, "?"), to(role, pongFrame, ""), closeTo(role, 1001, "bye"))
				mustWrite(t, peer, wire)
				wantEchoes(t, peer, 50, 10)
				peer.CloseWrite()
				<-c.Done()
				synctest.Wait()
				written := peer.Stats()
				if e := l.end(t); e.Code != 1001 || !e.Remote {
					t.Errorf("%+v", e)
				}
				if l.received["binary"].n != 50 || l.received["binary"].bytes != 500 || l.received.wire() != int64(len(wire)) ||
					l.sent["binary"].n != 50 || l.sent["pong"].n != 1 || l.received["ping"].n != 1 || l.received["pong"].n != 1 {
					t.Errorf("%s, %v: %v, %v", name, role, l.sent, l.received)
				}
				io.Copy(io.Discard, peer)
				if got := max(written.BytesRead, peer.Stats().BytesRead); l.sent.wire() != got {
					t.Errorf("%s, %v: %v is not %d bytes", name, role, l.sent, got)
				}
			})
		}
	}
}

// A peer that pings without reading gets an answer to the newest, and that is what
// is counted.
func TestObserver_CountsThePongsThatWereSent(t *testing.T) {
	for _, role := range roles {
		synctest.Test(t, func(t *testing.T) {
			l := newLedger()
			c, peer := againstSize(t, role, conn.Options{PingEvery: -1, Observer: l.observer()}, 2000)
			go drain(c)
			for range 100 {
				mustWrite(t, peer, to(role, pingFrame, strings.Repeat("x", 125)))
			}
			synctest.Wait()
			mustWrite(t, peer, closeTo(role, 1000, ""))
			wire, pongs := newWire(peer), int64(0)
			for f, err := wire.next(); err == nil; f, err = wire.next() {
				if f.Opcode == frame.OpPong {
					pongs++
				} else {
					peer.CloseWrite()
				}
			}
			<-c.Done()
			if got := l.sent["pong"].n; got != pongs || pongs == 100 || l.received["ping"].n != 100 || l.sent["pong"].bytes != 125*pongs {
				t.Errorf("%v: %v pongs counted, %d sent, to %v", role, l.sent["pong"], pongs, l.received["ping"])
			}
		})
	}
}
