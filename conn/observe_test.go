package conn_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
)

// A ledger keeps what an Observer is told.
type ledger struct {
	mu             sync.Mutex
	open           map[*conn.Conn]bool
	opened         int
	ends           []conn.End
	sent, received book
	times          []time.Duration
	queued         []int
	waiting        []int
	faults         []string
	refused        []int
	wrong          []string
}

// A book has a line for each opcode, and for each code of a Close frame.
type book map[string]entry

type entry struct{ n, bytes, wire int64 }

func (b book) add(t conn.Traffic) {
	name := t.Opcode.String()
	if t.Opcode == frame.OpClose {
		name = fmt.Sprint(name, " ", uint16(t.Code))
	}
	e := b[name]
	b[name] = entry{e.n + 1, e.bytes + t.Bytes, e.wire + t.Wire}
}

func (b book) wire() (sum int64) {
	for _, e := range b {
		sum += e.wire
	}
	return sum
}

func newLedger() *ledger {
	return &ledger{open: map[*conn.Conn]bool{}, sent: book{}, received: book{}}
}

func (l *ledger) observer() *conn.Observer {
	locked := func(f func()) {
		l.mu.Lock()
		defer l.mu.Unlock()
		f()
	}
	return &conn.Observer{
		Opened: func(c *conn.Conn) {
			locked(func() {
				if l.open[c] || c.Phase() != conn.Open {
					l.wrong = append(l.wrong, fmt.Sprint("opened twice, or ", c.Phase()))
				}
				l.opened++
				l.open[c] = true
			})
		},
		Ended: func(c *conn.Conn, e conn.End) {
			locked(func() {
				if !l.open[c] || c.Err() != e.Err || conn.CloseStatus(e.Err) != e.Code {
					l.wrong = append(l.wrong, fmt.Sprintf("ended twice, or with %+v of %v", e, c.Err()))
				}
				delete(l.open, c)
				l.ends = append(l.ends, e)
			})
		},
		Sent:      func(_ *conn.Conn, t conn.Traffic) { locked(func() { l.sent.add(t) }) },
		Received:  func(_ *conn.Conn, t conn.Traffic) { locked(func() { l.received.add(t) }) },
		RoundTrip: func(_ *conn.Conn, d time.Duration) { locked(func() { l.times = append(l.times, d) }) },
		Queued:    func(_ *conn.Conn, n int) { locked(func() { l.queued = append(l.queued, n) }) },
		Waiting:   func(_ *conn.Conn, n int) { locked(func() { l.waiting = append(l.waiting, n) }) },
		Error: func(_ *conn.Conn, kind conn.ErrorKind, err error) {
			locked(func() { l.faults = append(l.faults, fmt.Sprint(kind, " ", conn.CloseStatus(err))) })
		},
		Refused: func(status int, _ error) { locked(func() { l.refused = append(l.refused, status) }) },
	}
}

// end returns how the only connection ended. No other is open, and none has been.
func (l *ledger) end(tb testing.TB) (e conn.End) {
	tb.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.opened != 1 || len(l.ends) != 1 || len(l.open) != 0 || len(l.wrong) > 0 {
		tb.Fatalf("opened %d, ended %+v, open %d, %v", l.opened, l.ends, len(l.open), l.wrong)
	}
	return l.ends[0]
}

