package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/swan-ws/websocket/autobahn"
)

// Table writes what a terminal shows at the end: for each agent how many cases of
// each section came to which verdict, and below it those that failed, why, and
// what again says of how to run such a case alone. A nil again says nothing.
func Table(w io.Writer, results []autobahn.Result, again func(r *autobahn.Result) string) error {
	var out bytes.Buffer
	results = sorted(results)
	for _, t := range count(results) {
		t.write(&out)
		for i := range results {
			if r := &results[i]; r.Agent == t.agent && Failed(r) {
				writeFailure(&out, r, again)
			}
		}
	}
	_, err := w.Write(out.Bytes())
	return err
}

func (t table) write(out *bytes.Buffer) {
	fmt.Fprintf(out, "\n%-24.24s %5s %10s %13s %13s %6s\n", plain(t.agent), "OK", "non-strict", "informational", "unimplemented", "failed")
	for _, section := range slices.SortedFunc(maps.Keys(t.sections), compareIDs) {
		writeRow(out, fmt.Sprintf("%3s  %s", section, sectionTitles[section]), t.sections[section])
	}
	writeRow(out, "all", t.sum())
}

func writeRow(out *bytes.Buffer, name string, t tally) {
	row := fmt.Sprintf("%-24s %5s %10s %13s %13s %6s", name, number(t[autobahn.OK]), number(t[autobahn.NonStrict]),
		number(t[autobahn.Informational]), number(t[autobahn.Unimplemented]), number(t[autobahn.Failed]))
	fmt.Fprintln(out, strings.TrimRight(row, " "))
}

// number leaves a zero out: what is there stands out.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

func writeFailure(out *bytes.Buffer, r *autobahn.Result, again func(r *autobahn.Result) string) {
	fmt.Fprintf(out, "\n%s  %s: %s\n", r.ID, verdictText(r), plain(cmp.Or(Reason(r), "no reason is known")))
	if again != nil {
		fmt.Fprintf(out, "  again: %s\n", plain(again(r)))
	}
}

// verdictText is the verdict that made a case fail.
func verdictText(r *autobahn.Result) string {
	if Reason(r) == r.ResultClose && Failed(r) {
		return "close " + string(r.BehaviorClose)
	}
	return string(r.Behavior)
}

// Sum says in a line how the cases went, such as "514 OK, 3 informational".
func Sum(results []autobahn.Result) string {
	t := tally{}
	for i := range results {
		t[Verdict(&results[i])]++
	}
	var parts []string
	for _, verdict := range verdicts {
		if n := t[verdict]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, label(verdict)))
		}
	}
	return cmp.Or(strings.Join(parts, ", "), "no case ran")
}

// label is a verdict in a line of text.
func label(b autobahn.Behavior) string {
	if b == autobahn.OK {
		return "OK"
	}
	return strings.ToLower(string(b))
}

// plain takes out what a terminal would obey: agents name themselves.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, s)
}
