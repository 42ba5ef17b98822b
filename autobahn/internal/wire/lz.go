package wire

import "encoding/binary"

// A narrowCompressor compresses with a window that is smaller than usual, which the
// standard library's compressor does not know how to. It is simple: the longest of the
// nearest matches, and the fixed codes of RFC 1951 §3.2.6.
type narrowCompressor struct {
	window  int
	history []byte // what came before, at most the window
	bits    bitWriter
}

const (
	minMatch = 3
	maxMatch = 258
	maxTries = 32 // of matches, at each place
)

// compress returns the compressed form of a message, without its tail.
func (c *narrowCompressor) compress(p []byte, takeover bool) []byte {
	if !takeover {
		c.history = c.history[:0]
	}
	all, start := append(c.history, p...), len(c.history)
	c.bits = bitWriter{out: c.bits.out[:0]}
	c.bits.write(0b010, 3) // not the last block; fixed codes
	c.references(all, start)
	c.bits.write(0, 7) // the end of the block
	if len(c.bits.out) > len(p)+5 {
		c.bits = bitWriter{out: c.bits.out[:0]}
		c.store(p)
	}
	c.bits.write(0, 3) // the empty block whose rest is the tail
	c.bits.pad()
	c.history = append(c.history[:0], all[max(0, len(all)-c.window):]...)
	return c.bits.out
}

// references writes all[start:] as literals and as references to what came before.
func (c *narrowCompressor) references(all []byte, start int) {
	last := make(map[[minMatch]byte]int) // place of these octets
	before := make([]int, len(all))      // place of the same octets before; -1 is none
	enter := func(i int) {
		if i+minMatch > len(all) {
			return
		}
		key := [minMatch]byte(all[i:])
		before[i] = -1
		if j, ok := last[key]; ok {
			before[i] = j
		}
		last[key] = i
	}
	for i := range start {
		enter(i)
	}
	for i := start; i < len(all); {
		enter(i)
		length, distance := 1, 0
		if i+minMatch <= len(all) {
			length, distance = c.match(all, i, before)
		}
		if distance == 0 {
			c.bits.literal(all[i])
		} else {
			c.bits.reference(length, distance)
		}
		for j := i + 1; j < i+length; j++ {
			enter(j)
		}
		i += length
	}
}

// match returns the longest match for all[i:].
func (c *narrowCompressor) match(all []byte, i int, before []int) (length, distance int) {
	length = 1
	for j, tries := before[i], maxTries; j >= 0 && i-j <= c.window && tries > 0; j, tries = before[j], tries-1 {
		n := 0
		for n < maxMatch && i+n < len(all) && all[j+n] == all[i+n] {
			n++
		}
		if n > length {
			length, distance = n, i-j
		}
	}
	return length, distance
}

// store writes p in blocks without compression.
func (c *narrowCompressor) store(p []byte) {
	for len(p) > 0 {
		n := min(len(p), 0xffff)
		c.bits.write(0, 3)
		c.bits.pad()
		c.bits.out = binary.LittleEndian.AppendUint16(c.bits.out, uint16(n))
		c.bits.out = binary.LittleEndian.AppendUint16(c.bits.out, ^uint16(n))
		c.bits.out = append(c.bits.out, p[:n]...)
		p = p[n:]
	}
}

// A bitWriter writes bits, the least significant first.
type bitWriter struct {
	out  []byte
	held uint32
	n    uint
}

func (w *bitWriter) write(v uint32, n uint) {
	w.held |= v << w.n
	for w.n += n; w.n >= 8; w.n -= 8 {
		w.out = append(w.out, byte(w.held))
		w.held >>= 8
	}
}

// code writes a Huffman code, whose most significant bit comes first.
func (w *bitWriter) code(v uint32, n uint) {
	for n > 0 {
		n--
		w.write(v>>n&1, 1)
	}
}

func (w *bitWriter) pad() {
	if w.n > 0 {
		w.write(0, 8-w.n)
	}
}

// literal writes one of the symbols 0 to 255.
func (w *bitWriter) literal(b byte) {
	if b < 144 {
		w.code(0x30+uint32(b), 8)
	} else {
		w.code(0x190+uint32(b)-144, 9)
	}
}

func (w *bitWriter) reference(length, distance int) {
	s := len(lengthBase) - 1
	for lengthBase[s] > length {
		s--
	}
	if symbol := uint32(257 + s); symbol < 280 {
		w.code(symbol-256, 7)
	} else {
		w.code(0xc0+symbol-280, 8)
	}
	w.write(uint32(length-lengthBase[s]), lengthBits[s])
	d := len(distanceBase) - 1
	for distanceBase[d] > distance {
		d--
	}
	w.code(uint32(d), 5)
	w.write(uint32(distance-distanceBase[d]), uint(max(0, d/2-1)))
}
