package deflate

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

// inPieces inflates z cut in pieces of size bytes, most bytes of output at a time.
func inPieces(d *Decompressor, z []byte, size int, most int64) (out []byte, err error) {
	for {
		in := z[:min(size, len(z))]
		last := len(in) == len(z)
		n, piece, done, err := d.Step(in, last, most)
		if err != nil {
			return out, err
		}
		out, z = append(out, piece...), z[n:]
		switch {
		case done && !last:
			return out, errDoneEarly
		case done:
			return out, nil
		case int64(len(piece)) > most:
			return out, errTooMuch
		case n == 0 && len(piece) == 0 && (last || len(in) > 0):
			return out, errStuck
		}
	}
}

var (
	errDoneEarly = errorString("done before the last piece")
	errTooMuch   = errorString("more came than was asked for")
	errStuck     = errorString("nothing used and nothing came")
)

type errorString string

func (e errorString) Error() string { return string(e) }

// The same bytes give the same message or the same error, however they are cut and
// however little of it is taken at once.
func TestDecompressor_HoweverTheMessageIsCut_InflatesTheSame(t *testing.T) {
	list := wires(t)
	for _, z := range slices.Clone(list) {
		for range fewer(4) { // and as many that are corrupt
			r := rand.New(rand.NewPCG(uint64(len(z)), 30))
			bad := slices.Clone(z)
			bad[r.IntN(len(bad))] ^= 1 << r.IntN(8)
			list = append(list, bad, bad[:r.IntN(len(bad))])
		}
	}
	for i, z := range list {
		window := sample(rand.New(rand.NewPCG(uint64(i), 31)), "json", 500)
		whole := Decompressor{bits: 15, takeover: true, window: slices.Clone(window)}
		want, wantErr := whole.Append(nil, z, 0)
		for _, size := range []int{1, 2, 3, 7, 16, 17, 31, 100, 1 << 20} {
			for _, most := range []int64{1, 2, 15, 257, 300, 1 << 40} {
				d := Decompressor{bits: 15, takeover: true, window: slices.Clone(window)}
				got, err := inPieces(&d, z, size, most)
				if err != wantErr || err == nil && !bytes.Equal(got, want) {
					t.Fatalf("%x in pieces of %d, %d at a time: %v, %d bytes; whole: %v, %d bytes", z, size, most, err, len(got), wantErr, len(want))
				}
				if err == nil && !bytes.Equal(d.window, whole.window) {
					t.Fatalf("%x in pieces of %d, %d at a time: the window differs", z, size, most)
				}
				d.Free()
			}
		}
	}
}

// More than fits in an inflater, through windows of every size, whole and in pieces.
func TestDecompressor_LongMessages_InPieces(t *testing.T) {
	r := rand.New(rand.NewPCG(32, 32))
	for _, s := range settings() {
		c, d := s.compressor(), s.decompressor()
		for _, kind := range kinds {
			for range fewer(3) {
				p := sample(r, kind, 1+r.IntN(300_000))
				z, ok := c.Append(nil, p)
				if !ok {
					continue
				}
				got, err := inPieces(&d, z, 1+r.IntN(5000), int64(1+r.IntN(100_000)))
				if err != nil || !bytes.Equal(got, p) {
					t.Fatalf("%v, %s: %v, %d bytes of %d", s, kind, err, len(got), len(p))
				}
				d.Free()
			}
		}
	}
}

// One inflater serves one message after the other, freed in between or not.
func TestDecompressor_KeepsItsInflater_UntilFreed(t *testing.T) {
	hello := unhex(t, "f248cdc9c90700")
	d := NewDecompressor(15, false)
	for i := range 4 {
		_, piece, done, err := d.Step(hello, true, 100)
		if string(piece) != "Hello" || !done || err != nil {
			t.Fatalf("%q, %v, %v", piece, done, err)
		}
		if i%2 == 0 {
			if d.Free(); d.f != nil {
				t.Fatal("freed, but held")
			}
			d.Free()
		}
	}
	if _, _, done, err := d.Step(hello[:3], false, 100); done || err != nil {
		t.Fatal(done, err)
	}
	d.Free() // gives the message up
	if _, piece, _, err := d.Step(hello, true, 100); string(piece) != "Hello" || err != nil {
		t.Fatalf("%q, %v", piece, err)
	}
}
