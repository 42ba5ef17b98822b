package frame

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"
)

// headerByRule reads a header as §5.2 and §5.5 tell it, one bit after the other,
// and without regard to speed. decided is false if b is too short to say; fault is
// empty for a legal header.
func headerByRule(b []byte) (h Header, n int, fault string, decided bool) {
	if len(b) < 2 {
		return h, 0, "", false
	}
	h = Header{Fin: b[0]>>7 == 1, RSV: b[0] & 0b0111_0000, Opcode: Opcode(b[0] % 16), Masked: b[1]>>7 == 1}
	length7 := b[1] % 128
	switch h.Opcode {
	case 0, 1, 2:
	case 8, 9, 10:
		if !h.Fin || length7 > 125 {
			return h, 0, "1002 §5.5", true
		}
	default:
		return h, 0, "1002 §5.2", true
	}
	extra, least := 0, uint64(0)
	switch length7 {
	case 126:
		extra, least = 2, 126
	case 127:
		extra, least = 8, 65536
	default:
		h.Length = uint64(length7)
	}
	n = 2 + extra
	if len(b) < n {
		return h, 0, "", false
	}
	for _, c := range b[2:n] {
		h.Length = h.Length*256 + uint64(c)
	}
	if h.Length < least || h.Length >= 1<<63 {
		return h, 0, "1002 §5.2", true
	}
	if h.Masked {
		if len(b) < n+4 {
			return h, 0, "", false
		}
		h.Key = Key{b[n], b[n+1], b[n+2], b[n+3]}
		n += 4
	}
	return h, n, "", true
}

// checkHeader compares Parse with the rule, and Append with Parse.
func checkHeader(b []byte) error {
	want, wantN, wantFault, decided := headerByRule(b)
	var h Header
	n, err := h.Parse(b)
	switch fault := faultText(err); {
	case fault != wantFault:
		return fmt.Errorf("% x: fault %q, want %q", b, fault, wantFault)
	case n != wantN && decided && fault == "":
		return fmt.Errorf("% x: a header of %d bytes, want %d", b, n, wantN)
	case fault != "" || !decided:
		if n != 0 {
			return fmt.Errorf("% x: took %d bytes of no header", b, n)
		}
		return nil
	case h != want:
		return fmt.Errorf("% x:\n got %+v\nwant %+v", b, h, want)
	}
	again := h.Append(nil)
	if !bytes.Equal(again, b[:n]) || h.Size() != n {
		return fmt.Errorf("% x: appended again it is % x, of size %d", b[:n], again, h.Size())
	}
	return nil
}

func TestHeader_EveryFirstTwoBytes_FollowTheRule(t *testing.T) {
	for b0 := range 256 {
		for b1 := range 256 {
			for _, rest := range []string{"", "\x00\x7e", "\x00\x00\x00\x00\x00\x01\x00\x00", "\x00\x00\x00\x00\x00\x01\x00\x00\x01\x02\x03\x04"} {
				if err := checkHeader(append([]byte{byte(b0), byte(b1)}, rest...)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func TestHeader_EveryLengthBoundary_FollowsTheRule(t *testing.T) {
	lengths := []uint64{0, 1, 125, 126, 127, 65535, 65536, 1<<31 - 1, 1 << 31, 1<<31 + 1, 1<<32 - 1, 1 << 32,
		1<<32 + 1, 1 << 53, 1 << 62, 1<<63 - 1, 1 << 63, 1<<63 + 1, 1<<64 - 1}
	for _, length := range lengths {
		for b0 := range 256 {
			for _, mask := range []byte{0x00, 0x80} {
				encodings := [][]byte{
					{byte(b0), mask | byte(length)&0x7f},
					binary.BigEndian.AppendUint16([]byte{byte(b0), mask | 126}, uint16(length)),
					binary.BigEndian.AppendUint64([]byte{byte(b0), mask | 127}, length),
				}
				for _, b := range encodings {
					b = append(b, 0x37, 0xfa, 0x21, 0x3d)
					for size := range len(b) + 1 {
						if err := checkHeader(b[:size]); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
		}
	}
}

func TestHeader_Parse_ForgetsTheHeaderBefore(t *testing.T) {
	h := Header{Length: 7, Key: testKey, Opcode: OpPing, Fin: true, Masked: true, RSV: RSV1 | RSV2 | RSV3}
	if n, err := h.Parse([]byte{0x00, 0x00}); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	if h != (Header{}) {
		t.Fatalf("left over from the header before: %+v", h)
	}
}

func TestHeader_Append_WritesOnlyTheBitsThatTravel(t *testing.T) {
	cases := []struct {
		name string
		h    Header
		want []byte
	}{
		{"opcode above four bits", Header{Opcode: 0xf1}, []byte{0x01, 0x00}},
		{"bits of RSV that are others'", Header{RSV: 0x8f}, []byte{0x00, 0x00}},
		{"key of a frame that is not masked", Header{Key: testKey}, []byte{0x00, 0x00}},
		{"reserved opcode and fragmented control frame, as told", Header{Opcode: 0xb, Length: 126}, []byte{0x0b, 0x7e, 0x00, 0x7e}},
		{"top bit, as told", Header{Length: 1 << 63}, []byte{0x00, 0x7f, 0x80, 0, 0, 0, 0, 0, 0, 0}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := c.h.Append(nil); !bytes.Equal(got, c.want) {
				t.Errorf("got % x, want % x", got, c.want)
			}
		})
	}
}

func TestHeader_Size_IsWhatAppendAppends(t *testing.T) {
	for _, length := range []uint64{0, 125, 126, 65535, 65536, 1<<63 - 1, 1<<64 - 1} {
		for _, masked := range []bool{false, true} {
			h := Header{Opcode: OpBinary, Length: length, Masked: masked}
			if got, want := h.Size(), len(h.Append(nil)); got != want || got > MaxHeaderSize {
				t.Errorf("%+v: Size is %d, Append appends %d", h, got, want)
			}
		}
	}
}

func TestHeader_AllocatesNothing(t *testing.T) {
	wire := []byte{0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4}
	fault := []byte{0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	dst := make([]byte, 0, MaxHeaderSize)
	var h Header
	if got := testing.AllocsPerRun(100, func() {
		h.Parse(fault)
		h.Parse(wire)
		dst = h.Append(dst[:0])
	}); got != 0 {
		t.Errorf("%v allocations", got)
	}
}

func FuzzHeader(f *testing.F) {
	f.Add([]byte{0x81, 0x05})
	f.Add([]byte{0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d})
	f.Add([]byte{0x82, 0x7e, 0x01, 0x00})
	f.Add([]byte{0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		for size := range min(len(b), MaxHeaderSize+1) + 1 {
			if err := checkHeader(b[:size]); err != nil {
				t.Fatal(err)
			}
		}
	})
}
