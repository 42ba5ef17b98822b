package deflate

import "encoding/binary"

// roomForMatch is what the fast loop may write for one match: the longest, of 258
// bytes, and a little more.
const roomForMatch = 258 + 8

// lookUp finds the entry of the code at the start of acc, and how many bits stand
// before those that it tells.
func lookUp(table []entry, acc uint64, primary uint) (e entry, before uint) {
	e = table[acc&(1<<primary-1)]
	if e&flagSub == 0 {
		return e, 0
	}
	i := uint64(e>>16) + acc>>primary&(1<<(e>>8&0xf)-1)
	return table[i], primary
}

// symbol decodes one literal or match if all bits of it are there: no symbol is
// ever half read.
func (f *inflater) symbol(end int) (enough, sound bool) {
	f.need(48)
	e, before := lookUp(f.lit, f.acc, litBits)
	n := before + uint(e&0x3f)
	if n > f.nacc {
		return false, true
	}
	switch {
	case e&flagLiteral != 0:
		f.drop(n)
		f.buf[f.w] = byte(e >> 16)
		f.w++
		return true, true
	case e&flagEnd != 0:
		f.drop(n)
		f.endBlock()
		return true, true
	case e&flagSpecial != 0:
		return true, false
	}
	d, beforeDist := lookUp(f.distances, f.acc>>n, distBits)
	all := n + beforeDist + uint(d&0x3f)
	if all > f.nacc {
		return false, true
	}
	if d&flagSpecial != 0 {
		return true, false
	}
	f.length = extended(e, f.acc>>before)
	f.dist = extended(d, f.acc>>(n+beforeDist))
	f.drop(all)
	f.phase = inMatch
	return true, true
}

// extended is a length or distance: its base and the extra bits behind the code, at
// the start of acc.
func extended(e entry, acc uint64) int {
	all, code := e&0x3f, e>>8&0xf
	return int(e>>16) + int(acc&(1<<all-1)>>code)
}

func (f *inflater) copyMatch(end int) (enough, sound bool) {
	if f.dist > f.w {
		return true, false
	}
	for f.length > 0 && f.w < end {
		n := copy(f.buf[f.w:min(end, f.w+f.length)], f.buf[f.w-f.dist:f.w])
		f.w += n
		f.length -= n
	}
	if f.length == 0 {
		f.phase = inBlock
	}
	return true, true
}

// fastSymbols decodes symbols as long as there is plenty of input and of room. It
// ends a block where that ends, and leaves the last few symbols to symbol. Most of
// the time of inflating is spent here: hence its length, variables for all fields,
// and up to three literals in a row before input is taken again.
func (f *inflater) fastSymbols(end int) (sound bool) {
	var (
		in        = f.in
		i         = 0
		acc, n    = f.acc, f.nacc
		w         = f.w
		buf       = &f.buf
		lit       = f.lit[:litEntries]
		distances = f.distances[:distEntries]
	)
	sound = true
loop:
	for i+16 <= len(in) && w+roomForMatch <= end {
		acc |= binary.LittleEndian.Uint64(in[i:]) << (n & 63)
		i += int((63 - n) >> 3)
		n |= 56
		e := lit[acc&(1<<litBits-1)]
		if e&flagLiteral != 0 {
			acc >>= e & 63
			n -= uint(e & 63)
			buf[w] = byte(e >> 16)
			w++
			e = lit[acc&(1<<litBits-1)]
			if e&flagLiteral != 0 {
				acc >>= e & 63
				n -= uint(e & 63)
				buf[w] = byte(e >> 16)
				w++
				e = lit[acc&(1<<litBits-1)]
				if e&flagLiteral != 0 {
					acc >>= e & 63
					n -= uint(e & 63)
					buf[w] = byte(e >> 16)
					w++
					continue
				}
			}
			acc |= binary.LittleEndian.Uint64(in[i:]) << (n & 63)
			i += int((63 - n) >> 3)
			n |= 56
		}
		if e&flagSpecial != 0 {
			if e&flagSub != 0 {
				acc >>= litBits
				n -= litBits
				e = lit[int(e>>16)+int(acc&(1<<(e>>8&0xf)-1))]
				if e&flagLiteral != 0 {
					acc >>= e & 63
					n -= uint(e & 63)
					buf[w] = byte(e >> 16)
					w++
					continue
				}
			}
			if e&flagSpecial != 0 {
				if e&flagEnd == 0 {
					sound = false
					break loop
				}
				acc >>= e & 63
				n -= uint(e & 63)
				f.phase = atBlock // endBlock needs the fields
				break loop
			}
		}
		length := int(e>>16) + int(acc&(1<<(e&63)-1)>>(e>>8&0xf))
		acc >>= e & 63
		n -= uint(e & 63)
		d := distances[acc&(1<<distBits-1)]
		if d&flagSpecial != 0 {
			if d&flagSub == 0 {
				sound = false
				break loop
			}
			acc >>= distBits
			n -= distBits
			d = distances[int(d>>16)+int(acc&(1<<(d>>8&0xf)-1))] // a distance: the code is complete
		}
		dist := int(d>>16) + int(acc&(1<<(d&63)-1)>>(d>>8&0xf))
		acc >>= d & 63
		n -= uint(d & 63)
		if dist > w {
			sound = false
			break loop
		}
		w = repeat(buf, w, length, dist)
	}
	f.in, f.w = in[i:], w
	f.acc, f.nacc = acc&(1<<(n&63)-1), n
	if f.phase == atBlock {
		f.endBlock()
	}
	return sound
}

// repeat appends to buf[:w] length bytes that stand dist bytes before. It may write
// up to 7 bytes more.
func repeat(buf *[2 * maxWindow]byte, w, length, dist int) int {
	end := w + length
	src := w - dist
	switch {
	case dist >= length && length > 32:
		copy(buf[w:end], buf[src:])
	case dist >= 8:
		for {
			binary.LittleEndian.PutUint64(buf[w:], binary.LittleEndian.Uint64(buf[src:]))
			if w += 8; w >= end {
				break
			}
			src += 8
		}
	case dist == 1:
		run := buf[w:end]
		c := buf[src]
		for i := range run {
			run[i] = c
		}
	default:
		for w < end {
			w += copy(buf[w:end], buf[src:w])
		}
	}
	return end
}
