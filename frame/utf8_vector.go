//go:build (amd64 || arm64) && !purego

package frame

// utf8Block is the length from which vectors pay.
const utf8Block = 32

// utf8Blocks is utf8Run for p of utf8Block bytes or more.
func utf8Blocks(s uint32, p []byte) uint32 {
	for s != utf8Start && len(p) > 0 { // the code point that the last piece cut
		s = utf8Table[p[0]] >> s & 31
		p = p[1:]
	}
	if n := len(p); n >= utf8Block && hasVectors {
		if n < utf8Block+lookBack {
			n = utf8Block
		}
		if !validBlocks(&p[0], n, &utf8Lookup) {
			return utf8Reject
		}
		if p = p[wholeRunes(p[:n]):]; len(p) == 0 {
			return utf8Start
		}
	}
	return utf8Run(s, p)
}

// validBlocks checks n bytes of text that begins with a whole code point, for
// everything but a code point that is not finished at their end; n is utf8Block,
// or at least lookBack more.
//
//go:noescape
func validBlocks(p *byte, n int, lookup *[3][16]byte) bool

// wholeRunes returns the length of p without the code point that its last bytes
// begin but do not finish, if there is one. Nothing else is wrong with p.
func wholeRunes(p []byte) int {
	n := len(p)
	switch {
	case p[n-1] >= 0xc0: // a lead
		return n - 1
	case p[n-2] >= 0xe0: // a lead that needs two more, or three
		return n - 2
	case p[n-3] >= 0xf0: // a lead that needs three more
		return n - 3
	}
	return n
}

// The vector kernels check each byte together with the one before it. The two are
// wrong for one of these reasons, each of which is a bit:
const (
	tooShort  = 1 << iota // a lead, and no continuation behind it
	tooLong               // ASCII, and a continuation behind it
	overlong3             // e0, 80-9f
	tooLarge              // f4, 90-bf; f5-ff, 90-bf
	surrogate             // ed, a0-bf
	overlong2             // c0-c1, any continuation
	overlong4             // f0, 80-8f; and f5-ff, 80-8f, which no other bit has
	twoInARow             // two continuations: right if a lead of 3 or 4 is in front
)

// Three nibbles tell them apart: the two of the first byte, and the high one of
// the second. utf8Lookup says for each value of each nibble which reasons it does
// not rule out; the reasons that none of the three rules out are there. The idea,
// and that 16 bytes are just what a vector register looks up at once, is of Keiser
// and Lemire, "Validating UTF-8 In Less Than One Instruction Per Byte" (2021).
var utf8Lookup = [3][16]byte{
	{ // the first byte's high nibble
		0x0: tooLong, 0x1: tooLong, 0x2: tooLong, 0x3: tooLong,
		0x4: tooLong, 0x5: tooLong, 0x6: tooLong, 0x7: tooLong,
		0x8: twoInARow, 0x9: twoInARow, 0xa: twoInARow, 0xb: twoInARow,
		0xc: tooShort | overlong2,
		0xd: tooShort,
		0xe: tooShort | overlong3 | surrogate,
		0xf: tooShort | tooLarge | overlong4,
	},
	{ // the first byte's low nibble
		0x0: anyLow | overlong2 | overlong3 | overlong4,
		0x1: anyLow | overlong2,
		0x2: anyLow, 0x3: anyLow,
		0x4: anyLow | tooLarge,
		0x5: above, 0x6: above, 0x7: above, 0x8: above,
		0x9: above, 0xa: above, 0xb: above, 0xc: above,
		0xd: above | surrogate, 0xe: above, 0xf: above,
	},
	{ // the second byte's high nibble
		0x0: tooShort, 0x1: tooShort, 0x2: tooShort, 0x3: tooShort,
		0x4: tooShort, 0x5: tooShort, 0x6: tooShort, 0x7: tooShort,
		0x8: anyNext | overlong3 | overlong4,
		0x9: anyNext | overlong3 | tooLarge,
		0xa: anyNext | surrogate | tooLarge,
		0xb: anyNext | surrogate | tooLarge,
		0xc: tooShort, 0xd: tooShort, 0xe: tooShort, 0xf: tooShort,
	},
}

const (
	anyLow  = tooShort | tooLong | twoInARow  // the low nibble has no say in these
	above   = anyLow | tooLarge | overlong4   // a lead f5 to ff, if it is one
	anyNext = tooLong | overlong2 | twoInARow // any continuation will do for these
)
