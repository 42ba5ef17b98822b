// Command compare holds a report of the test suite against what is expected:
//
//	compare expected.json server reports/servers/index.json client reports/clients/index.json
//
// It prints what differs, and exits with 1 if anything does. A verdict other than
// OK is expected only with a reason. It reads the reports of the original suite and
// of this module's, which have the same form.
package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

const usage = "usage: compare expected.json ROLE index.json [ROLE index.json], where ROLE is what was tested: server or client"

func main() {
	lines, same, err := run(os.Args[1:])
	for _, line := range lines {
		fmt.Println(line)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
	}
	if err != nil || !same {
		os.Exit(1)
	}
}

// A verdict is what a report says of a case.
type verdict struct {
	Behavior string `json:"behavior"`
	Close    string `json:"behaviorClose"`
}

func (v verdict) String() string { return v.Behavior + ", close " + v.Close }

var ok = verdict{"OK", "OK"}

// expected is what expected.json says.
type expected struct {
	Cases       int // of the suite
	OtherThanOK []exception
}

type exception struct {
	verdict
	Role, ID, Reason string // Role: server, client or both
}

// run returns what there is to print, and whether all is as expected.
func run(args []string) (lines []string, same bool, err error) {
	if len(args) < 3 || len(args)%2 == 0 {
		return nil, false, fmt.Errorf("%s", usage)
	}
	want, err := readExpected(args[0])
	if err != nil {
		return nil, false, err
	}
	same = true
	for args := args[1:]; len(args) > 0; args = args[2:] {
		agents := map[string]map[string]verdict{}
		if err := readJSON(args[1], &agents); err != nil {
			return lines, false, err
		}
		if len(agents) == 0 {
			return lines, false, fmt.Errorf("%s has no agent: nobody was tested", args[1])
		}
		for agent, cases := range agents {
			differences := want.compare(args[0], cases)
			for _, d := range differences {
				lines = append(lines, fmt.Sprintf("%s %s: %s", args[0], agent, d))
			}
			lines = append(lines, fmt.Sprintf("%s %s: %s", args[0], agent, summary(cases)))
			same = same && len(differences) == 0
		}
	}
	return lines, same, nil
}

func readExpected(file string) (e expected, err error) {
	if err := readJSON(file, &e); err != nil {
		return e, err
	}
	for _, x := range e.OtherThanOK {
		switch {
		case x.Reason == "":
			return e, fmt.Errorf("%s: %s has no reason: say why it is not OK", file, x.ID)
		case x.Role != "server" && x.Role != "client" && x.Role != "both":
			return e, fmt.Errorf("%s: %s is for the role %q: want server, client or both", file, x.ID, x.Role)
		}
	}
	return e, nil
}

func readJSON(file string, v any) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// compare returns what is not as expected, a sentence each.
func (e expected) compare(role string, cases map[string]verdict) (differences []string) {
	if len(cases) != e.Cases {
		differences = append(differences, fmt.Sprintf("%d cases were run, want %d", len(cases), e.Cases))
	}
	wanted := map[string]verdict{}
	for _, x := range e.OtherThanOK {
		if x.Role == role || x.Role == "both" {
			wanted[x.ID] = x.verdict
			if _, found := cases[x.ID]; !found {
				differences = append(differences, x.ID+" was not run")
			}
		}
	}
	for _, id := range slices.SortedFunc(maps.Keys(cases), byNumber) {
		want, other := wanted[id]
		if !other {
			want = ok
		}
		if have := cases[id]; have != want {
			differences = append(differences, fmt.Sprintf("%s is %v, want %v", id, have, want))
		}
	}
	return differences
}

// summary counts the verdicts.
func summary(cases map[string]verdict) string {
	counts := map[verdict]int{}
	for _, v := range cases {
		counts[v]++
	}
	var parts []string
	for _, v := range slices.SortedFunc(maps.Keys(counts), func(a, b verdict) int { return counts[b] - counts[a] }) {
		parts = append(parts, fmt.Sprintf("%d %v", counts[v], v))
	}
	return strings.Join(parts, "; ")
}

// byNumber orders the ids of cases: 2.10 comes after 2.9.
func byNumber(a, b string) int {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(x), len(y)) {
		m, _ := strconv.Atoi(x[i])
		n, _ := strconv.Atoi(y[i])
		if m != n {
			return cmp.Compare(m, n)
		}
	}
	return cmp.Compare(len(x), len(y))
}
