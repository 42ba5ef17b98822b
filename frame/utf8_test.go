package frame

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// utf8Rows is the grammar of RFC 3629 §4: what each byte of a code point may be.
var utf8Rows = [][][2]byte{
	{{0x00, 0x7f}},
	{{0xc2, 0xdf}, {0x80, 0xbf}},
	{{0xe0, 0xe0}, {0xa0, 0xbf}, {0x80, 0xbf}},
	{{0xe1, 0xec}, {0x80, 0xbf}, {0x80, 0xbf}},
	{{0xed, 0xed}, {0x80, 0x9f}, {0x80, 0xbf}},
	{{0xee, 0xef}, {0x80, 0xbf}, {0x80, 0xbf}},
	{{0xf0, 0xf0}, {0x90, 0xbf}, {0x80, 0xbf}, {0x80, 0xbf}},
	{{0xf1, 0xf3}, {0x80, 0xbf}, {0x80, 0xbf}, {0x80, 0xbf}},
	{{0xf4, 0xf4}, {0x80, 0x8f}, {0x80, 0xbf}, {0x80, 0xbf}},
}

// utf8ByGrammar reports whether p is the start of valid UTF-8, and whether it is
// valid as it stands.
func utf8ByGrammar(p []byte) (start, valid bool) {
next:
	for len(p) > 0 {
		for _, row := range utf8Rows {
			n := 0
			for n < len(row) && n < len(p) && row[n][0] <= p[n] && p[n] <= row[n][1] {
				n++
			}
			if n == len(row) {
				p = p[n:]
				continue next
			}
			if n == len(p) {
				return true, false
			}
		}
		return false, false
	}
	return true, true
}

// verdict is what UTF8 says of a text so far.
type verdict struct{ start, valid bool }

// write gives v another piece; after a false nothing counts.
func write(v UTF8, p []byte) (UTF8, verdict) {
	start := v.Write(p)
	return v, verdict{start, start && v.Complete()}
}

// checkSplits cuts p in every way there is, 2^(len(p)-1) of them, and compares
// what UTF8 says after each piece with the grammar.
func checkSplits(t *testing.T, p []byte) {
	var want [8]verdict // by length of the text so far
	for n := 1; n <= len(p); n++ {
		want[n].start, want[n].valid = utf8ByGrammar(p[:n])
	}
	if want[len(p)].valid != utf8.Valid(p) {
		t.Fatalf("% x: the grammar disagrees with unicode/utf8", p)
	}
	for cuts := range 1 << (len(p) - 1) {
		var v UTF8
		begin := 0
		for end := 1; end <= len(p); end++ {
			if end < len(p) && cuts>>(end-1)&1 == 0 {
				continue
			}
			var got verdict
			if v, got = write(v, p[begin:end]); got != want[end] {
				t.Fatalf("% x, cut by pattern %b, after % x: %+v, want %+v", p, cuts, p[:end], got, want[end])
			}
			if !got.start {
				break // after a false only Reset counts
			}
			begin = end
		}
	}
}

func TestUTF8_AllStringsOfOneAndTwoBytes_AnySplit(t *testing.T) {
	for a := range 256 {
		checkSplits(t, []byte{byte(a)})
		for b := range 256 {
			checkSplits(t, []byte{byte(a), byte(b)})
		}
	}
}

func TestUTF8_AllStringsOfThreeBytes_AnySplit(t *testing.T) {
	var p [3]byte
	for i := range 1 << 24 {
		p = [3]byte{byte(i >> 16), byte(i >> 8), byte(i)}
		checkSplits(t, p[:])
	}
}

// utf8Bounds are bytes at the edges of every range in utf8Rows, and beyond them.
const utf8Bounds = "\x00\x7f\x80\x8f\x90\x9f\xa0\xbf\xc0\xc1\xc2\xdf\xe0\xe1\xec\xed\xee\xef\xf0\xf1\xf3\xf4\xf5\xff"

func TestUTF8_FourBytesAtTheBoundaries_AnySplit(t *testing.T) {
	const n = len(utf8Bounds)
	for i := range n * n * n * n {
		checkSplits(t, []byte{utf8Bounds[i/n/n/n], utf8Bounds[i/n/n%n], utf8Bounds[i/n%n], utf8Bounds[i%n]})
	}
}

