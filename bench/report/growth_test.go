package report

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/swan-ws/websocket/bench"
)

var update = flag.Bool("update", false, "write what the tests want anew")

// grown is a report of two libraries with more and more connections, one of which grows.
func grown(t *testing.T) *Report {
	t.Helper()
	r := sample()
	var err error
	if r.Growth, err = bench.Steps("100,1000,10000", 1, 2); err != nil {
		t.Fatal(err)
	}
	r.Grown = []string{"swan", "swan-loop"}
	r.Lost = []string{"echo-32, duck: no answer", "growth-10000-2, swan: too many open files"}
	for i := range r.Growth {
		s := &r.Growth[i]
		s.Apart = s.Procs == 1
		for round, drift := range []float64{1, 1.1, 1.3} {
			cpu := 7000 * drift
			grows := cpu * (1 + float64(s.Scenario.Conns)/20_000)
			if s.Procs == 1 || s.Scenario.Conns < 10_000 {
				r.Samples = append(r.Samples, bench.Sample{Round: round, Scenario: s.Scenario.Name, Library: "swan", Count: 9, CPU: cpu})
			}
			r.Samples = append(r.Samples, bench.Sample{Round: round, Scenario: s.Scenario.Name, Library: "swan-loop", Count: 9, CPU: grows})
		}
	}
	return r
}

func TestGrowth_IsATableAndAPicture(t *testing.T) {
	r := grown(t)
	for file, got := range map[string]string{
		"growth.md":  r.GrowthMarkdown("growth.svg"),
		"growth.svg": r.GrowthSVG(),
	} {
		path := filepath.Join("testdata", file)
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s is another one (go test ./report -update writes it):\n%s", file, got)
		}
	}
}

// What fails of the growth is said there, and what else fails elsewhere.
func TestGrowth_SaysWhatOfItIsLost(t *testing.T) {
	r := grown(t)
	for what, text := range map[string]string{"growth-10000-2, swan: too many open files.": r.GrowthMarkdown(""), "echo-32, duck: no answer.": r.Markdown("")} {
		if !strings.Contains(text, "Lost, and not counted: "+what) {
			t.Errorf("no %q in\n%s", what, text)
		}
	}
}

func TestGrowth_OfNothingMeasured_HasNoFigures(t *testing.T) {
	r := grown(t)
	r.Samples = nil
	if text := r.GrowthMarkdown(""); strings.Contains(text, "NaN") || !strings.Contains(text, "| 10,000 | - | - | - | - |") {
		t.Error(text)
	}
	if text := r.Markdown(""); strings.Contains(text, "NaN") {
		t.Error(text)
	}
	wellFormed(t, r.GrowthSVG())
	if picture := r.GrowthSVG(); strings.Contains(picture, "NaN") || strings.Contains(picture, "circle") {
		t.Error(picture)
	}
}

func TestGrowthSVG_IsWellFormed(t *testing.T) {
	elements := wellFormed(t, grown(t).GrowthSVG())
	if elements["circle"] != 11 || elements["polyline"] != 4 {
		t.Errorf("the picture has %v", elements)
	}
}
