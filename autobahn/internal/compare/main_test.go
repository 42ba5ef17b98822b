package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/swan-ws/websocket/autobahn"
	"github.com/swan-ws/websocket/autobahn/report"
)

const committed = "../../expected.json"

// asExpected are the results that expected.json asks for.
func asExpected() []autobahn.Result {
	var list []autobahn.Result
	for _, c := range autobahn.Cases() {
		if byNumber(c.ID, "20") >= 0 {
			break // those that the original has not
		}
		r := autobahn.Result{ID: c.ID, Agent: "swan", Behavior: autobahn.OK, BehaviorClose: autobahn.OK}
		if slices.Contains([]string{"7.1.6", "7.13.1", "7.13.2"}, c.ID) {
			r.Behavior, r.BehaviorClose = autobahn.Informational, autobahn.Informational
		}
		list = append(list, r)
	}
	return list
}

// write writes a report, and returns its index.
func write(t *testing.T, results []autobahn.Result) string {
	dir := t.TempDir()
	if err := report.Write(dir, results); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "index.json")
}

const goodSummary = "server swan: 514 OK, close OK; 3 INFORMATIONAL, close INFORMATIONAL"

func TestCompare_AcceptsWhatIsExpected(t *testing.T) {
	lines, same, err := run([]string{committed, "server", write(t, asExpected())})
	if diff := cmp.Diff([]string{goodSummary}, lines); diff != "" || !same || err != nil {
		t.Errorf("same: %v, %v (-want +got):\n%s", same, err, diff)
	}
}

func TestCompare_SeesEveryDifference(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(list []autobahn.Result) []autobahn.Result
		want   []string
	}{
		{"a case fails", func(list []autobahn.Result) []autobahn.Result {
			list[find(list, "2.10")].Behavior = autobahn.Failed
			list[find(list, "2.9")].BehaviorClose = autobahn.WrongCode
			return list
		}, []string{
			"server swan: 2.9 is OK, close WRONG CODE, want OK, close OK",
			"server swan: 2.10 is FAILED, close OK, want OK, close OK",
		}},
		{"an exception is none any more", func(list []autobahn.Result) []autobahn.Result {
			list[find(list, "7.13.1")].Behavior = autobahn.OK
			return list
		}, []string{"server swan: 7.13.1 is OK, close INFORMATIONAL, want INFORMATIONAL, close INFORMATIONAL"}},
		{"cases are missing", func(list []autobahn.Result) []autobahn.Result {
			return slices.Delete(list, find(list, "7.1.6"), find(list, "7.1.6")+1)
		}, []string{"server swan: 516 cases were run, want 517", "server swan: 7.1.6 was not run"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			lines, same, err := run([]string{committed, "server", write(t, test.change(asExpected()))})
			if err != nil || same || len(lines) == 0 {
				t.Fatalf("same: %v, %v, %q", same, err, lines)
			}
			if diff := cmp.Diff(test.want, lines[:len(lines)-1]); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func find(list []autobahn.Result, id string) int {
	return slices.IndexFunc(list, func(r autobahn.Result) bool { return r.ID == id })
}

func TestCompare_SaysWhatIsWrongWithItsInput(t *testing.T) {
	file := func(text string) string {
		name := filepath.Join(t.TempDir(), "file.json")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for _, test := range []struct {
		name, want string
		args       []string
	}{
		{"no arguments", "usage", nil},
		{"a role without a report", "usage", []string{committed, "server", "index.json", "client"}},
		{"no report", "no such file", []string{committed, "server", "no/index.json"}},
		{"a report that is none", "invalid character", []string{committed, "server", file("report")}},
		{"a report of nobody", "nobody was tested", []string{committed, "server", file("{}")}},
		{"an exception without a reason", "say why", []string{file(`{"otherThanOK":[{"id":"1.1.1","role":"both"}]}`), "server", "index.json"}},
		{"a role that is none", "want server, client or both", []string{file(`{"otherThanOK":[{"id":"1.1.1","role":"all","reason":"!"}]}`), "server", "index.json"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, same, err := run(test.args); same || err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("same: %v, error %v, want one with %q", same, err, test.want)
			}
		})
	}
}
