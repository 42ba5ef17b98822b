package conn_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
)

// Several messages leave in one write, and in their order.
func TestSendAll_IsOneWrite(t *testing.T) {
	for _, a := range append([]accord{{}}, accords...) {
		for _, role := range roles {
			end := func(rwc *conntest.Conn, role machine.Role) *conn.Conn {
				cfg := conn.Config{Role: role, Options: conn.Options{PingEvery: -1}}
				if a != (accord{}) {
					cfg.Deflate = a.params()
				}
				return conn.New(rwc, cfg)
			}
			ours, theirs := conntest.Pipe()
			c, peer := end(ours, role), end(theirs, 1-role)
			var ms []*conn.Prepared
			for i := range 20 {
				ms = append(ms, conn.Prepare(conn.Text, []byte(fmt.Sprint(i, prose(400, i)))))
			}
			n, err := c.SendAll(bg, ms...)
			if n != len(ms) || err != nil {
				t.Fatal(n, err)
			}
			if writes := ours.Stats().Writes; writes != 1 {
				t.Errorf("%v, %v: %d writes", a, role, writes)
			}
			for i := range ms {
				m, err := peer.Read(bg)
				wantMessage(t, m, err, conn.Text, fmt.Sprint(i, prose(400, i)))
			}
			c.CloseNow()
			peer.CloseNow()
		}
	}
}

// Those that are long, and those that are many, are more writes and lose nothing.
func TestSendAll_OfMuch_LosesNothing(t *testing.T) {
	for _, size := range []int{10, 10_000, 100_000} {
		for _, role := range roles {
			ours, theirs := loopback(t)
			c := conn.New(ours, conn.Config{Role: role})
			peer := conn.New(theirs, conn.Config{Role: 1 - role})
			var ms []*conn.Prepared
			for i := range 50 {
				ms = append(ms, conn.Prepare(conn.Text, []byte(fmt.Sprint(i, strings.Repeat("x", size)))))
			}
			go c.SendAll(bg, ms...)
			for i := range ms {
				m, err := peer.Read(bg)
				wantMessage(t, m, err, conn.Text, fmt.Sprint(i, strings.Repeat("x", size)))
			}
			c.CloseNow()
			peer.CloseNow()
		}
	}
}

func TestSendAll_OfAMessageThatCannotBeSent_SendsThoseBefore(t *testing.T) {
	c, peer := pair(t, conn.Options{})
	good, bad := conn.Prepare(conn.Text, []byte("good")), conn.Prepare(conn.Text, []byte("\xff"))
	if good.Len() != 4 || good.Err() != nil || bad.Err() == nil {
		t.Error(good.Len(), good.Err(), bad.Err())
	}
	for _, last := range []*conn.Prepared{bad, nil} {
		n, err := c.SendAll(bg, good, good, last, good)
		if n != 2 || err == nil || c.Err() != nil || last != nil && !errors.Is(err, bad.Err()) {
			t.Error(n, err)
		}
		for range 2 {
			m, err := peer.Read(bg)
			wantMessage(t, m, err, conn.Text, "good")
		}
	}
	if n, err := c.SendAll(bg); n != 0 || err != nil {
		t.Error(n, err)
	}
	c.CloseNow()
	if n, err := c.SendAll(bg, good); n != 0 || err == nil {
		t.Error(n, err)
	}
}