// The cases of Markus Kuhn's decoder stress test, by what they try, and a few more.
var utf8Cases = []struct {
	name, text string
	valid      bool
}{
	{"nothing", "", true},
	{"Greek", "κόσμε", true},
	{"first of 1 byte", "\x00", true},
	{"first of 2 bytes", "\u0080", true},
	{"first of 3 bytes", "\u0800", true},
	{"first of 4 bytes", "\U00010000", true},
	{"first of 5 bytes", "\xf8\x88\x80\x80\x80", false},
	{"first of 6 bytes", "\xfc\x84\x80\x80\x80\x80", false},
	{"last of 1 byte", "\x7f", true},
	{"last of 2 bytes", "\u07ff", true},
	{"last of 3 bytes", "\uffff", true},
	{"last of 4 bytes, had Unicode as many", "\xf7\xbf\xbf\xbf", false},
	{"last before the surrogates", "\ud7ff", true},
	{"first after the surrogates", "\ue000", true},
	{"replacement character", "\ufffd", true},
	{"last of Unicode", "\U0010ffff", true},
	{"one above Unicode", "\xf4\x90\x80\x80", false},
	{"continuation byte alone, first", "\x80", false},
	{"continuation byte alone, last", "\xbf", false},
	{"seven continuation bytes", "\x80\xbf\x80\xbf\x80\xbf\x80", false},
	{"lead of 2 and a space", "\xc3 ", false},
	{"lead of 3 and a space", "\xe1 ", false},
	{"lead of 4 and a space", "\xf1 ", false},
	{"2 bytes less the last", "\xc3", false},
	{"3 bytes less the last", "\xe1\x80", false},
	{"4 bytes less the last", "\xf1\x80\x80", false},
	{"unfinished ones in a row", "\xc3\xe1\x80\xf1\x80\x80", false},
	{"fe", "\xfe", false},
	{"ff", "\xff", false},
	{"overlong slash in 2 bytes", "\xc0\xaf", false},
	{"overlong slash in 3 bytes", "\xe0\x80\xaf", false},
	{"overlong slash in 4 bytes", "\xf0\x80\x80\xaf", false},
	{"highest overlong of 2 bytes", "\xc1\xbf", false},
	{"highest overlong of 3 bytes", "\xe0\x9f\xbf", false},
	{"highest overlong of 4 bytes", "\xf0\x8f\xbf\xbf", false},
	{"overlong zero, as Java has it", "\xc0\x80", false},
	{"first high surrogate", "\xed\xa0\x80", false},
	{"last low surrogate", "\xed\xbf\xbf", false},
	{"pair of surrogates", "\xed\xa0\x80\xed\xb0\x80", false},
	{"noncharacters are characters", "\ufdd0\ufffe\U0001fffe", true},
	{"byte order mark", "\ufeffx", true},
	{"UTF-16", "\xff\xfex\x00", false},
}

func TestUTF8_KnownTroubleMakers(t *testing.T) {
	for _, c := range utf8Cases {
		t.Run(c.name, func(t *testing.T) {
			// Amid much ASCII the fast path is taken up to the trouble.
			for _, around := range []string{"", "x", strings.Repeat("x", 15), strings.Repeat("x", 1000)} {
				for _, text := range []string{c.text, around + c.text, around + c.text + around} {
					if err := checkText([]byte(text), c.valid, 1); err != nil {
						t.Fatal(err)
					}
				}
			}
		})
	}
}

// checkText compares whole, cut in two every step bytes, and byte by byte.
func checkText(p []byte, valid bool, step int) error {
	start, ok := utf8ByGrammar(p)
	if ok != valid {
		return fmt.Errorf("%.40q: the grammar says %v", p, ok)
	}
	want := verdict{start, valid}
	if _, got := write(UTF8{}, p); got != want {
		return fmt.Errorf("%.40q: %+v, want %+v", p, got, want)
	}
	for cut := 0; cut <= len(p); cut += step {
		if got := inPieces(p[:cut], p[cut:]); got != want {
			return fmt.Errorf("%.40q, cut at %d: %+v, want %+v", p, cut, got, want)
		}
	}
	bytewise := make([][]byte, len(p))
	for i := range p {
		bytewise[i] = p[i : i+1]
	}
	if got := inPieces(bytewise...); got != want {
		return fmt.Errorf("%.40q, byte by byte: %+v, want %+v", p, got, want)
	}
	return nil
}

func inPieces(pieces ...[]byte) verdict {
	var v UTF8
	got := verdict{true, true}
	for _, piece := range pieces {
		if v, got = write(v, piece); !got.start {
			break
		}
	}
	return got
}

func TestUTF8_FailsAtTheFirstByteThatCannotBe(t *testing.T) {
	for _, c := range utf8Cases {
		t.Run(c.name, func(t *testing.T) {
			var v UTF8
			for i := range len(c.text) {
				want, _ := utf8ByGrammar([]byte(c.text[:i+1]))
				if got := v.Write([]byte{c.text[i]}); got != want {
					t.Fatalf("% x: %v, want %v", c.text[:i+1], got, want)
				} else if !got {
					return
				}
			}
		})
	}
}

func TestUTF8_EmptyPieces_ChangeNothing(t *testing.T) {
	var v UTF8
	for _, piece := range []string{"", "\xf0", "", "\x9f\x98", "", "", "\x80", ""} {
		if !v.Write([]byte(piece)) {
			t.Fatalf("piece % x refused", piece)
		}
	}
	if !v.Complete() {
		t.Error("the text is not complete")
	}
}

func TestUTF8_Reset_ForgetsTheUnfinished(t *testing.T) {
	var v UTF8
	if !v.Write([]byte("\xf0\x9f")) || v.Complete() {
		t.Fatal("half a code point is complete")
	}
	v.Reset()
	if !v.Complete() || !v.Write([]byte("x")) {
		t.Error("something of the old text is left")
	}
}

func TestUTF8_AllocatesNothing(t *testing.T) {
	text := bytes.Repeat([]byte("κόσμε😀"), 100)
	var v UTF8
	if got := testing.AllocsPerRun(100, func() {
		v.Write(text[:501])
		v.Write(text[501:])
	}); got != 0 {
		t.Errorf("%v allocations", got)
	}
}

func FuzzUTF8(f *testing.F) {
	for _, c := range utf8Cases {
		f.Add([]byte(c.text), uint(1))
	}
	f.Add([]byte("a long run of ASCII before it hurts \xf0\x9f\x98"), uint(3))
	f.Fuzz(func(t *testing.T, p []byte, step uint) {
		if err := checkText(p, utf8.Valid(p), int(step%64)+1); err != nil {
			t.Fatal(err)
		}
		// Somewhere in a text that is long enough for blocks.
		p = []byte(strings.Repeat("x", int(step%64)) + string(p) + strings.Repeat("é", 32))
		if err := checkBlocks(p); err != nil {
			t.Fatal(err)
		}
	})
}
