package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/swan-ws/websocket/bench"
)

// sample is a report of two scenarios, two libraries of ours and three others.
func sample() *Report {
	r := &Report{
		Date: "2026-01-02", Machine: Machine{"A <fast> & small processor", 2, "linux 1.2", "Go 1.99"},
		Rounds: 3, Time: 300 * time.Millisecond, Procs: 1, Apart: true,
		Scenarios: []bench.Scenario{bench.Scenarios[0], bench.Scenarios[len(bench.Scenarios)-1]},
		Libraries: []Library{
			{Name: "swan", Module: "s", Version: "this tree"}, {Name: "swan-service", Module: "s"},
			{Name: "duck", Module: "d", Version: "v1.2.3", How: "`Quack`"}, {Name: "goose", Module: "g"},
			{Name: "goose-batched", Module: "g", Batched: true},
		},
	}
	for round, drift := range []float64{1, 1.2, 2} {
		add := func(library string, cpu float64) {
			r.Samples = append(r.Samples, bench.Sample{Round: round, Scenario: "echo-32", Library: library, Count: 9, CPU: 1000 * cpu * drift, Allocs: 2})
		}
		add("swan", 10)
		add("swan-service", 11)
		add("duck", 30)
		add("goose", 25)
		add("goose-batched", 9.5)
	}
	r.Samples = append(r.Samples, bench.Sample{Scenario: "idle", Library: "duck", Touched: 12345, Collected: 2345, Goroutines: 1})
	return r
}

func TestMarkdown_HasTheMedians_AndTheRatiosOfEachRound(t *testing.T) {
	text := sample().Markdown("picture.svg")
	for _, want := range []string{
		"Measured on 2026-01-02, A <fast> & small processor, 2 cores, linux 1.2, Go 1.99. 3 rounds of 300ms each; the server on 1 of the cores, the clients on another.",
		"![The figures of the tables as bars](picture.svg)",
		"| **Echo, 32 B**: a message, 64 connections, 32 B, 1 in flight | 12.0 ±67 % | 13.2 ±67 % | 36.0 ±67 % | 30.0 ±67 % | 11.4 ±67 % | goose 2.50; goose-batched a tie |\n",
		"| Echo, 32 B | 2.00 | 2.00 | 2.00 | 2.00 | 2.00 |\n",
		"| 10000 connections, 64 B, after a message, B | - | - | 12345 | - | - |\n",
		"| duck | d | v1.2.3 | `Quack` |\n",
		"in half of the cells the furthest round is within 67 % of the median",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestMarkdown_SaysWhatIsLost(t *testing.T) {
	r := sample()
	r.Lost, r.Apart = []string{"dial, duck: no answer"}, false
	for _, want := range []string{"Lost, and not counted: dial, duck: no answer.", "the clients on the same"} {
		if text := r.Markdown(""); !strings.Contains(text, want) || strings.Contains(text, "![") {
			t.Errorf("no %q, or a picture, in\n%s", want, text)
		}
	}
}

func TestSVG_IsWellFormed(t *testing.T) {
	picture := sample().SVG()
	elements := wellFormed(t, picture)
	if elements["svg"] != 1 || elements["line"] != 6 || elements["rect"] != 7 { // the page, and a bar for each cell
		t.Errorf("the picture has %v", elements)
	}
	for _, want := range []string{"A &lt;fast&gt; &amp; small processor", "prefers-color-scheme: dark", ">goose-batched<", ">12345<"} {
		if !strings.Contains(picture, want) {
			t.Errorf("no %q in\n%s", want, picture)
		}
	}
}

// wellFormed returns how many elements of each name a picture has.
func wellFormed(t *testing.T, picture string) map[string]int {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(picture))
	elements := map[string]int{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return elements
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, picture)
		}
		if e, ok := token.(xml.StartElement); ok {
			elements[e.Name.Local]++
		}
	}
}

func TestRead_ReadsWhatWriteWrites(t *testing.T) {
	r := grown(t)
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	got, err := Read(&b)
	if err != nil || !reflect.DeepEqual(got, r) {
		t.Errorf("got %+v and %v, want %+v", got, err, r)
	}
	if _, err := Read(strings.NewReader("{}\n{\"round\"")); err == nil {
		t.Error("half of a sample is read")
	}
}

func TestInsert_ReplacesWhatIsBetweenTheMarkers(t *testing.T) {
	begin, end := markers(Growth)
	figures, endOfFigures := markers(Figures)
	page := "# Title\n" + figures + "\nfigures\n" + endOfFigures + "\n" + begin + "\nold\n" + end + "\nmore\n"
	got, err := Insert(page, Growth, "\nnew\n")
	if want := strings.Replace(page, "\nold\n", "\n\nnew\n\n", 1); err != nil || got != want {
		t.Errorf("got %q and %v, want %q", got, err, want)
	}
	if again, err := Insert(got, Growth, "new"); err != nil || again != got {
		t.Errorf("a second time gives %q and %v", again, err)
	}
	if _, err := Insert("# Title\n"+end+"\n", Growth, "new"); err == nil || !strings.Contains(err.Error(), begin) {
		t.Errorf("a page without the place for it: %v", err)
	}
}

func TestNumber_HasThreeDigits(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.001: "0", 0.0123: "0.012", 0.5: "0.50", 1.234: "1.23", 9.999: "10.0", 12.34: "12.3", 99.99: "100", 12345.6: "12346"} {
		if got := number(v); got != want {
			t.Errorf("number(%v) is %q, want %q", v, got, want)
		}
	}
}

func TestThisMachine_SaysNoMoreThanItShould(t *testing.T) {
	m := ThisMachine()
	if m.CPU == "" || m.Cores < 1 || !strings.HasPrefix(m.Go, "Go 1.") && !strings.Contains(m.Go, "devel") || strings.Trim(m.System, runtime.GOOS+" 0123456789.") != "" {
		t.Errorf("got %+v", m)
	}
}

func TestVersion(t *testing.T) {
	if v := Version("example.com/none"); v != "this tree" {
		t.Errorf("the version of what is not there is %q", v)
	}
}
