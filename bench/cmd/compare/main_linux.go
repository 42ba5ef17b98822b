// Command compare measures this library and others in turn, round by round, and
// writes the table and the picture of docs/benchmarks.md. Run it on a machine that
// does nothing else, in the directory bench:
//
//	go run ./cmd/compare
//
// -draw makes the table and the picture again from what was measured last.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/swan-ws/websocket/bench"
	"github.com/swan-ws/websocket/bench/measure"
	"github.com/swan-ws/websocket/bench/report"
	"github.com/swan-ws/websocket/bench/servers"
)

var (
	rounds    = flag.Int("rounds", 7, "how often each library has its turn; those of idle at most 3 times")
	duration  = flag.Duration("time", 300*time.Millisecond, "how long it is measured each time")
	procs     = flag.Int("procs", 1, "cores of the server")
	scenarios = flag.String("scenarios", "all", "what to measure, separated by commas; \"echo-32:conns=1000\" changes a number")
	libraries = flag.String("libraries", "all", "which libraries, separated by commas; the first one is compared with the others")
	docs      = flag.String("docs", "../docs", "the directory of benchmarks.md and benchmarks.svg; \"\" writes no file")
	samples   = flag.String("samples", "samples.jsonl", "the file of all that was measured")
	draw      = flag.Bool("draw", false, "measure nothing, read -samples")
)

func main() {
	measure.Child()
	flag.Parse()
	log.SetFlags(0)
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	r, err := get()
	if err != nil {
		return err
	}
	fmt.Println(r.Markdown(""))
	if *docs == "" {
		return nil
	}
	page := filepath.Join(*docs, "benchmarks.md")
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	const picture = "benchmarks.svg"
	written, err := report.Insert(string(text), r.Markdown(picture))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(*docs, picture), []byte(r.SVG()), 0o644); err != nil {
		return err
	}
	return os.WriteFile(page, []byte(written), 0o644)
}

// get returns what was measured, now or with -draw before.
func get() (*report.Report, error) {
	if *draw {
		f, err := os.Open(*samples)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return report.Read(f)
	}
	r, err := measureAll()
	if err != nil || *docs == "" {
		return r, err
	}
	f, err := os.Create(*samples)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return r, r.Write(f)
}

func measureAll() (*report.Report, error) {
	list, err := bench.Parse(*scenarios)
	if err != nil {
		return nil, err
	}
	libs, err := servers.Find(*libraries)
	if err != nil {
		return nil, err
	}
	if *rounds < 1 || *procs < 1 || *duration <= 0 {
		return nil, fmt.Errorf("-rounds, -procs and -time must be more than 0")
	}
	r := &report.Report{
		Date: time.Now().Format(time.DateOnly), Machine: report.ThisMachine(), Rounds: *rounds, Time: *duration,
		Procs: *procs, Apart: measure.Apart(*procs), Scenarios: list,
	}
	for _, l := range libs {
		r.Libraries = append(r.Libraries, report.Library{
			Name: l.Name, Module: l.Module, Version: report.Version(l.Module), How: l.How, Batched: l.Batched,
		})
	}
	began := time.Now()
	for round := range *rounds {
		for _, s := range list {
			if s.Kind != bench.Idle || round < 3 {
				measureRound(r, round, s, libs)
			}
		}
		log.Printf("round %d of %d after %v", round+1, *rounds, time.Since(began).Round(time.Second))
	}
	return r, nil
}

// measureRound gives each library its turn in s.
func measureRound(r *report.Report, round int, s bench.Scenario, libs []servers.Library) {
	for _, l := range libs {
		if !l.Takes(s) {
			continue
		}
		x, err := measure.One(l, s, r.Time, r.Procs)
		if err != nil {
			log.Print(err)
			r.Lost = append(r.Lost, err.Error())
			continue
		}
		x.Round = round
		r.Samples = append(r.Samples, x)
	}
}
