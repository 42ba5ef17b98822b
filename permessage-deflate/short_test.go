package deflate

import (
	"bytes"
	stdflate "compress/flate"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// What takeover is for: each of these is too short to be made shorter by itself.
func TestCompressor_ShortMessagesThatAreAlike_ReferToEachOther(t *testing.T) {
	for _, bits := range []int{8, 9, 10, 12, 15} {
		t.Run(fmt.Sprint(bits), func(t *testing.T) {
			c, peer := NewCompressor(1, bits, true), &strict{size: 1 << bits}
			plain, wire := 0, 0
			for i := range 100 {
				p := fmt.Appendf(nil, `{"event":"price","symbol":"SWAN","bid":%d.%02d,"ask":%d.%02d}`, 100+i, i, 101+i, 99-i)
				z, ok := c.Append(nil, p)
				if !ok {
					t.Fatalf("message %d goes out as it is", i)
				}
				if got, err := peer.inflate(z); err != nil || !bytes.Equal(got, p) {
					t.Fatalf("message %d: %q, %v", i, got, err)
				}
				plain, wire = plain+len(p), wire+len(z)
			}
			if wire > plain*2/3 {
				t.Errorf("%d bytes for %d", wire, plain)
			}
		})
	}
}

// Whatever is known, and whatever of it comes again: others inflate what is made of it,
// and it is never much longer.
func TestAppendShort_OfAnything_IsInflatedByOthers(t *testing.T) {
	r := rand.New(rand.NewPCG(24, 24))
	for range fewer(20_000) {
		known := sample(r, kinds[r.IntN(len(kinds))], r.IntN(1+r.IntN(shortReach-matchless)))
		p := sample(r, kinds[r.IntN(len(kinds))], 1+r.IntN(matchless-1))
		for range r.IntN(4) {
			if at := r.IntN(len(p)); len(known) > 0 { // some of it again, to the window's end perhaps
				copy(p[at:], known[max(0, len(known)-1-r.IntN(len(known))):])
			}
		}
		if r.IntN(4) == 0 {
			p = bytes.Repeat(p[:1+r.IntN(min(5, len(p)))], matchless)[:len(p)]
		}
		z := appendShort([]byte("before"), known, p)[len("before"):]
		if len(z) > len(p)+6 {
			t.Fatalf("%d bytes for %d", len(z), len(p))
		}
		in := io.MultiReader(bytes.NewReader(z), strings.NewReader(tail+"\x01\x00\x00\xff\xff"))
		got, err := io.ReadAll(stdflate.NewReaderDict(in, known))
		if err != nil || !bytes.Equal(got, p) {
			t.Fatalf("%q after %q: %q, %v", p, known, got, err)
		}
	}
}
