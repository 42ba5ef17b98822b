package conn_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
)

// D34 of what is no message at all: the peer is told.
func TestRead_OfWhatCannotBeInflated_FailsWith1007(t *testing.T) {
	for _, tt := range []struct {
		name, payload string
		reason        string
	}{
		{"block of a reserved type", "\x06", "compressed message is corrupt"},
		{"stored length that contradicts itself", "\x00\x05\x00\x00\x00Hello\x00", "compressed message is corrupt"},
		{"cut", "\xf2\x48\xcd", "compressed message is corrupt"},
		{"nothing, where an empty message has a byte", "", "compressed message is corrupt"}, // 7692 §7.2.3.6
		{"distance before the beginning", "\xf2\x00\x11\x00\x00", "compressed message is corrupt"},
		{"not deflated", "Hello, swan", "compressed message is corrupt"},
		{"rubbish behind the last block", "\xf3\x48\xcd\xc9\xc9\x07\x00\x06", "compressed message is corrupt"}, // row 62
		{"text that is not UTF-8", string(shrunk([]byte("swan \xff swan"), nil)), "text is not valid UTF-8"},
		{"text that ends in the middle of a letter", string(shrunk([]byte("swan \xc3"), nil)), "text is not valid UTF-8"},
	} {
		for _, role := range roles {
			for name, read := range reads {
				t.Run(fmt.Sprint(tt.name, " ", role, " ", name), func(t *testing.T) {
					c, peer := accord{15, false}.against(t, role, conn.Options{})
					cut := len(tt.payload) / 2
					mustWrite(t, peer, to(role, rsv1|text, tt.payload[:cut]))
					mustWrite(t, peer, to(role, fin|continuation, tt.payload[cut:]))
					peer.CloseWrite()
					m, err := read(bg, c)
					fault, ok := errors.AsType[*frame.ProtocolError](err)
					if !ok || fault.Code != frame.CloseInvalidPayload {
						t.Fatalf("%q, %v", m.Data, err)
					}
					if got, want := newWire(peer).all(t), []string{"close 1007 " + tt.reason}; !slices.Equal(got, want) {
						t.Errorf("on the wire: %q, want %q", got, want)
					}
					wantClosed(t, c)
				})
			}
		}
	}
}

func TestRead_OfBinary_IsNotCheckedForUTF8(t *testing.T) {
	for _, role := range roles {
		c, peer := accord{15, false}.against(t, role, conn.Options{})
		mustWrite(t, peer, to(role, fin|rsv1|binaryData, string(shrunk([]byte("swan \xff"), nil))))
		m, err := c.Read(bg)
		wantMessage(t, m, err, conn.Binary, "swan \xff")
	}
}

// D8, D9: RSV1 where it may not be.
func TestRead_OfRSV1OutOfPlace_FailsWith1002(t *testing.T) {
	for _, role := range roles {
		for _, tt := range []struct {
			name  string
			agree bool
			wire  [][]byte
		}{
			{"on a Ping", true, [][]byte{to(role, rsv1|pingFrame, "")}},
			{"on a Close", true, [][]byte{to(role, rsv1|closeFrame, "")}},
			{"on a continuation", true, [][]byte{to(role, rsv1|text, "\xf2\x48"), to(role, rsv1|fin|continuation, "\xcd")}},
			{"without an agreement", false, [][]byte{to(role, fin|rsv1|text, "\xf2\x48\xcd\xc9\xc9\x07\x00")}},
		} {
			c, peer := accord{15, false}.against(t, role, conn.Options{})
			if !tt.agree {
				c, peer = against(t, role, quiet)
			}
			mustWrite(t, peer, slices.Concat(tt.wire...))
			peer.CloseWrite()
			if _, err := c.Read(bg); conn.CloseStatus(err) != frame.CloseProtocolError {
				t.Errorf("%s, %v: %v", tt.name, role, err)
			}
			if got := newWire(peer).all(t); len(got) != 1 || !strings.HasPrefix(got[0], "close 1002 ") {
				t.Errorf("%s, %v: on the wire %q", tt.name, role, got)
			}
		}
	}
}
