package machine

import (
	"testing"

	"github.com/swan-ws/websocket/frame"
)

// D7, D8, D9: RSV1 on every opcode, in every role, with and without the extension
// agreed on, between messages and inside one.
func TestStep_TakesRSV1_WhereAMessageBegins_AndNowhereElse(t *testing.T) {
	for _, role := range []Role{Server, Client} {
		for _, agreed := range []bool{false, true} {
			for _, inside := range []bool{false, true} {
				for rsv := range 8 {
					for opcode := range 16 {
						for _, fin := range []bool{false, true} {
							b0 := byte(rsv<<4 | opcode)
							if fin {
								b0 |= 0x80
							}
							e := New(Config{Role: role, Deflate: agreed})
							var ev Event
							if inside {
								if _, err := e.Step(&ev, wire(peer(role), 0x01, []byte("a"))); err != nil {
									t.Fatal(err)
								}
							}
							_, err := e.Step(&ev, wire(peer(role), b0, []byte("\x00")))
							begins := (opcode == 1 || opcode == 2) && !inside
							if legal := agreed && begins && rsv == 4; rsv != 0 && !legal {
								if codeOf(err) != frame.CloseProtocolError {
									t.Errorf("%v, agreed %v, inside %v: %#x gives %v, want 1002", role, agreed, inside, b0, err)
								}
							} else if begins && (err != nil || ev.Kind != Data || ev.Compressed != legal) {
								t.Errorf("%v, agreed %v, inside %v: %#x gives %v, %v, compressed %v", role, agreed, inside, b0, err, ev.Kind, ev.Compressed)
							}
						}
					}
				}
			}
		}
	}
}

// D34: the compressed length is bounded by its header, whatever it declares; what
// does not compress still fits.
func TestStep_BoundsACompressedMessage_ByItsHeaders(t *testing.T) {
	for _, role := range []Role{Server, Client} {
		for _, limit := range []uint64{1, 64, 1000, 1 << 20, 1<<63 - 1} {
			room := limit + limit/64 + 64
			for _, length := range []uint64{room, room + 1, 1<<63 - 1} {
				if length > 1<<63-1 {
					continue // no header can say so
				}
				var want frame.CloseCode
				if length > room {
					want = frame.CloseTooBig
				}
				e := New(Config{Role: role, MaxMessage: limit, Deflate: true})
				var ev Event
				h := frame.Header{Fin: true, RSV: frame.RSV1, Opcode: frame.OpBinary, Masked: role == Server, Length: length}
				if _, err := e.Step(&ev, h.Append(nil)); codeOf(err) != want {
					t.Errorf("%v, at most %d: %d bytes declared: %v, want %d", role, limit, length, err, want)
				}
			}
		}
	}
}

func TestSteps_OfCompressedMessages_AllocateNothing(t *testing.T) {
	for _, role := range []Role{Server, Client} {
		e := New(Config{Role: role, Deflate: true, MaxMessage: 1000, NewKey: func() frame.Key { return frame.Key{} }})
		in := wire(peer(role), 0xc1, []byte("\xf2\x48\xcd\xc9\xc9\x07\x00"))
		out := make([]byte, 0, 100)
		var ev Event
		if allocs := testing.AllocsPerRun(100, func() {
			e.Step(&ev, in)
			out, _ = e.AppendDeflated(out[:0], frame.OpText, true, ev.Payload)
		}); allocs != 0 || !ev.Compressed {
			t.Errorf("%v: %v allocations, %+v", role, allocs, ev)
		}
	}
}
