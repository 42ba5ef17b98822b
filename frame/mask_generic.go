//go:build (!amd64 && !arm64) || purego

package frame

const maskBlock = 0

func maskBlocks(p []byte, k uint32) { maskWords(p, k) }
