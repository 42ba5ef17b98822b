package frame

import "strconv"

// Opcode says what a frame is (§5.2). Only its low four bits travel.
type Opcode byte

// The opcodes of §11.8. All others are reserved.
const (
	OpContinuation Opcode = 0x0
	OpText         Opcode = 0x1
	OpBinary       Opcode = 0x2
	OpClose        Opcode = 0x8
	OpPing         Opcode = 0x9
	OpPong         Opcode = 0xA
)

// IsControl reports whether o is a control opcode, known or reserved: those
// with the highest of the four bits set (§5.5).
func (o Opcode) IsControl() bool { return o&0x8 != 0 }

// IsData reports whether o carries message payload: text, binary or their
// continuation (§5.6).
func (o Opcode) IsData() bool { return o <= OpBinary }

// IsReserved reports whether no RFC gives o a meaning: 3-7, 11-15 (§5.2), and
// anything that does not fit in four bits.
func (o Opcode) IsReserved() bool {
	return o > OpPong || OpBinary < o && o < OpClose
}

// String returns the RFC's name for o, for logs and tests.
func (o Opcode) String() string {
	switch o {
	case OpContinuation:
		return "continuation"
	case OpText:
		return "text"
	case OpBinary:
		return "binary"
	case OpClose:
		return "close"
	case OpPing:
		return "ping"
	case OpPong:
		return "pong"
	}
	return "reserved(0x" + strconv.FormatUint(uint64(o), 16) + ")"
}