// endings are all ways in which a connection ends.
var endings = []struct {
	name   string
	o      conn.Options
	code   frame.CloseCode
	remote bool
	after  time.Duration // of the client's, if that is longer
	cause  error
	do     func(c *conn.Conn, role machine.Role, peer *conntest.Conn)
}{
	{name: "Close that is answered", code: 1000, do: func(c *conn.Conn, role machine.Role, peer *conntest.Conn) {
		go func() {
			newWire(peer).next()
			peer.Write(closeTo(role, 1000, ""))
			peer.Close()
		}()
		c.Close(frame.CloseNormal, "")
	}},
	{name: "Close that is not answered", code: 4000, after: 5 * time.Second, do: func(c *conn.Conn, _ machine.Role, _ *conntest.Conn) {
		c.Close(4000, "")
	}},
	{name: "CloseContext that ends", code: 1001, after: time.Minute, do: func(c *conn.Conn, _ machine.Role, _ *conntest.Conn) {
		ctx, cancel := context.WithTimeout(bg, time.Minute)
		defer cancel()
		c.CloseContext(ctx, frame.CloseGoingAway, "")
	}},
	{name: "StartClose that nobody reads on", code: 1001, after: 5 * time.Second, do: func(c *conn.Conn, _ machine.Role, _ *conntest.Conn) {
		c.StartClose(frame.CloseGoingAway, "")
	}},
	{name: "Close by the peer", code: 3001, remote: true, do: func(c *conn.Conn, role machine.Role, peer *conntest.Conn) {
		peer.Write(closeTo(role, 3001, "bye"))
		peer.CloseWrite()
		drain(c)
	}},
	{name: "Close without a code by the peer", code: 1005, remote: true, do: func(c *conn.Conn, role machine.Role, peer *conntest.Conn) {
		peer.Write(to(role, closeFrame, ""))
		peer.CloseWrite()
		drain(c)
	}},
	{name: "Close of both", code: 1000, do: func(c *conn.Conn, role machine.Role, peer *conntest.Conn) {
		peer.Write(closeTo(role, 1001, ""))
		peer.CloseWrite()
		c.Close(frame.CloseNormal, "")
	}},
	{name: "CloseNow", code: 1006, do: func(c *conn.Conn, _ machine.Role, _ *conntest.Conn) {
		c.CloseNow()
		c.CloseNow()
	}},
	{name: "CloseNow while somebody reads", code: 1006, do: func(c *conn.Conn, _ machine.Role, _ *conntest.Conn) {
		go drain(c)
		synctest.Wait()
		c.CloseNow()
	}},
	{name: "fault of the peer's", code: 1002, do: func(c *conn.Conn, role machine.Role, peer *conntest.Conn) {
		peer.Write(to(role, fin|0x3, ""))
		peer.CloseWrite()
		drain(c)
		drain(c)
	}},
	{name: "message too big", o: conn.Options{MaxMessage: 10}, code: 1009, do: func(c *conn.Conn, role machine.Role, peer *conntest.Conn) {
		peer.Write(to(role, fin|text, "more than ten"))
		peer.CloseWrite()
		drain(c)
	}},
	{name: "end of the stream", code: 1006, remote: true, do: func(c *conn.Conn, _ machine.Role, peer *conntest.Conn) {
		peer.Close()
		drain(c)
	}},
	{name: "reset while reading", code: 1006, remote: true, do: func(c *conn.Conn, _ machine.Role, peer *conntest.Conn) {
		peer.Reset()
		drain(c)
	}},
	{name: "reset while writing", code: 1006, remote: true, do: func(c *conn.Conn, _ machine.Role, peer *conntest.Conn) {
		peer.Reset()
		c.WriteText(bg, "swan")
	}},
	{name: "no answer to a ping", o: conn.Options{PingEvery: time.Minute}, code: 1006, remote: true, after: 70 * time.Second,
		cause: conn.ErrPongTimeout, do: func(c *conn.Conn, _ machine.Role, _ *conntest.Conn) { drain(c) }},
	{name: "idle", o: conn.Options{IdleTimeout: time.Minute}, code: 1001, after: 65 * time.Second,
		cause: conn.ErrIdleTimeout, do: func(c *conn.Conn, _ machine.Role, _ *conntest.Conn) { drain(c) }},
	{name: "write that takes too long", o: conn.Options{WriteTimeout: 8 * time.Second}, code: 1006, remote: true, after: 10 * time.Second,
		do: func(c *conn.Conn, _ machine.Role, _ *conntest.Conn) { c.Write(bg, conn.Binary, make([]byte, 100_000)) }},
	{name: "context that ends in a write", code: 1006, remote: true, after: time.Second,
		do: func(c *conn.Conn, _ machine.Role, _ *conntest.Conn) {
			ctx, cancel := context.WithTimeout(bg, time.Second)
			defer cancel()
			c.Write(ctx, conn.Binary, make([]byte, 100_000))
		}},
	{name: "writer that fails", code: 1011, after: 5 * time.Second, do: func(c *conn.Conn, _ machine.Role, _ *conntest.Conn) {
		w, _ := c.Writer(bg, conn.Text)
		w.Write([]byte(strings.Repeat("x", 5000)))
		w.Write([]byte("\xff"))
		w.Close()
	}},
	{name: "panic in a loop", code: 1006, do: func(c *conn.Conn, role machine.Role, peer *conntest.Conn) {
		defer func() { recover() }()
		defer c.CloseNow()
		peer.Write(to(role, fin|text, "swan"))
		c.Handle(1, nil, func(conn.Message) bool { panic("no") })
	}},
}

