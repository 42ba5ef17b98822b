// Package wire reads and writes WebSocket frames for the conformance suite: frames
// that a peer must refuse as well as good ones. It shares no code with the library
// that the suite lies beside.
package wire

import (
	"encoding/binary"
	"fmt"
)

// The opcodes of RFC 6455 §5.2.
const (
	Continuation = 0
	Text         = 1
	Binary       = 2
	Close        = 8
	Ping         = 9
	Pong         = 10
)

// The bits of Header.RSV.
const (
	RSV1 = 4
	RSV2 = 2
	RSV3 = 1
)

// A Header is what stands before a frame's payload.
type Header struct {
	Fin    bool
	RSV    byte
	Opcode byte
	Masked bool
	Key    [4]byte
	Form   byte // bits of the length field, 7, 16 or 64; 0 when writing: the shortest
	Length uint64
}

// Append writes the header to b.
func (h Header) Append(b []byte) []byte {
	first := h.RSV<<4 | h.Opcode
	if h.Fin {
		first |= 0x80
	}
	var mask byte
	if h.Masked {
		mask = 0x80
	}
	form := h.Form
	if form == 0 {
		form = shortest(h.Length)
	}
	switch form {
	case 7:
		b = append(b, first, mask|byte(h.Length))
	case 16:
		b = binary.BigEndian.AppendUint16(append(b, first, mask|126), uint16(h.Length))
	default:
		b = binary.BigEndian.AppendUint64(append(b, first, mask|127), h.Length)
	}
	if h.Masked {
		b = append(b, h.Key[:]...)
	}
	return b
}

func shortest(length uint64) byte {
	switch {
	case length < 126:
		return 7
	case length <= 0xffff:
		return 16
	}
	return 64
}

// parseHeader reads a header at the beginning of b, and says how long it is. It is 0
// if b has not all of it.
func parseHeader(b []byte) (h Header, size int) {
	if len(b) < 2 {
		return h, 0
	}
	h = Header{Fin: b[0]&0x80 != 0, RSV: b[0] >> 4 & 7, Opcode: b[0] & 15, Masked: b[1]&0x80 != 0, Form: 7}
	h.Length, size = uint64(b[1]&0x7f), 2
	switch h.Length {
	case 126:
		h.Form, size = 16, 4
	case 127:
		h.Form, size = 64, 10
	}
	whole := size
	if h.Masked {
		whole += 4
	}
	if len(b) < whole {
		return h, 0
	}
	switch h.Form {
	case 16:
		h.Length = uint64(binary.BigEndian.Uint16(b[2:]))
	case 64:
		h.Length = binary.BigEndian.Uint64(b[2:])
	}
	copy(h.Key[:], b[size:whole])
	return h, whole
}

// Control reports whether the opcode is one of a control frame.
func (h Header) Control() bool { return h.Opcode >= 8 }

// Mask masks or unmasks p, which begins pos octets after the beginning of the
// payload.
func Mask(key [4]byte, pos int, p []byte) {
	if key == [4]byte{} {
		return
	}
	var k [8]byte
	for i := range k {
		k[i] = key[(pos+i)&3]
	}
	word := binary.NativeEndian.Uint64(k[:])
	for len(p) >= 8 {
		binary.NativeEndian.PutUint64(p, binary.NativeEndian.Uint64(p)^word)
		p = p[8:]
	}
	for i := range p {
		p[i] ^= k[i]
	}
}

// check says what is wrong with the header of a frame from a peer; "" is nothing.
func (h Header) check(fromClient, deflate, inMessage bool) string {
	switch allowed := byte(0); {
	case h.Masked && !fromClient:
		return "a server must not mask its frames (§5.1)"
	case !h.Masked && fromClient:
		return "a client must mask its frames (§5.1)"
	case h.Opcode > Binary && h.Opcode < Close || h.Opcode > Pong:
		return fmt.Sprintf("opcode %d is reserved (§5.2)", h.Opcode)
	case h.Form == 64 && h.Length>>63 != 0:
		return "the top bit of a length must be 0 (§5.2)"
	case h.Form != shortest(h.Length):
		return fmt.Sprintf("a length of %d must not be written with %d bits (§5.2)", h.Length, h.Form)
	case h.Control() && !h.Fin:
		return "control frames must not be fragmented (§5.4)"
	case h.Control() && h.Length > 125:
		return fmt.Sprintf("a control frame has %d octets, more than 125 (§5.5)", h.Length)
	case h.Opcode == Close && h.Length == 1:
		return "the payload of a Close is a code of two octets or none (§5.5.1)"
	case h.Opcode == Continuation && !inMessage:
		return "a continuation has no message to go on with (§5.4)"
	case !h.Control() && h.Opcode != Continuation && inMessage:
		return "a new message begins inside another (§5.4)"
	default:
		if deflate && (h.Opcode == Text || h.Opcode == Binary) {
			allowed = RSV1
		}
		if h.RSV&^allowed != 0 {
			return fmt.Sprintf("reserved bits are set: RSV is %03b (§5.2)", h.RSV)
		}
	}
	return ""
}
