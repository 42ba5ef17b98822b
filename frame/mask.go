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
	switch {
	case k == 0:
	case len(p) < maskBlock:
		maskWords(p, k)
	default:
		maskBlocks(p, k)
	}
	return (pos + len(p)) & 3
}

// maskWords is Mask for a key whose first byte is the lowest of k, in plain Go.
//
// What is left over after whole words is not masked byte by byte: the last words
// of p overlap those before them. They are loaded before anything is stored, and
// stored last, so no byte is masked twice. Up to 32 bytes take no loop at all.
func maskWords(p []byte, k uint32) {
	le := binary.LittleEndian
	n := len(p)
	k64 := uint64(k)<<32 | uint64(k)
	turned := bits.RotateLeft64(k64, -8*n) // due at p[n-4], p[n-8] and p[n-16]
	switch {
	case n >= 16:
		last := p[n-16:]
		a, b := le.Uint64(last)^turned, le.Uint64(last[8:])^turned
		for len(p) > 32 {
			q := p[:32]
			maskWord(q, k64)
			maskWord(q[8:], k64)
			maskWord(q[16:], k64)
			maskWord(q[24:], k64)
			p = p[32:]
		}
		if len(p) > 16 {
			maskWord(p, k64)
			maskWord(p[8:], k64)
		}
		le.PutUint64(last, a)
		le.PutUint64(last[8:], b)
	case n >= 8:
		last := le.Uint64(p[n-8:]) ^ turned
		maskWord(p, k64)
		le.PutUint64(p[n-8:], last)
	case n >= 4:
		last := le.Uint32(p[n-4:]) ^ uint32(turned)
		le.PutUint32(p, le.Uint32(p)^k)
		le.PutUint32(p[n-4:], last)
	default:
		for i := range p {
			p[i] ^= byte(k)
			k >>= 8
		}
	}
}

func maskWord(p []byte, k uint64) {
	binary.LittleEndian.PutUint64(p, binary.LittleEndian.Uint64(p)^k)
}
