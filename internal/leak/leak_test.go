package leak

import (
	"fmt"
	"os"
	"os/signal"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) { Main(m) }

type tests func() int

func (f tests) Run() int { return f() }

func TestMain_FailsOnALeftGoroutine(t *testing.T) {
	stop := make(chan struct{})
	defer close(stop)
	var out strings.Builder
	code := run(tests(func() int { go wait4(stop); return 0 }), &out, 10*time.Millisecond)
	if code != 1 || !strings.Contains(out.String(), "still there after the tests: 1\n") || !strings.Contains(out.String(), "leak.wait4") {
		t.Errorf("exit code %d, output:\n%s", code, out.String())
	}
}

func wait4(stop chan struct{}) { <-stop }

func TestMain_WaitsForGoroutinesThatEnd(t *testing.T) {
	var out strings.Builder
	code := run(tests(func() int { go func() { <-time.After(20 * time.Millisecond) }(); return 0 }), &out, time.Minute)
	if code != 0 || out.Len() > 0 {
		t.Errorf("exit code %d, output:\n%s", code, out.String())
	}
}

func TestMain_IgnoresGoroutinesThatWereThere(t *testing.T) {
	stop := make(chan struct{})
	defer close(stop)
	go wait4(stop)
	var out strings.Builder
	if code := run(tests(func() int { return 0 }), &out, 0); code != 0 {
		t.Errorf("exit code %d, output:\n%s", code, out.String())
	}
}

// The loop of os/signal never ends once it was started.
func TestMain_IgnoresTheSignalLoop(t *testing.T) {
	var out strings.Builder
	code := run(tests(func() int {
		c := make(chan os.Signal, 1)
		signal.Notify(c, os.Interrupt)
		signal.Stop(c)
		return 0
	}), &out, 0)
	if code != 0 {
		t.Errorf("exit code %d, output:\n%s", code, out.String())
	}
}

func TestMain_KeepsTheCodeOfFailedTests(t *testing.T) {
	stop := make(chan struct{})
	defer close(stop)
	var out strings.Builder
	if code := run(tests(func() int { go wait4(stop); return 3 }), &out, 0); code != 3 || out.Len() > 0 {
		t.Errorf("exit code %d, output:\n%s", code, out.String())
	}
}

func TestCheck(t *testing.T) {
	stop := make(chan struct{})
	defer close(stop)
	tests := []struct {
		name string
		test func()
		want string
	}{
		{name: "no goroutine", test: func() {}},
		{name: "goroutine that ends", test: func() { go func() {}() }},
		{name: "goroutine that stays", test: func() { go wait4(stop) }, want: "leak.wait4"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := &recorder{TB: t}
			check(rec, 50*time.Millisecond)
			tt.test()
			rec.cleanup()
			if !strings.Contains(rec.errors, tt.want) || (tt.want == "") != (rec.errors == "") {
				t.Errorf("reported %q, want %q in it", rec.errors, tt.want)
			}
		})
	}
	t.Run("for real", func(t *testing.T) { Check(t) })
}

// recorder is a test of which the outcome can be looked at.
type recorder struct {
	testing.TB
	cleanup func()
	errors  string
}

func (r *recorder) Cleanup(f func())                  { r.cleanup = f }
func (r *recorder) Errorf(format string, args ...any) { r.errors += fmt.Sprintf(format, args...) }

func TestGoroutines_SeesMany(t *testing.T) {
	Check(t)
	stop := make(chan struct{})
	defer close(stop)
	const many = 1000 // their stacks fill the first buffer
	for range many {
		go wait4(stop)
	}
	if n := len(goroutines()); n < many {
		t.Errorf("saw %d goroutines of %d", n, many)
	}
}
