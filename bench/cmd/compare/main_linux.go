// Command compare measures this library and others in turn, round by round, and
// writes the tables and the pictures of docs/benchmarks.md. Run it on a machine that
// does nothing else, in the directory bench:
//
//	go run ./cmd/compare
//
// What fails is said beside the figures, and the rest goes on. Interrupted, it prints
// what there is until then and leaves the page alone. -draw makes tables and pictures
// again from what was measured last.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
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
	scenarios = flag.String("scenarios", "all", "what to measure, separated by commas; \"echo-32:conns=1000\" changes a number; \"\" is nothing but the growth")
	libraries = flag.String("libraries", "all", "which libraries, separated by commas; the first one is compared with the others")
	growth    = flag.String("growth", "100,1000,10000", "numbers of connections with which our servers are measured on 1 core and on 2; \"\" is none")
	grown     = flag.String("grown", "swan-loop,gobwas", "the libraries for that, two at the most")
	docs      = flag.String("docs", "../docs", "the directory of benchmarks.md and its pictures; \"\" writes no file")
	samples   = flag.String("samples", "samples.jsonl", "the file of all that was measured")
	draw      = flag.Bool("draw", false, "measure nothing, read -samples")
)

func main() {
	measure.Child()
	flag.Parse()
	log.SetFlags(0)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second one ends it at once
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	r, err := get(ctx)
	if err != nil {
		return err
	}
	if len(r.Samples) == 0 {
		return fmt.Errorf("nothing was measured: %q", r.Lost)
	}
	if len(r.Scenarios) > 0 {
		fmt.Println(r.Markdown(""))
	}
	if len(r.Growth) > 0 {
		fmt.Println(r.GrowthMarkdown(""))
	}
	switch {
	case ctx.Err() != nil:
		return errors.New("interrupted: the figures are of less than was asked for, and no page was written")
	case *docs == "":
		return nil
	}
	return write(r, *docs)
}

// write puts the figures into the page in dir, and the pictures beside it.
func write(r *report.Report, dir string) error {
	page := filepath.Join(dir, "benchmarks.md")
	b, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	text := string(b)
	for _, part := range []struct {
		there         bool
		name, picture string
		text          func(picture string) string
		svg           func() string
	}{
		{len(r.Scenarios) > 0, report.Figures, "benchmarks.svg", r.Markdown, r.SVG},
		{len(r.Growth) > 0, report.Growth, "benchmarks-growth.svg", r.GrowthMarkdown, r.GrowthSVG},
	} {
		if !part.there {
			continue
		}
		if text, err = report.Insert(text, part.name, part.text(part.picture)); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, part.picture), []byte(part.svg()), 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(page, []byte(text), 0o644)
}

// get returns what was measured, now or with -draw before.
func get(ctx context.Context) (*report.Report, error) {
	if *draw {
		f, err := os.Open(*samples)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return report.Read(f)
	}
	p, err := plan()
	if err != nil {
		return nil, err
	}
	return p.r, p.measure(ctx)
}

// A series is what is to be measured, and what has been.
type series struct {
	r           *report.Report
	libs, grown []servers.Library
}

func plan() (s series, err error) {
	var list []bench.Scenario
	if *scenarios != "" {
		if list, err = bench.Parse(*scenarios); err != nil {
			return s, err
		}
	}
	if s.libs, err = servers.Find(*libraries); err != nil {
		return s, err
	}
	if s.grown, err = servers.Find(*grown); err != nil {
		return s, err
	}
	steps, err := bench.Steps(*growth, []int{1, 2}[:min(2, runtime.NumCPU())]...)
	switch {
	case err != nil:
		return s, err
	case *rounds < 1 || *procs < 1 || *duration <= 0:
		return s, errors.New("-rounds, -procs and -time must be more than 0")
	case len(list) == 0 && len(steps) == 0:
		return s, errors.New("neither -scenarios nor -growth says what to measure")
	case len(s.grown) > 2:
		return s, errors.New("-grown names more than two libraries")
	}
	s.r = &report.Report{
		Date: time.Now().Format(time.DateOnly), Machine: report.ThisMachine(), Rounds: *rounds, Time: *duration,
		Procs: *procs, Apart: measure.Apart(*procs), Scenarios: list, Growth: steps,
	}
	for i := range steps {
		steps[i].Apart = measure.Apart(steps[i].Procs)
	}
	for _, l := range s.libs {
		s.r.Libraries = append(s.r.Libraries, report.Library{
			Name: l.Name, Module: l.Module, Version: report.Version(l.Module), How: l.How, Batched: l.Batched,
		})
	}
	for _, l := range s.grown {
		s.r.Grown = append(s.r.Grown, l.Name)
	}
	return s, nil
}

// measure does all rounds, or those until ctx ends, and keeps what they bring.
func (s series) measure(ctx context.Context) error {
	began := time.Now()
	for round := range *rounds {
		for _, sc := range s.r.Scenarios {
			if sc.Kind != bench.Idle || round < 3 {
				s.turns(ctx, round, sc, s.libs, s.r.Procs, s.r.Time)
			}
		}
		for _, step := range s.r.Growth {
			s.turns(ctx, round, step.Scenario, s.grown, step.Procs, step.Time(s.r.Time))
		}
		if *docs != "" {
			if err := save(s.r, *samples); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return nil
		}
		log.Printf("round %d of %d after %v", round+1, *rounds, time.Since(began).Round(time.Second))
	}
	return nil
}

// turns gives each library its turn. Another one begins in each round: the machine is
// not the same after another scenario as after the same one.
func (s series) turns(ctx context.Context, round int, sc bench.Scenario, libs []servers.Library, procs int, t time.Duration) {
	for i := range libs {
		l := libs[(round+i)%len(libs)]
		if !l.Takes(sc) || ctx.Err() != nil {
			continue
		}
		x, err := measure.One(l, sc, t, procs)
		if err != nil {
			log.Print(err)
			s.r.Lost = append(s.r.Lost, err.Error())
			continue
		}
		x.Round = round
		s.r.Samples = append(s.r.Samples, x)
	}
}

func save(r *report.Report, path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(r.Write(f), f.Close())
}
