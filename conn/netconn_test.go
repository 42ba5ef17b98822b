package conn_test

import (
	"encoding/gob"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/nettest"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
)

// The one thing nettest asks for that a stream of messages cannot do is to go on
// after a Write was cut by its deadline. So that none is cut, the streams here
// have room for all that its tests write, take it slowly, and know no deadline.
func TestNetConn_IsANetConn(t *testing.T) {
	nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
		a, b := conntest.PipeSize(1 << 30)
		s := conn.New(patient{conntest.Chop(a, 64)}, conn.Config{Role: machine.Server, Options: quiet})
		c := conn.New(patient{conntest.Chop(b, 64)}, conn.Config{Role: machine.Client, Options: quiet})
		return conn.NetConn(s, conn.Binary), conn.NetConn(c, conn.Binary), func() {
			s.CloseNow()
			c.CloseNow()
		}, nil
	})
}

// patient is a stream without write deadlines.
type patient struct{ net.Conn }

func (patient) SetWriteDeadline(time.Time) error { return nil }

// netPair returns two NetConns of the same message type that talk to each other.
func netPair(t *testing.T, mt conn.MessageType, o conn.Options) (a, b net.Conn, s, c *conn.Conn) {
	s, c = pair(t, o)
	return conn.NetConn(s, mt), conn.NetConn(c, mt), s, c
}

func TestNetConn_IsAStreamOfBytes(t *testing.T) {
	a, b, _, _ := netPair(t, conn.Binary, conn.Options{MaxMessage: -1})
	type parcel struct {
		Name string
		Data []byte
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		enc := gob.NewEncoder(a)
		for _, size := range sizes {
			if err := enc.Encode(parcel{"swan", make([]byte, size)}); err != nil {
				t.Error(err)
			}
		}
	})
	dec := gob.NewDecoder(b)
	for _, size := range sizes {
		var p parcel
		if err := dec.Decode(&p); err != nil || p.Name != "swan" || len(p.Data) != size {
			t.Fatalf("%q with %d bytes, %v; want %d", p.Name, len(p.Data), err, size)
		}
	}
}

func TestNetConn_EachWriteIsAMessage_AndReadsJoinThem(t *testing.T) {
	a, _, _, c := netPair(t, conn.Text, conn.Options{})
	for _, s := range []string{"one", "", "two"} {
		if n, err := io.WriteString(a, s); n != len(s) || err != nil {
			t.Fatal(n, err)
		}
		m, err := c.Read(bg)
		wantMessage(t, m, err, conn.Text, s)
		if err := c.WriteText(bg, s); err != nil {
			t.Fatal(err)
		}
	}
	got := make([]byte, 6)
	if _, err := io.ReadFull(a, got); err != nil || string(got) != "onetwo" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestNetConn_Read_EndsWithEOF_WhenThePeerIsDone(t *testing.T) {
	for _, tc := range []struct {
		code frame.CloseCode
		eof  bool
	}{
		{frame.CloseNormal, true}, {frame.CloseGoingAway, true},
		{frame.CloseInternalError, false}, {4000, false}, {frame.CloseNoStatus, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			a, _, _, c := netPair(t, conn.Binary, conn.Options{})
			go c.Close(tc.code, "")
			for range 2 {
				n, err := a.Read(make([]byte, 9))
				if n != 0 || (err == io.EOF) != tc.eof || !tc.eof && conn.CloseStatus(err) != tc.code {
					t.Errorf("%v: %d, %v", tc.code, n, err)
				}
			}
		})
	}
}

func TestNetConn_Close_IsANormalClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _, s, c := netPair(t, conn.Binary, conn.Options{})
		go drain(c)
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		if got := conn.CloseStatus(c.Err()); got != frame.CloseNormal {
			t.Errorf("the peer got %v", got)
		}
		if _, err := a.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Write after Close: %v", err)
		}
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Read after Close: %v", err)
		}
		wantClosed(t, s)
	})
}

func TestNetConn_AMessageOfTheOtherType_ClosesWith1003(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _, _, c := netPair(t, conn.Binary, conn.Options{})
		c.WriteText(bg, "text")
		go drain(c)
		if _, err := a.Read(make([]byte, 9)); conn.CloseStatus(err) != frame.CloseUnsupportedData {
			t.Error(err)
		}
		<-c.Done()
		if got := c.Err().Error(); got != `websocket: closed by peer: 1003 unsupported data: "only binary messages here"` {
			t.Error(got)
		}
	})
}

func TestNetConn_TextThatIsNotUTF8_IsRefused(t *testing.T) {
	a, _, s, _ := netPair(t, conn.Text, conn.Options{})
	if n, err := a.Write([]byte("\xff")); n != 0 || err == nil {
		t.Errorf("%d, %v", n, err)
	}
	if s.Phase() != conn.Open {
		t.Error(s.Err())
	}
}

