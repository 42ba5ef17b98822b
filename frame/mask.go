package frame

import (
	"encoding/binary"
	"math/bits"
)

// A Key is the masking key of a frame, in the order of its bytes on the wire (§5.3).
type Key [4]byte

// Mask applies key to p in place; doing it twice gives p back. The byte p[0] is
// number pos of the frame's payload, so that a payload can be masked in pieces:
//
//	pos := 0
//	for each piece { pos = frame.Mask(piece, key, pos) }
//
// The result is the position after p, modulo 4.
func Mask(p []byte, key Key, pos int) int {
	// "octet i of the transformed data is the XOR of octet i of the original
	// data with octet at index i modulo 4 of the masking key": turn the key so
	// that its first byte is the one due.
	k := bits.RotateLeft32(binary.LittleEndian.Uint32(key[:]), -8*(pos&3))
	if k != 0 {
		maskBytes(p, k)
	}
	return (pos + len(p)) & 3
}

// maskWords is Mask for a key whose first byte is the lowest of k, in plain Go:
// eight bytes at a time, 32 a turn.
func maskWords(p []byte, k uint32) {
	k64 := uint64(k)<<32 | uint64(k)
	for len(p) >= 32 {
		q := p[:32]
		binary.LittleEndian.PutUint64(q, binary.LittleEndian.Uint64(q)^k64)
		binary.LittleEndian.PutUint64(q[8:], binary.LittleEndian.Uint64(q[8:])^k64)
		binary.LittleEndian.PutUint64(q[16:], binary.LittleEndian.Uint64(q[16:])^k64)
		binary.LittleEndian.PutUint64(q[24:], binary.LittleEndian.Uint64(q[24:])^k64)
		p = p[32:]
	}
	for len(p) >= 8 {
		binary.LittleEndian.PutUint64(p, binary.LittleEndian.Uint64(p)^k64)
		p = p[8:]
	}
	for i := range p {
		p[i] ^= byte(k)
		k = bits.RotateLeft32(k, -8)
	}
}
