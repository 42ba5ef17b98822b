package deflate

import "math/bits"

// A Huffman table is looked up with the next bits of the input, the first of
// primary bits at once. What an entry says is packed, so that the inflater's loop
// needs one load for it:
//
//	literal    flagLiteral | byte << 16                            | length
//	length     base << 16                   | length of code << 8  | all bits
//	distance   base << 16                   | length of code << 8  | all bits
//	long code  flagSpecial | flagSub | first entry << 16 | bits of it << 8 | primary
//	end        flagSpecial | flagEnd                               | length
//	no symbol  flagSpecial                                         | length
//
// All bits are those of the code and the extra bits behind it, together.
type entry = uint32

const (
	flagLiteral entry = 1 << 31
	flagSpecial entry = 1 << 15
	flagSub     entry = 1 << 14
	flagEnd     entry = 1 << 13

	litBits  = 10
	distBits = 8
	codeBits = 7 // of the code length code: no code is longer

	// The most entries that codes of 288 and 32 symbols need, of 15 bits at the
	// most, with so many primary bits.
	litEntries  = 1334
	distEntries = 402

	maxCodeLen = 15
	numLit     = 286 // symbols that a block may use
	numDist    = 30
)

// lengthBase and the others are the tables of RFC 1951 §3.2.5.
var (
	lengthBase  = [...]uint16{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	lengthExtra = [...]uint8{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
)

func litEntry(sym int) entry {
	switch {
	case sym < 256:
		return flagLiteral | entry(sym)<<16
	case sym == 256:
		return flagSpecial | flagEnd
	case sym < numLit:
		return entry(lengthBase[sym-257])<<16 | entry(lengthExtra[sym-257])
	}
	return flagSpecial
}

func distEntry(sym int) entry {
	switch {
	case sym < 2:
		return entry(sym+1) << 16
	case sym < numDist:
		extra := sym/2 - 1
		return entry((2+sym&1)<<extra+1)<<16 | entry(extra)
	}
	return flagSpecial
}

func codeEntry(sym int) entry { return entry(sym) << 16 }

// What each symbol's entry says but for its code.
var (
	litSymbols  = symbols(288, litEntry)
	distSymbols = symbols(32, distEntry)
	codeSymbols = symbols(19, codeEntry)
)

func symbols(n int, of func(int) entry) []entry {
	list := make([]entry, n)
	for i := range list {
		list[i] = of(i)
	}
	return list
}

// The tables of blocks with fixed codes (RFC 1951 §3.2.6).
var (
	fixedLit  [litEntries]entry
	fixedDist [distEntries]entry
)

func init() {
	var lens [288]uint8
	for i := range lens {
		switch {
		case i < 144:
			lens[i] = 8
		case i < 256:
			lens[i] = 9
		case i < 280:
			lens[i] = 7
		default:
			lens[i] = 8
		}
	}
	buildTable(fixedLit[:], litBits, lens[:], litSymbols)
	for i := range 32 {
		lens[i] = 5
	}
	buildTable(fixedDist[:], distBits, lens[:32], distSymbols)
}

// buildTable makes the table of the canonical code with these lengths, and reports
// whether there is one: it must be complete, but for a single code of one bit and
// for none at all.
func buildTable(table []entry, primary int, lens []uint8, syms []entry) bool {
	var count [maxCodeLen + 1]int
	for _, l := range lens {
		count[l]++
	}
	used := len(lens) - count[0]
	count[0] = 0
	left, longest := 1, 0
	var next [maxCodeLen + 2]int // where symbols of each length begin in sorted
	for l := 1; l <= maxCodeLen; l++ {
		left = left<<1 - count[l]
		if left < 0 {
			return false
		}
		if count[l] > 0 {
			longest = l
		}
		next[l+1] = next[l] + count[l]
	}
	if left > 0 {
		if used > 1 || longest > 1 {
			return false
		}
		for i := range table[:1<<primary] {
			table[i] = flagSpecial | 1
		}
	}
	var sorted [288]uint16
	for sym, l := range lens {
		if l > 0 {
			sorted[next[l]] = uint16(sym)
			next[l]++
		}
	}
	t := tableBuilder{table, primary, 1 << primary, 0, 0}
	t.fill(sorted[:used], lens, syms, count)
	return true
}

// tableBuilder fills a table with codes in their order.
type tableBuilder struct {
	table    []entry
	primary  int
	free     int // where the next subtable goes
	sub, len int // the present subtable and the bits it is looked up with
}

func (t *tableBuilder) fill(sorted []uint16, lens []uint8, syms []entry, count [maxCodeLen + 1]int) {
	code, last, prefix := 0, 0, -1
	for _, sym := range sorted {
		l := int(lens[sym])
		code <<= l - last
		last = l
		reversed := int(bits.Reverse16(uint16(code))) >> (16 - l)
		code++
		if l <= t.primary {
			e := coded(syms[sym], l)
			for i := reversed; i < 1<<t.primary; i += 1 << l {
				t.table[i] = e
			}
		} else {
			if low := reversed & (1<<t.primary - 1); low != prefix {
				prefix = low
				t.begin(low, l, count)
			}
			e := coded(syms[sym], l-t.primary)
			for i := reversed >> t.primary; i < 1<<t.len; i += 1 << (l - t.primary) {
				t.table[t.sub+i] = e
			}
		}
		count[l]--
	}
}

// begin starts the subtable of the codes that begin with the primary bits low, the
// shortest of which has l bits. It is as large as all codes that begin so need.
func (t *tableBuilder) begin(low, l int, count [maxCodeLen + 1]int) {
	n := l - t.primary
	for room := 1<<n - count[l]; room > 0 && n+t.primary < maxCodeLen; {
		n++
		room = room<<1 - count[n+t.primary]
	}
	t.sub, t.len = t.free, n
	t.free += 1 << n
	t.table[low] = flagSpecial | flagSub | entry(t.sub)<<16 | entry(n)<<8 | entry(t.primary)
}

// coded is an entry with a code of l bits.
func coded(e entry, l int) entry {
	if e&(flagLiteral|flagSpecial) == 0 {
		e |= entry(l) << 8
	}
	return e + entry(l)
}