// The gauge of open connections is right whatever happens.
func TestObserver_IsToldOfEveryEnd_Once(t *testing.T) {
	for _, role := range roles {
		for _, tc := range endings {
			t.Run(fmt.Sprint(role, " ", tc.name), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					l, o := newLedger(), tc.o
					o.Observer = l.observer()
					if o.PingEvery == 0 {
						o.PingEvery = -1
					}
					c, peer := against(t, role, o)
					start := time.Now()
					tc.do(c, role, peer)
					<-c.Done()
					took := time.Since(start)
					wantClosed(t, c)
					c.CloseNow()
					e := l.end(t)
					if e.Code != tc.code || e.Remote != tc.remote || e.Lifetime != took || took < tc.after || took > tc.after+time.Second {
						t.Errorf("%+v after %v", e, took)
					}
					if tc.cause != nil && !errors.Is(e.Err, tc.cause) {
						t.Errorf("ended with %v, not %v", e.Err, tc.cause)
					}
				})
			})
		}
	}
}

// Wherever the stream fails, in whatever is being done.
func TestObserver_IsToldOfTheEnd_WhereverTheStreamFails(t *testing.T) {
	for _, role := range roles {
		for _, tc := range scenarios {
			t.Run(fmt.Sprint(role, " ", tc.name), func(t *testing.T) {
				for n, over := 1, false; !over; n++ {
					synctest.Test(t, func(t *testing.T) {
						l := newLedger()
						a, b := conntest.Pipe()
						f := conntest.FailAt(a, n, nil)
						c := conn.New(f, conn.Config{Role: role, Options: conn.Options{PingEvery: -1, Observer: l.observer()}})
						var script []byte
						if tc.script != nil {
							script = tc.script(role)
						}
						go peerOf(role, b, script)
						tc.do(bg, c)
						c.Close(frame.CloseNormal, "")
						<-c.Done()
						b.Close()
						l.end(t)
						over = f.Ops() < n
					})
				}
			})
		}
	}
}

func TestObserver_IsToldOfFaults_BeforeTheEnd(t *testing.T) {
	for _, role := range roles {
		var told []string
		o := &conn.Observer{
			Opened: func(c *conn.Conn) { c.Set(key{}, "set"); told = append(told, "opened") },
			Error: func(c *conn.Conn, kind conn.ErrorKind, err error) {
				fault, _ := errors.AsType[*frame.ProtocolError](err)
				told = append(told, fmt.Sprint(c.Value(key{}), " ", kind, " ", fault.Section))
			},
			Sent:  func(_ *conn.Conn, t conn.Traffic) { told = append(told, fmt.Sprint("sent ", t.Opcode, " ", t.Code)) },
			Ended: func(_ *conn.Conn, e conn.End) { told = append(told, fmt.Sprint("ended ", e.Code)) },
		}
		c, peer := against(t, role, conn.Options{PingEvery: -1, Observer: o})
		mustWrite(t, peer, to(role, fin|continuation, ""))
		peer.CloseWrite()
		for range 3 {
			c.Read(bg)
		}
		want := []string{"opened", "set protocol 5.4", "sent close 1002 protocol error", "ended 1002 protocol error"}
		if !slices.Equal(told, want) {
			t.Errorf("%q", told)
		}
	}
}

