//go:build !amd64 || purego

package frame

func maskBytes(p []byte, k uint32) { maskWords(p, k) }
