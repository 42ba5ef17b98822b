package wire

import (
	"errors"
	"fmt"
)

// Inflate errors.
var (
	errEnded    = errors.New("the compressed data ends in the middle of a block")
	errTooLarge = errors.New("the message is larger, inflated, than all that was sent")
)

// inflate appends what src is compressed from to dst (RFC 1951), and refuses what
// refers back further than window octets. What is in dst already is what came before
// the message. It is slow and simple, to be read beside the RFC; what a peer may not
// be bound to goes another way.
func inflate(dst, src []byte, window, limit int) ([]byte, error) {
	z := inflater{in: src, out: dst, base: len(dst), window: window, limit: limit}
	for {
		final, kind := z.bits(1), z.bits(2)
		switch kind {
		case 0:
			z.stored()
		case 1:
			z.block(&fixedLiterals, &fixedDistances)
		case 2:
			z.dynamic()
		default:
			z.fail(errors.New("a block is of type 3, which is reserved (RFC 1951 §3.2.3)"))
		}
		if z.err != nil || final == 1 || z.ended() {
			return z.out, z.err
		}
	}
}

type inflater struct {
	in            []byte
	bit           uint // of in[0]: how many are used
	out           []byte
	base          int // len(out) at the beginning
	window, limit int
	err           error
}

func (z *inflater) fail(err error) {
	if z.err == nil {
		z.err = err
	}
}

// ended reports whether all whole octets are used.
func (z *inflater) ended() bool { return len(z.in) == 0 || len(z.in) == 1 && z.bit > 0 }

// bits reads n bits, the least significant first.
func (z *inflater) bits(n uint) (v int) {
	for i := uint(0); i < n; i++ {
		if len(z.in) == 0 {
			z.fail(errEnded)
			return 0
		}
		v |= int(z.in[0]>>z.bit&1) << i
		if z.bit++; z.bit == 8 {
			z.bit, z.in = 0, z.in[1:]
		}
	}
	return v
}

// emit appends octets of the message.
func (z *inflater) emit(p ...byte) {
	if len(z.out)-z.base+len(p) > z.limit {
		z.fail(errTooLarge)
		return
	}
	z.out = append(z.out, p...)
}

// stored reads a block that is not compressed (RFC 1951 §3.2.4).
func (z *inflater) stored() {
	if z.bit > 0 {
		z.bit, z.in = 0, z.in[1:]
	}
	if len(z.in) < 4 {
		z.fail(errEnded)
		return
	}
	n, check := int(z.in[0])|int(z.in[1])<<8, int(z.in[2])|int(z.in[3])<<8
	z.in = z.in[4:]
	switch {
	case n != ^check&0xffff:
		z.fail(errors.New("the length of a stored block is not the complement of its check (RFC 1951 §3.2.4)"))
	case n > len(z.in):
		z.fail(errEnded)
	default:
		z.emit(z.in[:n]...)
		z.in = z.in[n:]
	}
}

// A code is a canonical Huffman code (RFC 1951 §3.2.2): how many symbols have codes of
// each length, and the symbols in the order of their codes.
type code struct {
	count   [16]int
	symbols []int
}

// makeCode makes a code of the lengths of its symbols' codes. A code that is not
// complete is an error, unless it has one symbol or none.
func makeCode(lengths []int) (c code, err error) {
	var starts [17]int
	for _, n := range lengths {
		c.count[n]++
	}
	c.count[0] = 0
	left, used := 1, 0
	for n := 1; n < 16; n++ {
		left = left<<1 - c.count[n]
		starts[n+1] = starts[n] + c.count[n]
		used += c.count[n]
		if left < 0 {
			return c, errors.New("a Huffman code has more symbols than it can tell apart (RFC 1951 §3.2.2)")
		}
	}
	if left > 0 && used > 1 {
		return c, errors.New("a Huffman code is not complete (RFC 1951 §3.2.2)")
	}
	c.symbols = make([]int, used)
	for symbol, n := range lengths {
		if n > 0 {
			c.symbols[starts[n]] = symbol
			starts[n]++
		}
	}
	return c, nil
}

