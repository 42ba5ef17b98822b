//go:build !purego

package frame

// Every arm64 has NEON.
const hasVectors = true

// lookBack is how far in front of a block validBlocks looks. Here it keeps the
// block before in a register.
const lookBack = 0
