//go:build (!amd64 && !arm64) || purego

package frame

const utf8Block = 0

func utf8Blocks(s uint32, p []byte) uint32 { return utf8Run(s, p) }
