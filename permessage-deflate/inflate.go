package deflate

const maxWindow = 1 << MaxWindowBits

// What an inflater is at.
type phase uint8

const (
	atBlock    phase = iota // a block's header
	atStored                // a stored block's length
	inStored                // its bytes
	atDynamic               // the three counts of a block with codes of its own
	atCodeLens              // the lengths of the code length code
	atLens                  // the lengths of the block's codes
	inBlock                 // its symbols
	inMatch                 // bytes to repeat
)

// An inflater decodes DEFLATE (RFC 1951) that comes in pieces, cut anywhere. It has
// read no more of the input than it tells, and can go on in any phase.
type inflater struct {
	phase phase
	final bool // this block is the last, it says (BFINAL)

	in   []byte // input not looked at
	acc  uint64 // input looked at and not used: nacc bits, the first one lowest
	nacc uint

	length, dist int // of a match, or length of a stored block, still to do

	lit, distances     []entry // the tables in use
	nlen, ndist, ncode int     // how many codes a block announces
	got                int     // lengths read
	lens               [numLit + numDist]uint8
	ownLit             [litEntries]entry
	ownDist            [distEntries]entry

	// buf[:w] is the last of what has been inflated, buf[r:w] not yet handed out.
	r, w int
	buf  [2 * maxWindow]byte
}

// start begins a message whose history is window.
func (f *inflater) start(window []byte) {
	f.phase, f.final = atBlock, false
	f.acc, f.nacc = 0, 0
	f.w = copy(f.buf[:], window)
	f.r = f.w
}

// atEnd reports whether a message may end here: all its blocks and bytes are whole.
func (f *inflater) atEnd() bool { return f.phase == atBlock && f.nacc == 0 }

// slide begins a new piece and makes room for it: of what has been handed out only
// a window is needed.
func (f *inflater) slide() {
	if f.w > len(f.buf)*3/4 {
		f.w = copy(f.buf[:], f.buf[f.w-maxWindow:f.w])
	}
	f.r = f.w
}

// inflate goes on with in until that is used up or buf[:end] is full; there is room
// when it begins. sound is false if no DEFLATE stream goes on like that.
func (f *inflater) inflate(in []byte, end int) (used int, sound bool) {
	f.in = in
	for enough, sound := true, true; enough && f.w < end; {
		if enough, sound = f.step(end); !sound {
			return 0, false
		}
	}
	used = len(in) - len(f.in)
	f.in = nil
	return used, true
}

// step does the next thing. enough is false if it needs more input for that.
func (f *inflater) step(end int) (enough, sound bool) {
	switch f.phase {
	case atBlock:
		return f.beginBlock()
	case atStored:
		return f.beginStored()
	case inStored:
		return f.copyStored(end), true
	case atDynamic:
		return f.beginDynamic()
	case atCodeLens:
		return f.readCodeLens()
	case atLens:
		return f.readLens()
	case inMatch:
		return f.copyMatch(end)
	}
	if ok := f.fastSymbols(end); !ok {
		return true, false
	}
	if f.phase != inBlock {
		return true, true
	}
	return f.symbol(end)
}

// need sees to it that n bits, 48 at the most, have been looked at.
func (f *inflater) need(n uint) bool {
	for f.nacc < n {
		if len(f.in) == 0 {
			return false
		}
		f.acc |= uint64(f.in[0]) << f.nacc
		f.in = f.in[1:]
		f.nacc += 8
	}
	return true
}

func (f *inflater) drop(n uint) {
	f.acc >>= n
	f.nacc -= n
}

func (f *inflater) take(n uint) int {
	v := int(f.acc & (1<<n - 1))
	f.drop(n)
	return v
}

func (f *inflater) beginBlock() (enough, sound bool) {
	if !f.need(3) {
		return false, true
	}
	f.final = f.take(1) == 1
	switch f.take(2) {
	case 0:
		f.drop(f.nacc & 7)
		f.phase = atStored
	case 1:
		f.lit, f.distances = fixedLit[:], fixedDist[:]
		f.phase = inBlock
	case 2:
		f.phase = atDynamic
	default:
		return true, false
	}
	return true, true
}

// endBlock is met behind every block. One that says it is the last ends at a byte's
// end, and what follows is a stream of its own but for the window (7692 §7.2.3.4).
func (f *inflater) endBlock() {
	if f.final {
		f.drop(f.nacc & 7)
	}
	f.phase = atBlock
}

func (f *inflater) beginStored() (enough, sound bool) {
	if !f.need(32) {
		return false, true
	}
	n := f.take(16)
	if f.take(16) != n^0xffff {
		return true, false
	}
	f.length, f.phase = n, inStored
	if n == 0 {
		f.endBlock()
	}
	return true, true
}

func (f *inflater) copyStored(end int) (enough bool) {
	for f.nacc > 0 && f.length > 0 && f.w < end {
		f.buf[f.w] = byte(f.take(8))
		f.w++
		f.length--
	}
	n := copy(f.buf[f.w:end], f.in[:min(len(f.in), f.length)])
	f.in = f.in[n:]
	f.w += n
	if f.length -= n; f.length == 0 {
		f.endBlock()
		return true
	}
	return len(f.in) > 0
}

func (f *inflater) beginDynamic() (enough, sound bool) {
	if !f.need(14) {
		return false, true
	}
	f.nlen, f.ndist, f.ncode = 257+f.take(5), 1+f.take(5), 4+f.take(4)
	f.got, f.phase = 0, atCodeLens
	return true, f.nlen <= numLit && f.ndist <= numDist
}

// codeOrder is the order in which the code length code's lengths come.
var codeOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

func (f *inflater) readCodeLens() (enough, sound bool) {
	for ; f.got < f.ncode; f.got++ {
		if !f.need(3) {
			return false, true
		}
		f.lens[codeOrder[f.got]] = uint8(f.take(3))
	}
	for _, i := range codeOrder[f.ncode:] {
		f.lens[i] = 0
	}
	// The table is needed until the block's own are built, one of which it is not
	// in the way of.
	f.got, f.phase = 0, atLens
	return true, buildTable(f.ownDist[:], codeBits, f.lens[:len(codeOrder)], codeSymbols)
}

func (f *inflater) readLens() (enough, sound bool) {
	for all := f.nlen + f.ndist; f.got < all; {
		f.need(codeBits + 7) // all that one can take, if there is as much
		e := f.ownDist[f.acc&(1<<codeBits-1)]
		l, sym := uint(e&0xff), int(e>>16)
		var extra uint
		if l != 0 && e&flagSpecial == 0 && sym >= 16 {
			extra = [3]uint{2, 3, 7}[sym-16]
		}
		if f.nacc < l+extra {
			return false, true
		}
		if e&flagSpecial != 0 {
			return true, false
		}
		l = uint(e >> 8 & 0xf)
		f.drop(l)
		var value uint8
		times := 1
		switch sym {
		case 16:
			if f.got == 0 {
				return true, false
			}
			value, times = f.lens[f.got-1], 3+f.take(2)
		case 17:
			times = 3 + f.take(3)
		case 18:
			times = 11 + f.take(7)
		default:
			value = uint8(sym)
		}
		if times > all-f.got {
			return true, false
		}
		for range times {
			f.lens[f.got] = value
			f.got++
		}
	}
	f.lit, f.distances, f.phase = f.ownLit[:], f.ownDist[:], inBlock
	return true, buildTable(f.ownLit[:], litBits, f.lens[:f.nlen], litSymbols) &&
		buildTable(f.ownDist[:], distBits, f.lens[f.nlen:f.nlen+f.ndist], distSymbols)
}
