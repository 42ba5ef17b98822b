package machine

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/swan-ws/websocket/frame"
)

// A program is a conversation in bytes, two for each thing that is sent: what, and
// how long. It sends the messages, fragments and control frames of one side.
type program struct {
	sender Endpoint
	text   string // what payloads are made of: valid UTF-8
	wire   []byte
	told   []string // what the other side must be told, as player writes it down

	// The message under way: its opcode, or 0; what has been sent of it; what is left.
	opcode      frame.Opcode
	under, rest string
}

func (g *program) run(ops []byte) error {
	for len(ops) >= 2 {
		what, size := ops[0], int(ops[1])
		ops = ops[2:]
		if err := g.send(what, size); err != nil {
			return err
		}
		if g.sender.CloseSent() {
			return nil
		}
	}
	return nil
}

func (g *program) send(what byte, size int) (err error) {
	control := g.text[:min(size, len(g.text), frame.MaxControlPayload)]
	switch what % 8 {
	case 0, 1:
		g.told = append(g.told, fmt.Sprintf("= ping %q", control))
		g.wire, err = g.sender.AppendPing(g.wire, []byte(control))
	case 2:
		g.told = append(g.told, fmt.Sprintf("= pong %q", control))
		g.wire, err = g.sender.AppendPong(g.wire, []byte(control))
	case 3:
		reason := strings.ToValidUTF8(control[:min(len(control), frame.MaxCloseReason)], "")
		g.told = append(g.told, fmt.Sprintf("= close %d %q", 3000+size, reason))
		g.wire, err = g.sender.AppendClose(g.wire, frame.CloseCode(3000+size), reason)
	default:
		err = g.fragment(frame.OpText+frame.Opcode(what&1), what&0x10 != 0, 2*size*size)
	}
	return err
}

// fragment sends the next bytes of the message under way, or the first of a new one.
// A text is cut anywhere, but whole at its end.
func (g *program) fragment(opcode frame.Opcode, fin bool, size int) (err error) {
	if g.opcode == 0 {
		g.opcode, g.rest = opcode, g.text
	}
	n := min(size, len(g.rest))
	for fin && n < len(g.rest) && !utf8.RuneStart(g.rest[n]) {
		n++
	}
	p := g.rest[:n]
	g.rest, g.under = g.rest[n:], g.under+p
	g.wire, err = g.sender.AppendFragment(g.wire, g.opcode, fin, []byte(p))
	if fin {
		g.told = append(g.told, fmt.Sprintf("= %v %q", g.opcode, g.under))
		g.under, g.opcode = "", 0
	}
	return err
}

// checkRoundTrip sends what ops say from one side, and compares what the other is
// told, when the bytes arrive cut.
func checkRoundTrip(role Role, text string, ops []byte, cut cutting) error {
	g := &program{sender: New(Config{Role: role}), text: strings.ToValidUTF8(text, "?")}
	if err := g.run(ops); err != nil {
		return fmt.Errorf("sending: %w", err)
	}
	p, err := played(Config{Role: peer(role)}, g.wire, cut)
	if err != nil {
		return err
	}
	if p.fault != nil {
		return fmt.Errorf("fault in what was sent: %v", p.fault)
	}
	told := slices.DeleteFunc(slices.Clone(p.history), func(s string) bool { return s[0] == '<' })
	if diff := cmp.Diff(g.told, told); diff != "" {
		return fmt.Errorf("sent (-) and told (+):\n%s", diff)
	}
	if string(p.message) != g.under {
		return fmt.Errorf("sent %q of an unfinished message, told %q", g.under, p.message)
	}
	return nil
}

func TestRoundTrip_WhatOneSideSends_TheOtherIsTold(t *testing.T) {
	text := strings.Repeat("a é € 😀 ", 6000)
	ops := []byte{
		0x14, 0, 0x15, 0, // empty messages
		0x14, 7, 0x15, 8, 0x14, 100, 0x15, 255, // whole ones with lengths of 7, 16 and 64 bits
		0x04, 3, 0x00, 9, 0x04, 2, 0x02, 255, 0x05, 0, 0x14, 4, // one in fragments, with control frames between
		0x05, 255, 0x05, 255, 0x15, 1,
		0x03, 200, // and a Close
	}
	for _, role := range []Role{Server, Client} {
		for _, cut := range []cutting{nil, {0}, {1, 4}, {255}, {0, 255, 3}} {
			if err := checkRoundTrip(role, text, ops, cut); err != nil {
				t.Errorf("from the %v, cut by % x: %v", role, []byte(cut), err)
			}
		}
	}
}

func FuzzRoundTrip(f *testing.F) {
	f.Add(true, "Hello", []byte{0x14, 5}, []byte{})
	f.Add(false, "κόσμε 😀", []byte{0x04, 2, 0x00, 3, 0x04, 1, 0x02, 2, 0x14, 3, 0x03, 4}, []byte{0, 3})
	f.Add(true, "\x00\xff binary", []byte{0x05, 200, 0x05, 0, 0x15, 1}, []byte{7})
	f.Fuzz(func(t *testing.T, server bool, text string, ops, cut []byte) {
		role := Client
		if server {
			role = Server
		}
		if err := checkRoundTrip(role, text, ops[:min(len(ops), 64)], cut); err != nil {
			t.Fatal(err)
		}
	})
}
