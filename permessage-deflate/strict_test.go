package deflate

import (
	"bytes"
	stdflate "compress/flate"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// strict inflates what a peer sends, by RFC 1951 and nothing else, in a window of
// no more than size bytes: a distance that reaches beyond it, or beyond what has
// come, is an error, where real inflaters would look the other way.
type strict struct {
	size   int
	window []byte // what the messages before have left

	in   []byte
	pos  int
	hold uint32 // of so many bits
	bits int
	out  []byte
}

// inflate returns the message. Its blocks must end where its payload and the tail
// do, neither before nor behind.
func (s *strict) inflate(payload []byte) (_ []byte, err error) {
	defer func() {
		if e, ok := recover().(strictError); ok {
			err = e
		}
	}()
	s.in, s.pos, s.hold, s.bits = slices.Concat(payload, []byte(tail)), 0, 0, 0
	s.out = slices.Clone(s.window)
	before := len(s.out)
	for s.pos < len(s.in) || s.bits > 7 {
		s.block()
	}
	if s.take(s.bits) != 0 {
		fail("padding that is not zero")
	}
	message := s.out[before:]
	s.window = slices.Clone(s.out[max(0, len(s.out)-s.size):])
	return message, nil
}

type strictError struct{ error }

func fail(format string, args ...any) { panic(strictError{fmt.Errorf(format, args...)}) }

// fill makes n bits available, of zeros beyond the end.
func (s *strict) fill(n int) {
	for ; s.bits < n && s.pos < len(s.in); s.pos++ {
		s.hold |= uint32(s.in[s.pos]) << s.bits
		s.bits += 8
	}
}

func (s *strict) take(n int) int {
	if s.fill(n); s.bits < n {
		fail("truncated")
	}
	v := s.hold & (1<<n - 1)
	s.hold >>= n
	s.bits -= n
	return int(v)
}

func (s *strict) block() {
	final := s.take(1) == 1
	switch s.take(2) {
	case 0:
		s.stored()
	case 1:
		s.coded(strictLit, strictDist)
	case 2:
		s.coded(s.dynamic())
	default:
		fail("block type 3")
	}
	if final { // 7692 §7.2.1: "minimal padding bits of 0"
		if s.take(s.bits%8) != 0 {
			fail("padding that is not zero")
		}
	}
}

func (s *strict) stored() {
	s.take(s.bits % 8)
	n, not := s.take(16), s.take(16)
	if n != ^not&0xffff {
		fail("length of a stored block")
	}
	for range n {
		s.out = append(s.out, byte(s.take(8)))
	}
}

var (
	strictBase  = []int{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	strictExtra = []int{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
)

func (s *strict) coded(lit, dist code) {
	for {
		symbol := s.symbol(lit)
		switch {
		case symbol < 256:
			s.out = append(s.out, byte(symbol))
			continue
		case symbol == 256:
			return
		case symbol > 285:
			fail("length symbol %d", symbol)
		}
		length := strictBase[symbol-257] + s.take(strictExtra[symbol-257])
		d := s.symbol(dist)
		if d > 29 {
			fail("distance symbol %d", d)
		}
		distance := d + 1
		if d > 3 {
			extra := d/2 - 1
			distance = (2+d%2)<<extra + s.take(extra) + 1
		}
		if distance > min(len(s.out), s.size) {
			fail("distance %d after %d bytes in a window of %d", distance, len(s.out), s.size)
		}
		for range length {
			s.out = append(s.out, s.out[len(s.out)-distance])
		}
	}
}

// code has for each value of the next most bits a symbol and its length in bits.
type code struct {
	most  int
	table []uint16
}

var strictLit, strictDist = func() (code, code) {
	lengths := slices.Concat(slices.Repeat([]int{8}, 144), slices.Repeat([]int{9}, 112), slices.Repeat([]int{7}, 24), slices.Repeat([]int{8}, 8))
	return makeCode(lengths), makeCode(slices.Repeat([]int{5}, 32))
}()

// makeCode is RFC 1951 §3.2.2. A code must be complete, or of one symbol or none.
func makeCode(lengths []int) code {
	c := code{most: slices.Max(lengths)}
	c.table = make([]uint16, 1<<c.most)
	next, used := 0, 0
	for n := 1; n <= c.most; n++ {
		for symbol, length := range lengths {
			if length != n {
				continue
			}
			if used++; next >= 1<<n {
				fail("more codes than bits")
			}
			for i := reverse(next, n); i < len(c.table); i += 1 << n {
				c.table[i] = uint16(symbol<<4 | n)
			}
			next++
		}
		next <<= 1
	}
	if next != 2<<c.most && (used > 1 || c.most > 1) {
		fail("incomplete code")
	}
	return c
}

func reverse(v, n int) (r int) {
	for range n {
		r, v = r<<1|v&1, v>>1
	}
	return r
}

func (s *strict) symbol(c code) int {
	s.fill(c.most)
	e := c.table[s.hold&(1<<c.most-1)]
	if e == 0 {
		fail("no such code")
	}
	s.take(int(e & 15))
	return int(e >> 4)
}

func (s *strict) dynamic() (lit, dist code) {
	literals, distances, codes := s.take(5)+257, s.take(5)+1, s.take(4)+4
	if literals > 286 || distances > 30 {
		fail("%d literals, %d distances", literals, distances)
	}
	lengths := make([]int, 19)
	for _, i := range []int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}[:codes] {
		lengths[i] = s.take(3)
	}
	of := makeCode(lengths)
	var list []int
	for len(list) < literals+distances {
		switch n := s.symbol(of); n {
		default:
			list = append(list, n)
		case 16:
			if len(list) == 0 {
				fail("nothing to repeat")
			}
			list = append(list, slices.Repeat(list[len(list)-1:], 3+s.take(2))...)
		case 17:
			list = append(list, make([]int, 3+s.take(3))...)
		case 18:
			list = append(list, make([]int, 11+s.take(7))...)
		}
	}
	if len(list) > literals+distances || list[256] == 0 {
		fail("code lengths")
	}
	return makeCode(list[:literals]), makeCode(list[literals:])
}

// The tests below are of the inflater above: what it accepts and refuses must be
// right, or the others show nothing.

func TestStrict_AgreesWithTheStandardLibrary(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for level := stdflate.HuffmanOnly; level <= 9; level++ {
		for _, kind := range kinds {
			p := sample(r, kind, 1+r.IntN(200_000))
			got, err := (&strict{size: 1 << 15}).inflate(byStandard(t, level, p))
			if err != nil || !bytes.Equal(got, p) {
				t.Errorf("level %d, %s: %v, %d bytes of %d", level, kind, err, len(got), len(p))
			}
		}
	}
}

func TestStrict_RefusesADistanceBeyondTheWindow(t *testing.T) {
	p := slices.Concat(sample(rand.New(rand.NewPCG(2, 2)), "random", 256), []byte("0123456789abcdef"))
	p = append(p, p[:16]...) // as far away as 272
	z := byStandard(t, 9, p)
	if _, err := (&strict{size: 271}).inflate(z); err == nil {
		t.Error("271 bytes suffice for a distance of 272")
	}
	if _, err := (&strict{size: 272}).inflate(z); err != nil {
		t.Error(err)
	}
}

func TestStrict_Refuses(t *testing.T) {
	for name, wire := range map[string]string{
		"distance before the beginning": "f200110000",
		"block type 3":                  "06",
		"nothing":                       "",
		"garbage behind the end":        "f248cdc9c9070007",
		"truncated":                     "f248cdc9",
		"stored length":                 "000500faf648656c6c6f00",
		"stored, truncated":             "000500faff4865",
		"incomplete code":               "04000000",
		"too many lengths":              "fcffffffff",
	} {
		p, err := hex.DecodeString(wire)
		if err != nil {
			t.Fatal(err)
		}
		var want strictError
		if got, err := (&strict{size: 1 << 15}).inflate(p); !errors.As(err, &want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// byStandard is p as the standard library compresses it.
func byStandard(t testing.TB, level int, p []byte) []byte {
	var out bytes.Buffer
	w, err := stdflate.NewWriter(&out, level)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(p)
	w.Flush()
	return bytes.TrimSuffix(out.Bytes(), []byte(tail))
}