func TestNetConn_DeadlinesOfRead_LeaveTheConnectionUsable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, _, _ := netPair(t, conn.Binary, quiet)
		read := func(want string, deadline bool) {
			t.Helper()
			p := make([]byte, 5)
			n, err := a.Read(p)
			timeout, _ := err.(net.Error)
			if string(p[:n]) != want || deadline != errors.Is(err, os.ErrDeadlineExceeded) || deadline != (timeout != nil && timeout.Timeout()) {
				t.Fatalf("%q, %v", p[:n], err)
			}
		}
		start := time.Now()
		a.SetReadDeadline(time.Now().Add(time.Second))
		read("", true)
		read("", true)
		if took := time.Since(start); took != time.Second {
			t.Errorf("took %v", took)
		}
		a.SetReadDeadline(time.Time{})
		b.Write([]byte("hello world"))
		read("hello", false)
		a.SetReadDeadline(time.Unix(1, 0))
		a.SetReadDeadline(time.Now().Add(time.Hour))
		read(" worl", false)
		read("d", false)
		time.AfterFunc(time.Minute, func() { a.SetDeadline(time.Now()) }) // moved while it is waited for
		read("", true)
		a.SetDeadline(time.Now().Add(time.Minute))
		time.AfterFunc(2*time.Second, func() { b.Write([]byte("swan")) })
		read("swan", false)
	})
}

func TestNetConn_AWriteDeadline_BoundsAWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := againstSize(t, machine.Server, quiet, 10)
		a := conn.NetConn(c, conn.Binary)
		a.SetWriteDeadline(time.Now().Add(time.Second))
		start := time.Now()
		n, err := a.Write(make([]byte, 100))
		if took := time.Since(start); took != time.Second {
			t.Errorf("took %v", took)
		}
		if n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%d, %v", n, err)
		}
		if n, err := a.Write(make([]byte, 100)); n != 0 || err == nil {
			t.Errorf("then: %d, %v", n, err)
		}
		a.SetWriteDeadline(time.Time{})
		if n, err := a.Write(make([]byte, 100)); n != 0 || !errors.Is(err, net.ErrClosed) {
			t.Errorf("then without a deadline: %d, %v", n, err) // the message was cut
		}
	})
}

func TestNetConn_AWriteDeadlineThatHasPassed_SendsNothing(t *testing.T) {
	a, b, s, _ := netPair(t, conn.Binary, conn.Options{})
	a.SetWriteDeadline(time.Unix(1, 0))
	if n, err := a.Write([]byte("x")); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d, %v", n, err)
	}
	a.SetWriteDeadline(time.Time{})
	if _, err := a.Write([]byte("y")); err != nil {
		t.Error(err)
	}
	p := make([]byte, 9)
	if n, err := b.Read(p); string(p[:n]) != "y" || err != nil {
		t.Errorf("%q, %v", p[:n], err)
	}
	if s.Phase() != conn.Open {
		t.Error(s.Err())
	}
}

func TestNetConn_ADeadlineInTheMiddleOfAMessage_LosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		role := machine.Server
		c, peer := against(t, role, quiet)
		a := conn.NetConn(c, conn.Text)
		wire, want := fragmented(role)
		go func() {
			for _, p := range wire {
				<-time.After(time.Second)
				peer.Write([]byte{p})
			}
			peer.Write(closeTo(role, frame.CloseNormal, ""))
			io.Copy(io.Discard, peer)
		}()
		var got strings.Builder
		for timeouts := 0; ; {
			a.SetReadDeadline(time.Now().Add(700 * time.Millisecond))
			p := make([]byte, 3)
			n, err := a.Read(p)
			got.Write(p[:n])
			if err == io.EOF {
				if timeouts < len(wire) {
					t.Errorf("%d timeouts", timeouts)
				}
				break
			}
			if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal(err)
			}
			if err != nil {
				timeouts++
			}
		}
		if got.String() != want {
			t.Errorf("%q, want %q", got.String(), want)
		}
	})
}

func TestNetConn_HasAddresses(t *testing.T) {
	a, _, s, _ := netPair(t, conn.Binary, conn.Options{})
	if a.LocalAddr() != s.LocalAddr() || a.RemoteAddr() != s.RemoteAddr() {
		t.Errorf("%v, %v", a.LocalAddr(), a.RemoteAddr())
	}
	c := conn.New(newSink(), conn.Config{})
	defer c.CloseNow()
	n := conn.NetConn(c, conn.Binary)
	if l, r := n.LocalAddr(), n.RemoteAddr(); l.Network() != "websocket" || r.String() != "websocket" {
		t.Errorf("%v, %v of a stream without addresses", l, r)
	}
}