// symbol reads one symbol.
func (z *inflater) symbol(c *code) int {
	value, first, index := 0, 0, 0
	for n := 1; n < 16 && z.err == nil; n++ {
		value |= z.bits(1)
		if value-first < c.count[n] {
			return c.symbols[index+value-first]
		}
		index += c.count[n]
		first = (first + c.count[n]) << 1
		value <<= 1
	}
	z.fail(errors.New("there is a Huffman code that stands for nothing"))
	return 0
}

var (
	lengthBase   = [29]int{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	lengthBits   = [29]uint{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	distanceBase = [30]int{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577}
	codeOrder    = [19]int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
)

// block reads literals and references until the end of the block (RFC 1951 §3.2.5).
func (z *inflater) block(literals, distances *code) {
	for z.err == nil {
		s := z.symbol(literals)
		if s == 256 || z.err != nil {
			return
		}
		if s < 256 {
			z.emit(byte(s))
			continue
		}
		if s > 285 {
			z.fail(fmt.Errorf("length code %d is reserved (RFC 1951 §3.2.6)", s))
			return
		}
		length := lengthBase[s-257] + z.bits(lengthBits[s-257])
		d := z.symbol(distances)
		if d > 29 {
			z.fail(fmt.Errorf("distance code %d is reserved (RFC 1951 §3.2.6)", d))
			return
		}
		z.copy(length, distanceBase[d]+z.bits(uint(max(0, d/2-1))))
	}
}

func (z *inflater) copy(length, distance int) {
	switch {
	case z.err != nil:
	case distance > z.window:
		z.fail(fmt.Errorf("the compressed data refers back %d octets, but the agreed window has %d (7692 §7.1.2)", distance, z.window))
	case distance > len(z.out):
		z.fail(fmt.Errorf("the compressed data refers back %d octets, but there are only %d", distance, len(z.out)))
	default:
		for range length {
			z.emit(z.out[len(z.out)-distance])
		}
	}
}

// dynamic reads a block that brings its codes (RFC 1951 §3.2.7).
func (z *inflater) dynamic() {
	literals, distances, n := z.bits(5)+257, z.bits(5)+1, z.bits(4)+4
	var lengths [320]int
	for i := range n {
		lengths[codeOrder[i]] = z.bits(3)
	}
	c, err := makeCode(lengths[:19])
	if err != nil {
		z.fail(err)
		return
	}
	clear(lengths[:19])
	for i := 0; i < literals+distances && z.err == nil; {
		s, value, times := z.symbol(&c), 0, 1
		switch s {
		case 16:
			if i == 0 {
				z.fail(errors.New("the first code length repeats the one before (RFC 1951 §3.2.7)"))
				return
			}
			value, times = lengths[i-1], 3+z.bits(2)
		case 17:
			times = 3 + z.bits(3)
		case 18:
			times = 11 + z.bits(7)
		default:
			value = s
		}
		if i+times > literals+distances {
			z.fail(errors.New("there are more code lengths than codes (RFC 1951 §3.2.7)"))
			return
		}
		for range times {
			lengths[i] = value
			i++
		}
	}
	l, err := makeCode(lengths[:literals])
	d, err2 := makeCode(lengths[literals : literals+distances])
	if err = errors.Join(err, err2); err != nil {
		z.fail(err)
		return
	}
	z.block(&l, &d)
}

// The fixed codes of RFC 1951 §3.2.6.
var fixedLiterals, fixedDistances = fixedCodes()

func fixedCodes() (literals, distances code) {
	var lengths [320]int
	for i := range lengths {
		switch {
		case i < 144 || 280 <= i && i < 288:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		case i < 280:
			lengths[i] = 7
		default:
			lengths[i] = 5
		}
	}
	literals, _ = makeCode(lengths[:288])
	distances, _ = makeCode(lengths[288:])
	return literals, distances
}
