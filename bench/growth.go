package bench

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Step is one of those by which the connections grow in number: echo of short
// messages, one in flight on each, by a server with so many cores.
type Step struct {
	Scenario Scenario
	Procs    int
	Apart    bool // the clients have a core of their own
}

// Time is how long it is measured: so long that each connection has several turns.
func (s Step) Time(least time.Duration) time.Duration {
	return max(least, time.Duration(s.Scenario.Conns)*100*time.Microsecond)
}

// Steps returns those of text, numbers of connections separated by spaces or commas,
// on each of so many cores.
func Steps(text string, procs ...int) ([]Step, error) {
	var steps []Step
	var seen []int
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ' ' || r == ',' }) {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 || n > most {
			return nil, fmt.Errorf("%q is not a number of connections from 1 to %d", word, most)
		}
		if slices.Contains(seen, n) {
			return nil, fmt.Errorf("%d connections are given twice", n)
		}
		seen = append(seen, n)
		for _, p := range procs {
			steps = append(steps, Step{Procs: p, Scenario: Scenario{
				Name: fmt.Sprintf("growth-%d-%d", n, p), Title: "Echo, 32 B", Kind: Echo, Conns: n, Size: 32, Flight: 1, Deflate: Off,
			}})
		}
	}
	return steps, nil
}
