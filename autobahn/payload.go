package autobahn

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A payload is octets that are written down briefly: units, each repeated until its
// length is full. The zero payload is empty.
type payload []repeated

type repeated struct {
	unit   []byte
	length int64
}

func text(s string) payload { return payload{{[]byte(s), int64(len(s))}} }

// Len returns the number of octets.
func (p payload) Len() (n int64) {
	for _, r := range p {
		n += r.length
	}
	return n
}

// Bytes returns all octets, in memory of its own.
func (p payload) Bytes() []byte {
	var b bytes.Buffer
	b.Grow(int(p.Len()))
	p.WriteTo(&b)
	return b.Bytes()
}

// WriteTo writes the octets without holding more than some of them.
func (p payload) WriteTo(w io.Writer) (written int64, err error) {
	for _, r := range p {
		piece := bytes.Repeat(r.unit, max(1, 32<<10/max(1, len(r.unit))))
		for left := r.length; left > 0; {
			n, err := w.Write(piece[:min(left, int64(len(piece)))])
			written, left = written+int64(n), left-int64(n)
			if err != nil {
				return written, err
			}
		}
	}
	return written, nil
}

// parsePayload reads `"text" x 3 + hex 00 ff to 10`; no words are an empty payload.
func parsePayload(words []string) (p payload, err error) {
	for len(words) > 0 {
		var r repeated
		if r.unit, words, err = parseUnit(words); err != nil {
			return nil, err
		}
		if r.length, words, err = parseRepeat(words, len(r.unit)); err != nil {
			return nil, err
		}
		p = append(p, r)
		if len(words) == 0 {
			return p, nil
		}
		if words[0] != "+" || len(words) == 1 {
			return nil, fmt.Errorf("%q after a payload: join payloads with +, repeat them with `x N` or `to N`, and put flags before them", words[0])
		}
		words = words[1:]
	}
	return nil, nil
}

// parseUnit reads `"text"` or `hex 00 ff`.
func parseUnit(words []string) (unit []byte, rest []string, err error) {
	if strings.HasPrefix(words[0], `"`) {
		s, err := strconv.Unquote(words[0])
		if err != nil {
			return nil, nil, fmt.Errorf("%s is no text: write it in double quotes, with Go's escapes", words[0])
		}
		return []byte(s), words[1:], nil
	}
	if words[0] != "hex" {
		return nil, nil, fmt.Errorf("%q is no payload: write \"text\" or `hex 00 ff`", words[0])
	}
	rest = words[1:]
	for len(rest) > 0 && rest[0] != "x" && rest[0] != "to" && rest[0] != "+" {
		octets, err := hex.DecodeString(rest[0])
		if err != nil {
			return nil, nil, fmt.Errorf("%q is no hex: write pairs of 0-9 and a-f", rest[0])
		}
		unit, rest = append(unit, octets...), rest[1:]
	}
	return unit, rest, nil
}

// parseRepeat reads `x N` or `to N` after a unit.
func parseRepeat(words []string, unit int) (length int64, rest []string, err error) {
	if len(words) == 0 || words[0] != "x" && words[0] != "to" {
		return int64(unit), words, nil
	}
	if len(words) == 1 {
		return 0, nil, fmt.Errorf("a number is missing after %q", words[0])
	}
	n, err := parseNumber(words[1])
	switch {
	case err != nil:
		return 0, nil, err
	case words[0] == "x":
		return n * int64(unit), words[2:], nil
	case unit == 0 && n > 0:
		return 0, nil, fmt.Errorf("nothing cannot be repeated to %d octets: write what to repeat", n)
	}
	return n, words[2:], nil
}

// parseNumber reads 4096, 64KiB, 16MiB or 1GiB.
func parseNumber(s string) (int64, error) {
	digits, shift := s, 0
	for i, unit := range []string{"KiB", "MiB", "GiB"} {
		if d, ok := strings.CutSuffix(s, unit); ok {
			digits, shift = d, 10*(i+1)
		}
	}
	n, err := strconv.ParseInt(digits, 10, 32)
	if err != nil || n < 0 || n<<shift > 64<<30 {
		return 0, fmt.Errorf("%q is no number: write digits, perhaps with KiB, MiB or GiB", s)
	}
	return n << shift, nil
}

// splitWords cuts a line at blanks; a text in double quotes is one word, with its
// quotes, and a + is a word of its own after a text.
func splitWords(s string) (words []string, err error) {
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		var word string
		switch {
		case s[0] == '"':
			if word, err = strconv.QuotedPrefix(s); err != nil {
				return nil, fmt.Errorf("%q has no closing quote, or an escape that Go does not know", s)
			}
		case s[0] == '+':
			word = "+"
		default:
			word = s[:len(s)-len(strings.TrimLeftFunc(s, func(r rune) bool { return r != ' ' && r != '\t' }))]
		}
		words, s = append(words, word), s[len(word):]
	}
	return words, nil
}

// equal reports whether s has the payload's octets.
func (p payload) equal(s string) bool {
	if int64(len(s)) != p.Len() {
		return false
	}
	rest := comparer(s)
	_, err := p.WriteTo(&rest)
	return err == nil
}

// A comparer is a writer of octets that must be its own.
type comparer string

func (c *comparer) Write(p []byte) (int, error) {
	if string(p) != string((*c)[:len(p)]) {
		return 0, io.ErrShortWrite
	}
	*c = (*c)[len(p):]
	return len(p), nil
}

// cutText returns the first n octets, or a few less if a character would be cut.
func (p payload) cutText(n int64) payload {
	for short := n; short > max(0, n-utf8.UTFMax); short-- {
		if first := p.cut(short); utf8.Valid(first.Bytes()) {
			return first
		}
	}
	return p.cut(n)
}

// cut returns the first n octets.
func (p payload) cut(n int64) (first payload) {
	for _, r := range p {
		r.length = min(r.length, n)
		n -= r.length
		first = append(first, r)
	}
	return first
}
