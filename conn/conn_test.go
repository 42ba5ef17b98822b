package conn_test

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
)

type address string

func (address) Network() string  { return "test" }
func (a address) String() string { return string(a) }

func TestNew_ReportsWhatTheHandshakeSettled(t *testing.T) {
	a, b := conntest.Pipe()
	defer b.Close()
	for _, tc := range []struct {
		name          string
		cfg           conn.Config
		local, remote net.Addr
		bare          bool
	}{
		{"of the stream", conn.Config{}, a.LocalAddr(), a.RemoteAddr(), false},
		{"as told", conn.Config{LocalAddr: address("here"), RemoteAddr: address("there")}, address("here"), address("there"), false},
		{"no addresses", conn.Config{Role: machine.Client, Subprotocol: "chat"}, nil, nil, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := conn.New(a, tc.cfg)
			if tc.bare {
				c = conn.New(bare{a}, tc.cfg)
			}
			defer c.CloseNow()
			if c.LocalAddr() != tc.local || c.RemoteAddr() != tc.remote {
				t.Errorf("addresses %v and %v", c.LocalAddr(), c.RemoteAddr())
			}
			if c.Subprotocol() != tc.cfg.Subprotocol || c.Role() != tc.cfg.Role {
				t.Errorf("subprotocol %q, role %v", c.Subprotocol(), c.Role())
			}
		})
	}
}

func TestID_IsTheConnectionsAlone_AndStays(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		c := conn.New(newSink(), conn.Config{})
		defer c.CloseNow()
		id := c.ID()
		if len(id) != 26 || seen[id] || strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" {
			t.Errorf("ID %q", id)
		}
		seen[id] = true
		if again := c.ID(); again != id {
			t.Errorf("first %q, then %q", id, again)
		}
	}
}

func TestSet_KeepsValuesByKey(t *testing.T) {
	c := conn.New(newSink(), conn.Config{})
	defer c.CloseNow()
	type other struct{}
	if v := c.Value(key{}); v != nil {
		t.Errorf("%v before Set", v)
	}
	c.Set(key{}, 1)
	c.Set(other{}, "x")
	c.Set(key{}, 2)
	c.CloseNow() // values outlive the stream
	if a, b, none := c.Value(key{}), c.Value(other{}), c.Value("key"); a != 2 || b != "x" || none != nil {
		t.Errorf("%v, %v, %v", a, b, none)
	}
}

func TestNames(t *testing.T) {
	for want, got := range map[string]fmt.Stringer{
		"text": conn.Text, "binary": conn.Binary, "message type 9": conn.MessageType(9),
		"open": conn.Open, "closing": conn.Closing, "closed": conn.Closed,
	} {
		if got.String() != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
