package frame

import "encoding/binary"

const (
	// MaxHeaderSize is the longest header: 2 bytes, 8 of length, 4 of key.
	MaxHeaderSize = 2 + 8 + 4
	// MaxControlPayload is the most a Close, Ping or Pong may carry (§5.5).
	MaxControlPayload = 125
)

// The reserved bits as they stand in a header's first byte, for Header.RSV.
// They must be 0 unless an extension gave them a meaning (§5.2);
// permessage-deflate uses RSV1.
const (
	RSV1 byte = 0x40
	RSV2 byte = 0x20
	RSV3 byte = 0x10
)

const (
	finBit  = 0x80
	rsvBits = RSV1 | RSV2 | RSV3
	opBits  = 0x0f
	maskBit = 0x80
	lenBits = 0x7f
	len16   = 126 // the length follows in 2 bytes
	len64   = 127 // the length follows in 8 bytes
)

// A Header is what stands before a frame's payload (§5.2).
type Header struct {
	Length uint64 // payload bytes; as declared, so compare it before converting it
	Key    Key    // the masking key, if Masked
	Opcode Opcode
	Fin    bool // the last frame of its message
	Masked bool
	RSV    byte // RSV1 | RSV2 | RSV3
}

// Parse reads the header at the start of b into h. A result of n == 0 without an
// error means that b is too short: call again with more bytes. With two bytes
// there, Fin, RSV, Opcode and Masked are set even then, so that a receiver can
// refuse early. Otherwise the header is whole and the payload starts at b[n].
//
// What no extension can make legal is an error, always a *ProtocolError, as
// soon as the bytes that show it are there: reserved opcodes, fragmented or
// long control frames, lengths that are not minimal or have their top bit set.
// Reserved bits and masking are the caller's to judge.
func (h *Header) Parse(b []byte) (n int, err error) {
	if len(b) < 2 {
		return 0, nil
	}
	h.Fin = b[0]&finBit != 0
	h.RSV = b[0] & rsvBits
	h.Opcode = Opcode(b[0] & opBits)
	h.Masked = b[1]&maskBit != 0
	h.Length = uint64(b[1] & lenBits)
	h.Key = Key{}
	// "If an unknown opcode is received, the receiving endpoint MUST _Fail the
	// WebSocket Connection_."
	if h.Opcode.IsReserved() {
		return 0, errReservedOpcode
	}
	if h.Opcode.IsControl() {
		// §5.5: "All control frames MUST have a payload length of 125 bytes or
		// less and MUST NOT be fragmented."
		if !h.Fin {
			return 0, errFragmentedControl
		}
		if h.Length > MaxControlPayload {
			return 0, errLongControl
		}
	}
	n = 2
	switch h.Length {
	case len16:
		if len(b) < 4 {
			return 0, nil
		}
		h.Length = uint64(binary.BigEndian.Uint16(b[2:]))
		n = 4
		// "in all cases, the minimal number of bytes MUST be used to encode the
		// length"
		if h.Length < len16 {
			return 0, errNotMinimal
		}
	case len64:
		if len(b) < 10 {
			return 0, nil
		}
		h.Length = binary.BigEndian.Uint64(b[2:])
		n = 10
		// "the most significant bit MUST be 0"
		if h.Length>>63 != 0 {
			return 0, errTopBit
		}
		if h.Length <= 0xffff {
			return 0, errNotMinimal
		}
	}
	if h.Masked {
		if len(b) < n+4 {
			return 0, nil
		}
		h.Key = Key(b[n:])
		n += 4
	}
	return n, nil
}

// Append appends the header's bytes to dst, with the length in its shortest
// form. It writes what it is told, legal or not: a fuzzer needs no other codec.
// Only the four low bits of Opcode and the three of RSV are used.
func (h Header) Append(dst []byte) []byte {
	b0 := byte(h.Opcode)&opBits | h.RSV&rsvBits
	if h.Fin {
		b0 |= finBit
	}
	var b1 byte
	if h.Masked {
		b1 = maskBit
	}
	switch {
	case h.Length < len16:
		dst = append(dst, b0, b1|byte(h.Length))
	case h.Length <= 0xffff:
		dst = append(dst, b0, b1|len16, byte(h.Length>>8), byte(h.Length))
	default:
		dst = append(dst, b0, b1|len64)
		dst = binary.BigEndian.AppendUint64(dst, h.Length)
	}
	if h.Masked {
		dst = append(dst, h.Key[:]...)
	}
	return dst
}

// Size returns how many bytes Append appends: 2 to MaxHeaderSize.
func (h Header) Size() int {
	n := 2
	switch {
	case h.Length > 0xffff:
		n += 8
	case h.Length >= len16:
		n += 2
	}
	if h.Masked {
		n += 4
	}
	return n
}
