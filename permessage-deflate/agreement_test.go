package deflate

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/swan-ws/websocket/handshake"
)

// logUniform is a size from 0 to most, small ones as likely as large ones.
func logUniform(r *rand.Rand, most int) int {
	n := 1
	for range r.IntN(21) {
		n *= 2
	}
	return min(r.IntN(n+1), most)
}

// Whatever is agreed on, random messages of 0 B to 1 MiB survive in both directions:
// what we deflate is inflated by zlib and by compress/flate, what zlib deflates by us.
func TestEveryAgreement_CarriesMessages_BothWays(t *testing.T) {
	ask := startZlib(t)
	r := rand.New(rand.NewPCG(40, 40))
	o := Options{Mode: Takeover}
	for i, offer := range everyElement(false) {
		if raceDetector && i%20 != 0 {
			continue
		}
		p, _, ok := o.Accept([]handshake.Extension{offer})
		if !ok {
			t.Fatalf("%v is declined", offer)
		}
		for j, way := range []setting{
			{DefaultLevel, cmp.Or(p.ServerMaxWindowBits, MaxWindowBits), !p.ServerNoContextTakeover},
			{DefaultLevel, cmp.Or(p.ClientMaxWindowBits, MaxWindowBits), !p.ClientNoContextTakeover},
		} {
			carries(t, fmt.Sprintf("%v, way %d", offer, j), way, ask, 2*i+j+1, r)
		}
	}
}

func carries(t *testing.T, what string, s setting, ask zlib, context int, r *rand.Rand) {
	t.Helper()
	c, d, standard := s.compressor(), s.decompressor(), &lenient{takeover: s.takeover}
	from, to := 0, 0 // zlib's contexts of the two directions
	if s.takeover {
		from, to = 2*context, 2*context+1
	}
	for range 4 {
		p := sample(r, kinds[r.IntN(len(kinds))], logUniform(r, 1<<20))
		if z, ok := c.Append(nil, p); ok {
			if got := ask(t, "inflate", to, 0, s.bits, z); !bytes.Equal(got, p) {
				t.Fatalf("%s: zlib made %d bytes of %d", what, len(got), len(p))
			}
			if got, err := standard.inflate(z); err != nil || !bytes.Equal(got, p) {
				t.Fatalf("%s: compress/flate made %d bytes of %d, %v", what, len(got), len(p), err)
			}
		}
		if s.bits == 8 || len(p) == 0 {
			continue // zlib has no raw compressor for that, and nothing to say twice
		}
		z := ask(t, "deflate", from, r.IntN(10), s.bits, p)
		if got, err := d.Append(nil, z, 0); err != nil || !bytes.Equal(got, p) {
			t.Fatalf("%s: %d bytes of zlib's %d, %v", what, len(got), len(p), err)
		}
	}
}
