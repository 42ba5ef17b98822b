package machine

import (
	"encoding/binary"
	"testing"

	"github.com/swan-ws/websocket/frame"
)

// A verdict is what an endpoint must make of bytes.
type verdict struct {
	fault frame.CloseCode // 0: none
	kind  Kind            // NeedMore: the frame is not whole
}

// twoBytes is the RFC's verdict on the first two bytes of a frame alone. inText:
// a fragmented text is under way.
func twoBytes(role Role, inText bool, b0, b1 byte) verdict {
	fin, rsv, opcode := b0&0x80 != 0, b0&0x70, b0&0x0f
	masked, length := b1&0x80 != 0, b1&0x7f
	refuse := verdict{fault: 1002}
	if masked != (role == Server) {
		return refuse // §5.1
	}
	if rsv != 0 {
		return refuse // §5.2: no extension has been negotiated
	}
	kinds := map[byte]Kind{0x0: Data, 0x1: Data, 0x2: Data, 0x8: Close, 0x9: Ping, 0xA: Pong}
	kind, known := kinds[opcode]
	if !known {
		return refuse // §5.2
	}
	if kind != Data && (!fin || length > 125) {
		return refuse // §5.5
	}
	if kind == Data && (opcode == 0x0) != inText {
		return refuse // §5.4
	}
	if masked || length != 0 {
		return verdict{kind: NeedMore} // the key, the length or the payload is still to come
	}
	return verdict{kind: kind}
}

// withZeros is the verdict on the same two bytes and as many zeros as are wanted.
func withZeros(role Role, inText bool, b0, b1 byte) verdict {
	v := twoBytes(role, inText, b0, b1)
	length := b1 & 0x7f
	switch opcode := b0 & 0x0f; {
	case v.fault != 0:
		return v
	case length > 125:
		return verdict{fault: 1002} // §5.2: a length of 0 fits in 7 bits
	case opcode == 0x8 && length > 0:
		return verdict{fault: 1002} // §5.5.1: one byte is no code; §7.4.2: nor is 0
	case opcode == 0x8:
		return verdict{kind: Close}
	case opcode == 0x9:
		return verdict{kind: Ping}
	case opcode == 0xA:
		return verdict{kind: Pong}
	}
	return verdict{kind: Data} // a zero byte is valid UTF-8
}

func TestStep_EveryFirstTwoBytes_AreJudgedByTheRFC(t *testing.T) {
	zeros := make([]byte, 256)
	forEveryStart(t, func(e Endpoint, role Role, inText bool, b0, b1 byte) {
		want := twoBytes(role, inText, b0, b1)
		idle := e
		if got := judged(t, &idle, []byte{b0, b1}); got != want {
			t.Fatalf("%v, inside a text: %v, % x: %+v, want %+v", role, inText, []byte{b0, b1}, got, want)
		}
		clear(zeros)
		want = withZeros(role, inText, b0, b1)
		if got := judged(t, &e, append([]byte{b0, b1}, zeros...)); got != want {
			t.Fatalf("%v, inside a text: %v, % x and zeros: %+v, want %+v", role, inText, []byte{b0, b1}, got, want)
		}
	})
}

func TestStep_EveryFirstTwoBytes_WithTheShortestLongLength(t *testing.T) {
	in := make([]byte, 14+65536)
	forEveryStart(t, func(e Endpoint, role Role, inText bool, b0, b1 byte) {
		length, size := 0, 2
		clear(in)
		in[0], in[1] = b0, b1
		switch b1 & 0x7f {
		case 126:
			length, size = 126, 4
			binary.BigEndian.PutUint16(in[2:], 126)
		case 127:
			length, size = 65536, 10
			binary.BigEndian.PutUint64(in[2:], 65536)
		default:
			return // TestStep_EveryFirstTwoBytes_AreJudgedByTheRFC
		}
		if b1&0x80 != 0 {
			size += 4
		}
		want := twoBytes(role, inText, b0, b1)
		if want.fault == 0 {
			want.kind = Data
		}
		short := e
		if got := judged(t, &short, in[:size-1]); got.fault != want.fault || got.kind != NeedMore {
			t.Fatalf("%v, inside a text: %v, % x: %+v, want a fault of %d or to need more", role, inText, in[:size-1], got, want.fault)
		}
		if got := judged(t, &e, in[:size+length]); got != want {
			t.Fatalf("%v, inside a text: %v, % x: %+v, want %+v", role, inText, in[:size], got, want)
		}
	})
}

// forEveryStart calls f with every role, state and pair of bytes.
func forEveryStart(t *testing.T, f func(e Endpoint, role Role, inText bool, b0, b1 byte)) {
	for _, role := range []Role{Server, Client} {
		for _, inText := range []bool{false, true} {
			e := New(Config{Role: role})
			if inText {
				if got := judged(t, &e, wire(peer(role), 0x01, []byte("a"))); got != (verdict{kind: Data}) {
					t.Fatal(got)
				}
			}
			for b0 := range 256 {
				for b1 := range 256 {
					f(e, role, inText, byte(b0), byte(b1)) // a copy: as it was
				}
			}
		}
	}
}

// judged takes one step and looks at what is promised whatever comes.
func judged(t *testing.T, e *Endpoint, in []byte) verdict {
	t.Helper()
	var ev Event
	n, err := e.Step(&ev, in)
	if err != nil {
		if n != 0 || ev.Kind != NeedMore {
			t.Fatalf("% x: a fault, and %v, and %d bytes taken", in[:2], ev.Kind, n)
		}
		return verdict{fault: err.(*frame.ProtocolError).Code}
	}
	if ev.Kind == Data && ev.Opcode != frame.OpText && ev.Opcode != frame.OpBinary {
		t.Fatalf("% x: told of a message of %v", in[:2], ev.Opcode)
	}
	return verdict{kind: ev.Kind}
}
