package deflate

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// benchmarks runs f with the settings that are worth a look: two sizes of text
// like JSON, with takeover and without.
func benchmarks(b *testing.B, levels []int, f func(b *testing.B, s setting, messages [][]byte)) {
	for _, size := range []int{1 << 10, 16 << 10} {
		r := rand.New(rand.NewPCG(14, 14))
		messages := make([][]byte, 64)
		for i := range messages {
			messages[i] = sample(r, "json", size)
		}
		for _, takeover := range []bool{false, true} {
			for _, bits := range []int{9, 12, 15} {
				for _, level := range levels {
					if bits < 15 && level != levels[0] {
						continue // smaller windows know no levels
					}
					s := setting{level, bits, takeover}
					b.Run(fmt.Sprintf("size=%d/%v", size, s), func(b *testing.B) {
						b.SetBytes(int64(size))
						b.ReportAllocs()
						f(b, s, messages)
					})
				}
			}
		}
	}
}

func BenchmarkCompress(b *testing.B) {
	benchmarks(b, []int{1, 6}, func(b *testing.B, s setting, messages [][]byte) {
		c := s.compressor()
		var z []byte
		wire, n := 0, 0
		for b.Loop() {
			z, _ = c.Append(z[:0], messages[n%len(messages)])
			wire += len(z)
			n++
		}
		b.ReportMetric(float64(wire)/float64(n), "wire-B")
	})
}

func BenchmarkInflate(b *testing.B) {
	benchmarks(b, []int{1, 6}, func(b *testing.B, s setting, messages [][]byte) {
		c, d := s.compressor(), s.decompressor()
		wires, wire := make([][]byte, len(messages)), 0
		for i := range wires {
			wires[i], _ = c.Append(nil, messages[i])
			wire += len(wires[i])
		}
		var p []byte
		n := 0
		for b.Loop() {
			if n %= len(wires); n == 0 {
				d.window = d.window[:0] // the peer begins anew
			}
			var err error
			if p, err = d.Append(p[:0], wires[n], 0); err != nil {
				b.Fatal(err)
			}
			n++
		}
		b.ReportMetric(float64(wire)/float64(len(wires)), "wire-B")
	})
}

// What a peer gets for bytes that say nothing: blocks that are empty, and the last.
func BenchmarkInflate_BlocksThatSayTheyAreTheLast(b *testing.B) {
	wire := []byte(strings.Repeat(final(""), 100_000))
	b.SetBytes(int64(len(wire)))
	b.ReportAllocs()
	for b.Loop() {
		d := Decompressor{bits: 15, takeover: true, window: make([]byte, 1<<15)}
		if _, err := d.Append(nil, wire, 1<<20); err != nil {
			b.Fatal(err)
		}
	}
}