// As soon as there is a reason for the end, the connection is not Open any more.
func TestPhase_OfALostConnection_IsNotOpen(t *testing.T) {
	for _, role := range roles {
		phase := conn.Open
		o := &conn.Observer{Ended: func(c *conn.Conn, _ conn.End) { phase = c.Phase() }}
		c, peer := against(t, role, conn.Options{PingEvery: -1, Observer: o})
		peer.Close()
		c.Read(bg)
		if phase != conn.Closing || c.Phase() != conn.Closed {
			t.Errorf("%v, then %v", phase, c.Phase())
		}
	}
}

func TestObserver_MayLeaveOutWhatItDoesNotWant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := pair(t, conn.Options{PingEvery: time.Second, Observer: new(conn.Observer)})
		go echo(s)
		c.WriteText(bg, "swan")
		c.Read(bg)
		go drain(c)
		if _, err := c.Ping(bg); err != nil {
			t.Error(err)
		}
		<-time.After(5 * time.Second)
		c.Close(frame.CloseNormal, "")
		bad, peer := against(t, machine.Server, conn.Options{Observer: new(conn.Observer)})
		mustWrite(t, peer, to(machine.Server, fin|continuation, ""))
		drain(bad)
		if c.Observer() == nil {
			t.Error("no Observer")
		}
	})
}

func TestJoinObservers_TellsAll(t *testing.T) {
	if o := conn.JoinObservers(nil, nil); o.Opened != nil || o.Sent != nil || o.RoundTrip != nil || o.Error != nil {
		t.Error("somebody is told of nothing")
	}
	synctest.Test(t, func(t *testing.T) {
		one, two := newLedger(), newLedger()
		o := conn.JoinObservers(one.observer(), nil, new(conn.Observer), two.observer())
		o.Refused(403, errors.New("no"))
		c, peer := against(t, machine.Server, conn.Options{PingEvery: -1, Observer: o})
		mustWrite(t, peer, append(to(machine.Server, fin|text, "swan"), to(machine.Server, fin|continuation, "")...))
		drain(c)
		for _, l := range []*ledger{one, two} {
			l.end(t)
			if l.received["text"] != (entry{1, 4, 10}) || l.sent["close 1002"].n != 1 || !slices.Equal(l.faults, []string{"protocol 1002 protocol error"}) ||
				!slices.Equal(l.refused, []int{403}) {
				t.Errorf("%v %v %v %v", l.received, l.sent, l.faults, l.refused)
			}
		}
	})
}

func TestCloseLabel_IsOneOfFew(t *testing.T) {
	labels := map[string]int{}
	for code := range 1 << 16 {
		labels[conn.CloseLabel(frame.CloseCode(code))]++
	}
	for code, label := range map[frame.CloseCode]string{0: "other", 999: "other", 1000: "1000", 1004: "other", 1006: "1006", 1014: "1014", 3000: "3xxx", 4999: "4xxx", 5000: "other"} {
		if got := conn.CloseLabel(code); got != label {
			t.Errorf("%d: %q", code, got)
		}
	}
	if len(labels) != 18 || labels["3xxx"] != 1000 || labels["4xxx"] != 1000 {
		t.Error(labels)
	}
}

func TestErrorKind_HasAName(t *testing.T) {
	got := fmt.Sprint(conn.ProtocolFault, conn.BadMessage, conn.CallbackError, conn.CallbackPanic, conn.ErrorKind(9))
	if got != "protocol message callback panic error kind 9" {
		t.Error(got)
	}
}
