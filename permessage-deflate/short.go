package deflate

import (
	"encoding/binary"
	"math/bits"
)

// Short messages are compressed here: what makes the codes of a long one its own, or
// looks for matches in it, is worth more than there is to be gained. They are a block
// of fixed codes that refers to the messages before them.
const (
	// shortReach is how much of a window they refer to: what is alike is close by.
	shortReach = 8 << 10
	shortHash  = 12 // bits
	leastMatch = 4
)

// appendShort appends p, which is shorter than matchless, as the payload of a message.
func appendShort(dst, known, p []byte) []byte {
	var last [1 << shortHash]uint16 // where bytes of that hash stood last, and 1
	for i := range len(known) - leastMatch + 1 {
		last[hash(known[i:])] = uint16(i + 1)
	}
	w := bitStream{out: dst}
	w.put(0b01<<1, 3)
	for i := 0; i < len(p); {
		length, dist := 0, 0
		if i+leastMatch <= len(p) {
			at := &last[hash(p[i:])]
			if *at > 0 {
				length, dist = matchLen(known, p, int(*at)-1, i), len(known)+i-int(*at)+1
			}
			*at = uint16(len(known) + i + 1)
		}
		if length < leastMatch {
			w.literal(int(p[i]))
			i++
			continue
		}
		w.match(length, dist)
		i += length
	}
	w.literal(endOfBlock)
	w.put(0, 3) // a stored block, whose length is tail
	if w.flush(); len(w.out)-len(dst) > len(p)+6 {
		return appendStored(dst, p)
	}
	return w.out
}

func appendStored(dst, p []byte) []byte {
	n := uint16(len(p))
	dst = binary.LittleEndian.AppendUint16(append(dst, 0), n)
	dst = binary.LittleEndian.AppendUint16(dst, ^n)
	return append(append(dst, p...), 0)
}

func hash(b []byte) uint32 {
	return binary.LittleEndian.Uint32(b) * 0x9e3779b1 >> (32 - shortHash)
}

// matchLen returns how many bytes of p from i on are those of known and p from at on.
func matchLen(known, p []byte, at, i int) (n int) {
	for i+n < len(p) {
		b := at + n
		if b < len(known) && known[b] != p[i+n] || b >= len(known) && p[b-len(known)] != p[i+n] {
			break
		}
		n++
	}
	return n
}

// A bitStream is what a block is written to, its bits from the lowest of each byte on.
type bitStream struct {
	out []byte
	acc uint64
	n   uint
}

func (w *bitStream) put(v, n uint) {
	w.acc |= uint64(v) << w.n
	for w.n += n; w.n >= 8; w.n -= 8 {
		w.out = append(w.out, byte(w.acc))
		w.acc >>= 8
	}
}

// flush fills the last byte up.
func (w *bitStream) flush() {
	if w.n > 0 {
		w.put(0, 8-w.n)
	}
}

// code writes a Huffman code, which begins with its highest bit.
func (w *bitStream) code(v uint16, n uint) { w.put(uint(bits.Reverse16(v)>>(16-n)), n) }

const endOfBlock = 256

// literal writes a byte, the end of the block or the symbol of a length, by the fixed
// codes (RFC 1951 §3.2.6).
func (w *bitStream) literal(sym int) {
	switch {
	case sym < 144:
		w.code(uint16(0x30+sym), 8)
	case sym < 256:
		w.code(uint16(0x190+sym-144), 9)
	case sym < 280:
		w.code(uint16(sym-256), 7)
	default:
		w.code(uint16(0xc0+sym-280), 8)
	}
}

func (w *bitStream) match(length, dist int) {
	sym := len(lengthBase) - 2 // the last is for 258 alone
	for int(lengthBase[sym]) > length {
		sym--
	}
	w.literal(endOfBlock + 1 + sym)
	w.put(uint(length-int(lengthBase[sym])), uint(lengthExtra[sym]))
	code, extra := dist-1, uint(0)
	if dist > 4 {
		extra = uint(bits.Len(uint(dist-1))) - 2
		code = int(2*extra) + (dist-1)>>extra
	}
	w.code(uint16(code), 5)
	w.put(uint(dist-1)&(1<<extra-1), extra)
}
