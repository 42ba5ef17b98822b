package load

import (
	"strings"
	"testing"

	"github.com/swan-ws/websocket/frame"
)

// stream is three messages, one of them in fragments with a Ping in between.
func stream() (wire []byte) {
	add := func(op frame.Opcode, fin bool, n int) {
		wire = frame.Header{Fin: fin, Opcode: op, Length: uint64(n)}.Append(wire)
		wire = append(wire, make([]byte, n)...)
	}
	add(frame.OpText, true, 3)
	add(frame.OpBinary, false, 200)
	add(frame.OpPing, true, 5)
	add(frame.OpContinuation, true, 0)
	add(frame.OpBinary, true, 70_000)
	return wire
}

func TestParse_CountsTheSame_HoweverTheBytesAreCut(t *testing.T) {
	wire := stream()
	for _, size := range []int{1, 2, 3, 7, 199, 4096, len(wire)} {
		var p peer
		messages := 0
		for rest := wire; len(rest) > 0; {
			n := min(size, len(rest))
			m, err := p.parse(rest[:n])
			if err != nil {
				t.Fatal(err)
			}
			messages, rest = messages+m, rest[n:]
		}
		if messages != 3 {
			t.Errorf("in pieces of %d bytes: %d messages, want 3", size, messages)
		}
	}
}

func TestParse_NoticesFaults(t *testing.T) {
	for _, c := range []struct {
		name string
		h    frame.Header
		want string
	}{
		{"masked", frame.Header{Fin: true, Opcode: frame.OpText, Masked: true, Length: 1}, "masks"},
		{"goodbye", frame.Header{Fin: true, Opcode: frame.OpClose}, "goodbye"},
		{"reserved", frame.Header{Fin: true, Opcode: 3}, "opcode"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p peer
			if _, err := p.parse(c.h.Append(nil)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v, want one with %q", err, c.want)
			}
		})
	}
}
