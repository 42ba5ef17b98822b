package frame

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

// What is longer than a block is checked by vectors, where there are any. The tests
// of this file set them against the automaton, byte by byte, which the others set
// against the grammar.

// utf8Scripts are texts as they are written, but for their length.
var utf8Scripts = []struct{ name, unit string }{
	{"ascii", "the quick brown fox "},
	{"latin", "Grüße aus Köln an Zoë "},
	{"cyrillic", "Съешь же ещё этих мягких французских булок "},
	{"cjk", "天地玄黄宇宙洪荒"},
	{"emoji", "😀🎉🚀👍🏽"},
	{"mixed", "{\"text\": \"Привет, 世界! 😀\", \"from\": \"Zoë\", \"id\": 12345678901234567890} "},
}

// wrongAt returns where the first byte of p lies that no continuation could make
// right, len(p) if there is none, and whether p is complete.
func wrongAt(p []byte) (n int, complete bool) {
	s := uint32(utf8Start)
	for i := range p {
		if s = utf8Run(s, p[i:i+1]); s == utf8Reject {
			return i, false
		}
	}
	return len(p), s == utf8Start
}

// checkBlocks compares a text as a whole, cut before and behind its first wrong
// byte, and cut in the middle.
func checkBlocks(p []byte) error {
	n, complete := wrongAt(p)
	want := verdict{n == len(p), complete}
	if got := inPieces(p); got != want {
		return fmt.Errorf("%q: %+v, want %+v", p, got, want)
	}
	if got := inPieces(p[:len(p)/2], p[len(p)/2:]); got != want {
		return fmt.Errorf("%q, cut at %d: %+v, want %+v", p, len(p)/2, got, want)
	}
	if got := inPieces(p[:n]); !got.start {
		return fmt.Errorf("%q: refused, and it could be the beginning of text", p[:n])
	}
	if n < len(p) {
		if got := inPieces(p[:n+1]); got.start {
			return fmt.Errorf("%q: its last byte is not seen to be wrong", p[:n+1])
		}
	}
	return nil
}

// places are where text of one kind or another is checked in another way: the first
// block, the pairs after it, the single one, the last one, and the edges between.
var places = func() (all []place) {
	for _, fill := range []string{"x", "é", "世", "😀"} {
		for _, length := range []int{32, 36, 71, 131} {
			for _, at := range []int{0, 13, 29, 31, 62, 95, length - 4} {
				if at -= at % len(fill); at+4 <= length {
					all = append(all, place{[]byte(strings.Repeat(fill, 140/len(fill)+1)), length, at})
				}
			}
		}
	}
	return all
}()

type place struct {
	text       []byte
	length, at int
}

// put returns p's text with some bytes put in.
func (p place) put(some []byte) []byte {
	text := append(make([]byte, 0, 256), p.text[:p.at]...)
	return append(append(text, some...), p.text...)[:p.length]
}

func TestUTF8_AllPairsOfBytes_InsideText(t *testing.T) {
	for i := range 1 << 16 {
		some := []byte{byte(i >> 8), byte(i)}
		for k := range 8 { // of the places, each time others
			if err := checkBlocks(places[(8*i+k)%len(places)].put(some)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestUTF8_FourBytesAtTheBoundaries_InsideText(t *testing.T) {
	const n = len(utf8Bounds)
	for i := range n * n * n * n {
		some := []byte{utf8Bounds[i/n/n/n], utf8Bounds[i/n/n%n], utf8Bounds[i/n%n], utf8Bounds[i%n]}
		for k := range 2 {
			if err := checkBlocks(places[(2*i+k)%len(places)].put(some)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Surrogates too, and what would be above Unicode.
func TestUTF8_AllCodePoints_InsideText(t *testing.T) {
	text := []byte(strings.Repeat("x", 131))
	for c := range 0x200000 {
		var p [4]byte
		n := 4
		switch {
		case c < 0x80:
			p, n = [4]byte{byte(c)}, 1
		case c < 0x800:
			p, n = [4]byte{0xc0 | byte(c>>6), 0x80 | byte(c&63)}, 2
		case c < 0x10000:
			p, n = [4]byte{0xe0 | byte(c>>12), 0x80 | byte(c>>6&63), 0x80 | byte(c&63)}, 3
		default:
			p = [4]byte{0xf0 | byte(c>>18), 0x80 | byte(c>>12&63), 0x80 | byte(c>>6&63), 0x80 | byte(c&63)}
		}
		at := c % (len(text) - 4)
		copy(text[at:], p[:n])
		if got, want := inPieces(text).valid, utf8.ValidRune(rune(c)); got != want {
			t.Fatalf("U+%04X at %d: %v, want %v", c, at, got, want)
		}
		copy(text[at:], "xxxx")
	}
}

// A machine without vectors has nothing else.
func TestUTF8Run_OfLongTexts_AgreesWithTheStandardLibrary(t *testing.T) {
	for _, script := range utf8Scripts {
		text := []byte(strings.Repeat(script.unit, 10))
		for i := range text {
			for _, c := range []byte{text[i], 'x', 0x80, 0xc0, 0xf0} {
				p := bytes.Clone(text)
				p[i] = c
				if got, want := utf8Run(utf8Start, p) == utf8Start, utf8.Valid(p); got != want {
					t.Fatalf("%q: %v, want %v", p, got, want)
				}
			}
		}
	}
}

func TestUTF8_TextCutAnywhere_IsNotWrong(t *testing.T) {
	for _, script := range utf8Scripts {
		text := []byte(strings.Repeat(script.unit, 300/len(script.unit)+1))
		for begin := range 64 {
			if !utf8.RuneStart(text[begin]) {
				continue
			}
			for n := range 200 {
				p := text[begin:]
				var v UTF8
				if !v.Write(p[:n]) {
					t.Fatalf("%s, %q: refused", script.name, p[:n])
				}
				if got, want := v.Complete(), utf8.RuneStart(p[n]); got != want {
					t.Fatalf("%s, %q: complete %v, want %v", script.name, p[:n], got, want)
				}
				if !v.Write(p[n:]) || !v.Complete() {
					t.Fatalf("%s, %q: refused behind a piece of %d", script.name, p[n:], n)
				}
			}
		}
	}
}

func TestUTF8_AnyByteChanged_IsSeen(t *testing.T) {
	for _, script := range utf8Scripts {
		text := []byte(strings.Repeat(script.unit, 131/len(script.unit)+1))[:131]
		for i := range text {
			for c := range 256 {
				p := bytes.Clone(text)
				p[i] = byte(c)
				if err := checkBlocks(p); err != nil {
					t.Fatalf("%s, byte %d is %#x: %v", script.name, i, c, err)
				}
			}
		}
	}
}

func TestUTF8_ChangedAtRandom_IsSeen(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200_000 {
		var p []byte
		for length := r.IntN(400); len(p) < length; {
			p = append(p, utf8Scripts[r.IntN(len(utf8Scripts))].unit...)
		}
		for range r.IntN(4) {
			if len(p) == 0 {
				break
			}
			i := r.IntN(len(p))
			switch r.IntN(3) {
			case 0:
				p[i] = byte(r.Uint32())
			case 1:
				p = append(p[:i], p[i+1:]...)
			case 2:
				p = p[:i]
			}
		}
		if err := checkBlocks(p); err != nil {
			t.Fatal(err)
		}
	}
}
