package deflate

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

// A message in pieces of any size, taken at any time, is one message; the next
// ones, whole and in pieces, know it.
func TestWriter_PiecesAreOneMessage(t *testing.T) {
	for i, s := range settings() {
		t.Run(s.String(), func(t *testing.T) {
			r := rand.New(rand.NewPCG(21, uint64(i)))
			c, d, peer := s.compressor(), s.decompressor(), &strict{size: 1 << s.bits}
			for n := range fewer(30) {
				var z, p []byte
				if n%3 == 2 {
					p = sample(r, "json", 1000)
					z, _ = c.Append(nil, p)
				} else {
					w := c.Begin(nil)
					for range r.IntN(6) {
						piece := someSample(r, []int{10, 1000, 200_000}[r.IntN(3)])
						p = append(p, piece...)
						w.Write(piece)
						clear(piece) // nothing of it is kept
						if r.IntN(2) == 0 {
							z = append(z, w.Take()...)
						}
					}
					z = append(z, w.End()...)
				}
				if !s.takeover {
					peer.window = nil
				}
				if got, err := peer.inflate(z); err != nil || !bytes.Equal(got, p) {
					t.Fatalf("message %d: strict: %v, %d bytes of %d", n, err, len(got), len(p))
				}
				if got, err := d.Append(nil, z, int64(len(p))); err != nil || !bytes.Equal(got, p) {
					t.Fatalf("message %d: %v, %d bytes of %d", n, err, len(got), len(p))
				}
				if s.takeover && !bytes.Equal(c.window, d.window) {
					t.Fatalf("message %d: windows differ", n)
				}
			}
		})
	}
}

// §7.2.3.6: the end of a message is known only when all has been sent.
func TestWriter_EndOfNothing_IsTheEmptyBlock(t *testing.T) {
	for _, s := range settings() {
		c := s.compressor()
		for range 2 {
			w := c.Begin(nil)
			w.Write(nil)
			if first := w.Take(); len(first) != 0 {
				t.Errorf("%v: %x", s, first)
			}
			if end := w.End(); string(end) != "\x00" {
				t.Errorf("%v: %x", s, end)
			}
		}
	}
}

// Pieces come out as they are made, not all at the end.
func TestWriter_TakeBringsPiecesOfALongMessage(t *testing.T) {
	r := rand.New(rand.NewPCG(22, 22))
	for _, s := range settings() {
		c := s.compressor()
		w := c.Begin(nil)
		most := 0
		for range 50 {
			w.Write(sample(r, "random", 10_000))
			most = max(most, len(w.Take()))
		}
		if end := w.End(); most == 0 || most > 200_000 || len(end) > 200_000 {
			t.Errorf("%v: pieces of up to %d bytes, an end of %d", s, most, len(end))
		}
	}
}

// Pieces are put into the memory that Begin was given, as long as it suffices.
func TestWriter_InPieces_AllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("sync.Pool forgets under the race detector")
	}
	c, p, dst := NewCompressor(1, 15, true), sample(rand.New(rand.NewPCG(23, 23)), "letters", 30_000), make([]byte, 0, 64<<10)
	if n := testing.AllocsPerRun(100, func() {
		w := c.Begin(dst)
		for range 3 {
			w.Write(p)
			w.Take()
		}
		w.End()
	}); n > 0 {
		t.Error(n, "allocations")
	}
}

func ExampleCompressor_Begin() {
	c, d := NewCompressor(DefaultLevel, 15, false), NewDecompressor(15, false)
	w := c.Begin(nil)
	var payload []byte // of the fragments
	for _, s := range []string{"Hello, ", "Hello, ", "Hello!"} {
		w.Write([]byte(s))
		payload = append(payload, w.Take()...)
	}
	payload = append(payload, w.End()...)
	p, err := d.Append(nil, payload, 1<<10)
	fmt.Printf("%s, %v\n", p, err)
	// Output: Hello, Hello, Hello!, <nil>
}
