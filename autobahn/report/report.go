// Package report writes down what a run of the conformance suite has found: the
// original suite's JSON files, a page for people, JUnit XML, and tables and a
// line of progress for a terminal. It also reads the original's specs.
package report

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/swan-ws/websocket/autobahn"
)

// Verdict is both verdicts of a result in one: how the peer behaved, but FAILED
// if the connection did not end as it had to.
func Verdict(r *autobahn.Result) autobahn.Behavior {
	if Failed(r) {
		return autobahn.Failed
	}
	return r.Behavior
}

// Failed reports whether the peer did wrong, in the case or in how the connection
// ended. Not to speak an extension is not wrong.
func Failed(r *autobahn.Result) bool {
	good := r.Behavior.Good() || r.Behavior == autobahn.Unimplemented
	return !good || !r.BehaviorClose.Good()
}

// AnyFailed reports whether one of the results says that the peer did wrong.
func AnyFailed(results []autobahn.Result) bool {
	return slices.ContainsFunc(results, func(r autobahn.Result) bool { return Failed(&r) })
}

// Reason says in a sentence why the result is what it is.
func Reason(r *autobahn.Result) string {
	if behaved := r.Behavior.Good() || r.Behavior == autobahn.Unimplemented; behaved && !r.BehaviorClose.Good() {
		return r.ResultClose
	}
	return r.Result
}

// verdicts are the columns of every table, best first.
var verdicts = []autobahn.Behavior{
	autobahn.OK, autobahn.NonStrict, autobahn.Informational, autobahn.Unimplemented, autobahn.Failed,
}

// A tally counts results by verdict.
type tally map[autobahn.Behavior]int

func (t tally) total() (n int) {
	for _, count := range t {
		n += count
	}
	return n
}

// A table counts the results of one agent, by section and verdict.
type table struct {
	agent    string
	sections map[string]tally
}

// count makes a table for each agent, in the order of their names.
func count(results []autobahn.Result) []table {
	agents := map[string]table{}
	for i := range results {
		r := &results[i]
		if _, ok := agents[r.Agent]; !ok {
			agents[r.Agent] = table{r.Agent, map[string]tally{}}
		}
		sections, section := agents[r.Agent].sections, sectionOf(r.ID)
		if sections[section] == nil {
			sections[section] = tally{}
		}
		sections[section][Verdict(r)]++
	}
	return slices.SortedFunc(maps.Values(agents), func(a, b table) int { return strings.Compare(a.agent, b.agent) })
}

func (t table) sum() tally {
	sum := tally{}
	for _, section := range t.sections {
		for verdict, n := range section {
			sum[verdict] += n
		}
	}
	return sum
}

// sorted returns the results by agent, and in numeric order.
func sorted(results []autobahn.Result) []autobahn.Result {
	return slices.SortedStableFunc(slices.Values(results), func(a, b autobahn.Result) int {
		return cmp.Or(strings.Compare(a.Agent, b.Agent), compareIDs(a.ID, b.ID))
	})
}

// compareIDs has 9.1 before 10.1.
func compareIDs(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(x, y string) int {
		i, _ := strconv.Atoi(x)
		j, _ := strconv.Atoi(y)
		return cmp.Or(cmp.Compare(i, j), strings.Compare(x, y))
	})
}

// sectionOf returns the number before the first dot of a case's id.
func sectionOf(id string) string {
	section, _, _ := strings.Cut(id, ".")
	return section
}

// sectionTitles says what the sections are about: to 13 the original's, then ours.
var sectionTitles = map[string]string{
	"1": "Framing", "2": "Pings and pongs", "3": "Reserved bits", "4": "Reserved opcodes",
	"5": "Fragmentation", "6": "UTF-8", "7": "Closing", "9": "Limits and speed",
	"10": "Automatic fragments", "12": "Compression", "13": "Compression, agreed",
	"20": "Server's handshake", "21": "Client's handshake", "22": "Masking", "23": "Lengths",
	"24": "Close frames", "25": "Control frames", "26": "Reserved, all of it", "27": "UTF-8 in fragments",
	"28": "Deflated frames", "29": "Deflate, offered", "30": "Deflate, answered", "31": "Endings",
}
