//go:build interop

package interop

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/swan-ws/websocket"
	deflate "github.com/swan-ws/websocket/permessage-deflate"
)

func closeOfOurs(t *testing.T, g *guest) {
	tests := []struct {
		code   websocket.CloseCode
		reason string
	}{
		{1000, "done"}, {1000, ""}, {1001, "going"}, {1008, "not so"}, {1011, "broken"}, {1012, "again"},
		{3000, "registered"}, {4999, "Schwäne 🦢"}, {4000, strings.Repeat("r", 123)}, {websocket.CloseNoStatus, ""},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%d %.9s", tt.code, tt.reason), func(t *testing.T) {
			m := g.meet(t, terms{})
			if err := m.ours.Close(tt.code, tt.reason); err != nil {
				t.Errorf("Close: %v", err)
			}
			m.wantClose(t, tt.code, tt.reason)
			if err := m.ours.Err(); websocket.CloseStatus(err) != tt.code || !errors.Is(err, net.ErrClosed) {
				t.Errorf("our end: %v", err)
			}
		})
	}
}

type closing struct {
	code   websocket.CloseCode // 0: none is sent
	reason string
}

// closeOfTheirs tries what pages may send.
func closeOfTheirs(t *testing.T, g *guest) {
	theyClose(t, g, []closing{
		{1000, "done"}, {1000, ""}, {3000, "registered"}, {3999, ""}, {4000, "private"},
		{4999, "Schwäne 🦢"}, {4001, strings.Repeat("r", 123)}, {0, ""},
	})
}

func closeOfLibraries(t *testing.T, g *guest) {
	theyClose(t, g, []closing{{1001, "going"}, {1003, ""}, {1008, "not so"}, {1011, "broken"}, {1013, "later"}})
}

func theyClose(t *testing.T, g *guest, tests []closing) {
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%d %.9s", tt.code, tt.reason), func(t *testing.T) {
			m := g.meet(t, terms{})
			m.do(t, command{Do: "close", Code: tt.code, Reason: tt.reason})
			_, err := m.ours.Read(m.ctx)
			if tt.code == 0 {
				tt.code = websocket.CloseNoStatus
			}
			e, ok := errors.AsType[*websocket.CloseError](err)
			if !ok || e.Code != tt.code || e.Reason != tt.reason || !e.Remote || e.Cause != nil {
				t.Errorf("we saw %v, want %d %q by peer", err, tt.code, tt.reason)
			}
			m.wantClose(t, tt.code, "") // §5.5.1: the echo has the code
		})
	}
}

func closeNow(t *testing.T, g *guest) {
	m := g.meet(t, terms{})
	m.ours.CloseNow()
	m.wantClose(t, websocket.CloseAbnormal, "")
}

func lostConnection(t *testing.T, g *guest) {
	m := g.meet(t, terms{})
	m.do(t, command{Do: "terminate"})
	_, err := m.ours.Read(m.ctx)
	if e, ok := errors.AsType[*websocket.CloseError](err); !ok || e.Code != websocket.CloseAbnormal || e.Cause == nil {
		t.Errorf("we saw %v, want 1006 and its cause", err)
	}
}

func tooBigForUs(t *testing.T, g *guest) {
	m := g.meet(t, terms{conn: websocket.ConnOptions{MaxMessage: 1000}})
	m.back(t, websocket.Text, strings.Repeat("x", 1000))
	m.say(t, websocket.Message{Type: websocket.Text, Data: []byte(strings.Repeat("x", 1001))})
	m.wantFault(t, websocket.CloseTooBig)
}

func tooBigForThem(t *testing.T, g *guest) {
	m := g.meet(t, terms{max: 1000})
	m.there(t, websocket.Binary, strings.Repeat("x", 1000))
	if err := m.ours.Write(m.ctx, websocket.Binary, make([]byte, 1001)); err != nil {
		t.Fatal(err)
	}
	_, err := m.ours.Read(m.ctx)
	if e, ok := errors.AsType[*websocket.CloseError](err); !ok || e.Code != websocket.CloseTooBig || !e.Remote {
		t.Errorf("we saw %v, want 1009 by peer", err)
	}
}

// faultsAreTold sends frames that the peer's library would not.
func faultsAreTold(t *testing.T, g *guest) {
	corrupt := websocket.CloseInvalidPayload
	if g.compression.Mode == deflate.Off {
		corrupt = websocket.CloseProtocolError // as RSV1 has no meaning then
	}
	tests := []struct {
		name    string
		first   byte
		payload string
		wrong   bool // masked by a server, or not by a client
		code    websocket.CloseCode
	}{
		{"text that is not UTF-8", 0x81, "\xc0\xaf", false, websocket.CloseInvalidPayload},
		{"text that ends within a code point", 0x81, "\xf0\x9f\xa6", false, websocket.CloseInvalidPayload},
		{"masking", 0x81, "swan", true, websocket.CloseProtocolError},
		{"RSV2", 0xa1, "swan", false, websocket.CloseProtocolError},
		{"RSV1 on a Ping", 0xc9, "swan", false, websocket.CloseProtocolError},
		{"RSV1 on a continuation", 0xc0, "swan", false, websocket.CloseProtocolError},
		{"what is not deflated", 0xc2, "\xff\xff", false, corrupt},
		{"reserved opcode", 0x83, "swan", false, websocket.CloseProtocolError},
		{"continuation of nothing", 0x80, "swan", false, websocket.CloseProtocolError},
		{"Ping in fragments", 0x09, "swan", false, websocket.CloseProtocolError},
		{"Close of one byte", 0x88, "\x03", false, websocket.CloseProtocolError},
		{"Close with 1005", 0x88, "\x03\xed", false, websocket.CloseProtocolError},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := g.meet(t, terms{})
			b := frame(tt.first, (g.port == 0) != tt.wrong, tt.payload)
			m.do(t, command{Do: "raw", Bytes: &b})
			m.wantFault(t, tt.code)
		})
	}
}

// wantFault reads what breaks the rules, and sees that the peer is told.
func (m *meeting) wantFault(t *testing.T, code websocket.CloseCode) {
	t.Helper()
	_, err := m.ours.Read(m.ctx)
	if e, ok := errors.AsType[*websocket.ProtocolError](err); !ok || e.Code != code {
		t.Errorf("we saw %v, want a protocol error %d", err, code)
	}
	e := m.want(t, "close")
	if e.Code != code {
		t.Errorf("peer saw close %d %q, want %d", e.Code, e.Reason, code)
	}
}

// frame returns a frame as the guest must send it: masked if it is the client.
func (g *guest) frame(first byte, payload string) []byte {
	return frame(first, g.port == 0, payload)
}

func frame(first byte, masked bool, payload string) []byte {
	b := []byte{first, byte(len(payload))}
	if masked {
		b[1] |= 0x80
		b = append(b, 0, 0, 0, 0) // this key leaves the payload as it is
	}
	return append(b, payload...)
}
