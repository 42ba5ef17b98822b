package bench_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/swan-ws/websocket/bench"
)

func TestSteps_AreAllNumbersOfConnections_OnAllNumbersOfCores(t *testing.T) {
	steps, err := bench.Steps("100, 2000", 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range steps {
		got = append(got, fmt.Sprintf("%s: %s, on %d", s.Scenario.Name, s.Scenario.About(), s.Procs))
	}
	want := []string{
		"growth-100-1: 100 connections, 32 B, 1 in flight, on 1",
		"growth-100-2: 100 connections, 32 B, 1 in flight, on 2",
		"growth-2000-1: 2000 connections, 32 B, 1 in flight, on 1",
		"growth-2000-2: 2000 connections, 32 B, 1 in flight, on 2",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	if short, long := steps[0].Time(300*time.Millisecond), steps[2].Time(0); short != 300*time.Millisecond || long != 200*time.Millisecond {
		t.Errorf("they take %v and %v", short, long)
	}
	if steps, err := bench.Steps("", 1); err != nil || len(steps) > 0 {
		t.Errorf("nothing is %v, %v", steps, err)
	}
}

func TestSteps_SayWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no number", "100,many", `"many" is not a number of connections`},
		{"zero", "0", `"0" is not`},
		{"too many", "16777217", "to 16777216"},
		{"twice", "7 7", "7 connections are given twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if steps, err := bench.Steps(c.text, 1); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v and %v, want %s", steps, err, c.want)
			}
		})
	}
}
