package frame

import "unicode/utf8"

// UTF8 checks text that arrives in pieces, cut anywhere (§8.1). It fails at the
// first piece that no continuation could make valid, not only at the end. The
// zero value is ready for a new message.
type UTF8 struct {
	// The code point that the last piece left unfinished: how many bytes it
	// still needs, and what the next of them must lie between. All zero when
	// there is none.
	need, low, high byte
}

// Write checks the next piece and reports whether the text so far is the start
// of valid UTF-8. It keeps no reference to p. After a false, call Reset before
// the next text.
func (v *UTF8) Write(p []byte) bool {
	for v.need > 0 && len(p) > 0 {
		if p[0] < v.low || p[0] > v.high {
			return false
		}
		v.need--
		v.low, v.high = 0x80, 0xbf
		p = p[1:]
	}
	whole := wholeRunes(p)
	if !utf8.Valid(p[:whole]) {
		return false
	}
	if whole == len(p) {
		return true
	}
	if !v.begin(p[whole]) {
		return false
	}
	return v.Write(p[whole+1:]) // at most two more bytes, all of this code point
}

// Complete reports whether the text may end here: no code point is half done.
func (v *UTF8) Complete() bool { return v.need == 0 }

// Reset makes v ready for a new text.
func (v *UTF8) Reset() { *v = UTF8{} }

// wholeRunes returns the length of p without the code point that its last bytes
// begin but do not finish, if there is one.
func wholeRunes(p []byte) int {
	for back := 1; back <= 3 && back <= len(p); back++ {
		c := p[len(p)-back]
		if c&0xc0 == 0x80 {
			continue // a continuation byte: its lead stands further left
		}
		if c >= 0xc0 && back < leadLength(c) {
			return len(p) - back
		}
		break
	}
	return len(p)
}

// leadLength returns how long a code point that starts with c >= 0xc0 claims to be.
func leadLength(c byte) int {
	switch {
	case c < 0xe0:
		return 2
	case c < 0xf0:
		return 3
	}
	return 4
}

// begin takes the first byte of a code point and sets what may follow, by the
// table of RFC 3629 §4: no overlong forms, no surrogates, nothing above U+10FFFF.
func (v *UTF8) begin(c byte) bool {
	v.low, v.high = 0x80, 0xbf
	switch {
	case c < 0xc2 || c > 0xf4:
		return false
	case c == 0xe0:
		v.low = 0xa0
	case c == 0xed:
		v.high = 0x9f
	case c == 0xf0:
		v.low = 0x90
	case c == 0xf4:
		v.high = 0x8f
	}
	v.need = byte(leadLength(c) - 1)
	return true
}
