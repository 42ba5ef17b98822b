// Package leak finds goroutines that tests leave behind.
package leak

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// patience is how long goroutines get to end by themselves.
const patience = 5 * time.Second

// Main is a TestMain: it runs the tests and, if they pass, waits for the
// goroutines they started to end. Those that have not after some seconds are
// printed, and the process exits with 1.
func Main(m *testing.M) { os.Exit(run(m, os.Stderr, patience)) }

func run(m interface{ Run() int }, out io.Writer, patience time.Duration) int {
	before := goroutines()
	if code := m.Run(); code != 0 {
		return code // a test that gave up half-way may well leave something
	}
	left := wait(before, patience)
	if len(left) == 0 {
		return 0
	}
	fmt.Fprintf(out, "leak: goroutines still there after the tests: %d\n\n%s\n", len(left), strings.Join(left, "\n\n"))
	return 1
}

// Check fails t if a goroutine started from now on is still there, some
// seconds after t ended. It is not for tests that run in parallel: it would
// find what the others started.
func Check(t testing.TB) { check(t, patience) }

func check(t testing.TB, patience time.Duration) {
	t.Helper()
	before := goroutines()
	t.Cleanup(func() {
		if left := wait(before, patience); len(left) > 0 {
			t.Errorf("goroutines still there: %d\n\n%s", len(left), strings.Join(left, "\n\n"))
		}
	})
}

// wait returns the stacks of the goroutines that are not in before, once there
// are none or patience has run out.
func wait(before map[string]string, patience time.Duration) (left []string) {
	deadline := time.Now().Add(patience)
	for pause := time.Microsecond; ; pause = min(2*pause, 100*time.Millisecond) {
		runtime.Gosched()
		left = left[:0]
		for id, stack := range goroutines() {
			if _, ok := before[id]; !ok && !harmless(stack) {
				left = append(left, stack)
			}
		}
		if len(left) == 0 || time.Now().After(deadline) {
			return left
		}
		<-time.After(pause)
	}
}

// goroutines returns the stacks of all goroutines, by their number.
func goroutines() map[string]string {
	buf := make([]byte, 64<<10)
	n := runtime.Stack(buf, true)
	for n == len(buf) {
		buf = make([]byte, 2*len(buf))
		n = runtime.Stack(buf, true)
	}
	all := make(map[string]string)
	for stack := range strings.SplitSeq(string(buf[:n]), "\n\n") {
		all[strings.Fields(stack)[1]] = strings.TrimSpace(stack) // goroutine 12 [running]:
	}
	return all
}

// harmless tells that a goroutine belongs to the runtime or the test runner.
func harmless(stack string) bool {
	for _, name := range []string{
		"created by os/signal.", // waits for signals for as long as the process lives
		"created by runtime.",   // finalizers and cleanups
		"created by runtime/",   // profiles and traces
		"created by testing.",   // tests that are still to run, alarms
	} {
		if strings.Contains(stack, "\n"+name) {
			return true
		}
	}
	return false
}
