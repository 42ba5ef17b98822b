//go:build race

package deflate

// raceDetector is on: sync.Pool then forgets at random, so that nothing can be
// said about memory, and everything takes ten times as long.
const raceDetector = true
