//go:build !purego

package frame

import "golang.org/x/sys/cpu"

// maskBlock is the payload length from which the vector loop beats plain words,
// call and set-up included (BenchmarkMask).
const maskBlock = 128

var hasVectors = cpu.X86.HasAVX2

// maskBlocks is maskWords for maskBlock bytes or more.
func maskBlocks(p []byte, k uint32) {
	if hasVectors {
		maskAVX2(&p[0], len(p), k)
	} else {
		maskWords(p, k)
	}
}

// maskAVX2 masks the n bytes at p; n is at least 32.
//
//go:noescape
func maskAVX2(p *byte, n int, k uint32)
