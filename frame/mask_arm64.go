//go:build !purego

package frame

// maskBlock is the payload length from which vectors are used. It is that of
// amd64, where it was measured.
const maskBlock = 128

// maskBlocks is maskWords for maskBlock bytes or more.
func maskBlocks(p []byte, k uint32) { maskNEON(&p[0], len(p), k) }

// maskNEON masks the n bytes at p; n is at least 64.
//
//go:noescape
func maskNEON(p *byte, n int, k uint32)
