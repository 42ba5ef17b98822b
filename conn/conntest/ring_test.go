package conntest

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func TestRing_IsAQueue(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{1, 2, 13, 511, 513, 5000} {
		r := ring{max: size}
		var want []byte // what is queued
		next := byte(0)
		for range 2000 {
			p := make([]byte, random.IntN(size+2))
			for i := range p {
				p[i] = next
				next++
			}
			n := r.put(p)
			if n != min(len(p), size-len(want)) {
				t.Fatalf("size %d: put %d of %d bytes, %d queued", size, n, len(p), len(want))
			}
			next -= byte(len(p) - n)
			want = append(want, p[:n]...)

			out := make([]byte, random.IntN(size+2))
			n = r.take(out)
			if n != min(len(out), len(want)) || !bytes.Equal(out[:n], want[:n]) {
				t.Fatalf("size %d: took %x, want %x", size, out[:n], want[:min(len(out), len(want))])
			}
			want = want[n:]
		}
		if len(r.buf) > size {
			t.Errorf("size %d: holds %d bytes", size, len(r.buf))
		}
	}
}
