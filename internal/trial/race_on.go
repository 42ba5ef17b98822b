//go:build race

package trial

// race: programs are built as their tests are.
const race = true
