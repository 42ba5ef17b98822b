package frame

import (
	"encoding/binary"
	"math/bits"
)

// UTF8 checks text that arrives in pieces, cut anywhere (§8.1). It fails at the
// first piece that no continuation could make valid, not only at the end. The
// zero value is ready for a new message.
type UTF8 struct {
	state uint8 // XOR utf8Start, so that zero is the start
}

// Write checks the next piece and reports whether the text so far is the start
// of valid UTF-8. It keeps no reference to p. After a false, call Reset before
// the next text.
func (v *UTF8) Write(p []byte) bool {
	s := uint32(v.state) ^ utf8Start
	if len(p) < utf8Block {
		s = utf8Run(s, p)
	} else {
		s = utf8Blocks(s, p)
	}
	v.state = uint8(s ^ utf8Start)
	return s != utf8Reject
}

// Complete reports whether the text may end here: no code point is half done.
func (v *UTF8) Complete() bool { return v.state == 0 }

// Reset makes v ready for a new text.
func (v *UTF8) Reset() { *v = UTF8{} }

// The automaton of utf8Run is in one of these states. Their numbers are explained
// at utf8Table.
const (
	utf8Reject  = 0  // for good
	utf8Start   = 8  // between code points
	utf8Needs1  = 2  // a continuation byte
	utf8Needs2  = 4  // two of them
	utf8Needs3  = 14 // three
	utf8AfterE0 = 18 // two, and not overlong
	utf8AfterED = 30 // two, and no surrogate
	utf8AfterF0 = 22 // three, and not overlong
	utf8AfterF4 = 26 // three, and not above U+10FFFF
)

// utf8Moves is the table of RFC 3629 §4. Every other byte is rejected.
var utf8Moves = []struct {
	from      uint32
	low, high byte
	to        uint32
}{
	{utf8Start, 0x00, 0x7f, utf8Start},
	{utf8Start, 0xc2, 0xdf, utf8Needs1},
	{utf8Start, 0xe0, 0xe0, utf8AfterE0},
	{utf8Start, 0xe1, 0xec, utf8Needs2},
	{utf8Start, 0xed, 0xed, utf8AfterED},
	{utf8Start, 0xee, 0xef, utf8Needs2},
	{utf8Start, 0xf0, 0xf0, utf8AfterF0},
	{utf8Start, 0xf1, 0xf3, utf8Needs3},
	{utf8Start, 0xf4, 0xf4, utf8AfterF4},
	{utf8Needs1, 0x80, 0xbf, utf8Start},
	{utf8Needs2, 0x80, 0xbf, utf8Needs1},
	{utf8Needs3, 0x80, 0xbf, utf8Needs2},
	{utf8AfterE0, 0xa0, 0xbf, utf8Needs1},
	{utf8AfterED, 0x80, 0x9f, utf8Needs1},
	{utf8AfterF0, 0x90, 0xbf, utf8Needs2},
	{utf8AfterF4, 0x80, 0x8f, utf8Needs2},
}

// utf8Table has a word for each byte: shifted right by the number of a state, it
// has the state that follows in its low five bits. So taking a byte is a load and
// a shift, and no branch depends on the text.
//
// Nine times five bits do not fit into 32, but they may overlap where they are the
// same. The states' numbers are such that they are; a search has found them.
var utf8Table = makeUTF8Table()

func makeUTF8Table() (t [256]uint32) {
	for _, m := range utf8Moves {
		for c := int(m.low); c <= int(m.high); c++ {
			t[c] |= m.to << m.from
		}
	}
	return t
}

const (
	wordSize = bits.UintSize / 8
	nonASCII = 0x8080808080808080 >> (64 - bits.UintSize)
)

// word returns as many bytes of p as a register holds; p has eight.
func word(p []byte) uint { return uint(binary.LittleEndian.Uint64(p)) }

// utf8Run takes the automaton from state s over p. ASCII is skipped by words; the
// rest goes byte by byte, eight to a turn, whatever it is.
func utf8Run(s uint32, p []byte) uint32 {
	p = p[:len(p):len(p)] // or each cut would have to keep the capacity right
	for len(p) >= 8 {
		if s&31 == utf8Start && word(p)&nonASCII == 0 {
			p = p[wordSize:]
			for len(p) > 3*wordSize+8 && (word(p)|word(p[wordSize:])|word(p[2*wordSize:])|word(p[3*wordSize:]))&nonASCII == 0 {
				p = p[4*wordSize:]
			}
			continue
		}
		q := p[:8]
		s = utf8Table[q[0]] >> (s & 31)
		s = utf8Table[q[1]] >> (s & 31)
		s = utf8Table[q[2]] >> (s & 31)
		s = utf8Table[q[3]] >> (s & 31)
		s = utf8Table[q[4]] >> (s & 31)
		s = utf8Table[q[5]] >> (s & 31)
		s = utf8Table[q[6]] >> (s & 31)
		s = utf8Table[q[7]] >> (s & 31)
		p = p[8:]
	}
	for _, c := range p {
		s = utf8Table[c] >> (s & 31)
	}
	return s & 31
}
