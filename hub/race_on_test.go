//go:build race

package hub_test

// raceDetector is on: sync.Pool then forgets at random, so that nothing can be
// said about allocations.
const raceDetector = true
