//go:build !purego

package frame

// lookBack is how far in front of a block validBlocks looks.
const lookBack = 3
