//go:build !purego

package frame

import "golang.org/x/sys/cpu"

// vectorPays is the payload length from which the vector loop beats plain words,
// call and set-up included (BenchmarkMask).
const vectorPays = 128

var hasAVX2 = cpu.X86.HasAVX2

func maskBytes(p []byte, k uint32) {
	if hasAVX2 && len(p) >= vectorPays {
		n := len(p) &^ 31
		maskAVX2(&p[0], n, k)
		p = p[n:] // 32 is a multiple of 4: the key's turn is the same
	}
	maskWords(p, k)
}

// maskAVX2 masks the n bytes at p, n > 0 and a multiple of 32.
//
//go:noescape
func maskAVX2(p *byte, n int, k uint32)
