// Package report makes a table and a picture of what was measured.
package report

import (
	"bufio"
	"encoding/json"
	"io"
	"math"
	"slices"
	"time"

	"github.com/swan-ws/websocket/bench"
)

// A Report is a run of several rounds, in each of which all libraries took their turn
// in every scenario.
type Report struct {
	Date      string // year, month, day
	Machine   Machine
	Rounds    int
	Time      time.Duration // of each sample
	Procs     int           // cores of the server
	Apart     bool          // the clients had one of their own
	Scenarios []bench.Scenario
	Libraries []Library
	Growth    []bench.Step   // by which the connections grow in number
	Grown     []string       // names of the libraries for which they do
	Lost      []string       // samples that failed, and why
	Samples   []bench.Sample `json:"-"`
}

// A Library is one of those that were measured.
type Library struct {
	Name, Module, Version, How string
	Batched                    bool // the application puts messages together
}

// Write writes r to w: a line of JSON about the run, and one for each sample.
func (r *Report) Write(w io.Writer) error {
	out := bufio.NewWriter(w)
	j := json.NewEncoder(out)
	if err := j.Encode(r); err != nil {
		return err
	}
	for _, x := range r.Samples {
		if err := j.Encode(x); err != nil {
			return err
		}
	}
	return out.Flush()
}

// Read reads what Write has written.
func Read(in io.Reader) (*Report, error) {
	j := json.NewDecoder(in)
	r := &Report{}
	if err := j.Decode(r); err != nil {
		return nil, err
	}
	for {
		var x bench.Sample
		switch err := j.Decode(&x); err {
		case nil:
			r.Samples = append(r.Samples, x)
		case io.EOF:
			return r, nil
		default:
			return nil, err
		}
	}
}

// A value is a figure of a sample.
type value func(bench.Sample) float64

func cpu(x bench.Sample) float64        { return x.CPU / 1000 }
func allocs(x bench.Sample) float64     { return x.Allocs }
func wire(x bench.Sample) float64       { return x.Wire }
func touched(x bench.Sample) float64    { return x.Touched }
func collected(x bench.Sample) float64  { return x.Collected }
func goroutines(x bench.Sample) float64 { return x.Goroutines }

// figure is the value that counts in s.
func figure(s bench.Scenario) value {
	if s.Kind == bench.Idle {
		return touched
	}
	return cpu
}

// A cell is a value in all rounds of one library in one scenario.
type cell struct{ low, median, high float64 }

// cell returns the cell, and whether there is one.
func (r *Report) cell(scenario, library string, v value) (c cell, ok bool) {
	var all []float64
	for _, x := range r.Samples {
		if x.Scenario == scenario && x.Library == library {
			all = append(all, v(x))
		}
	}
	if len(all) == 0 {
		return c, false
	}
	return cell{slices.Min(all), median(all), slices.Max(all)}, true
}

// spread is how far the rounds are from the median, as a part of it.
func (c cell) spread() float64 {
	if c.median == 0 {
		return 0
	}
	return max(c.high-c.median, c.median-c.low) / c.median
}

func median(of []float64) float64 {
	of = slices.Sorted(slices.Values(of))
	n := len(of)
	switch {
	case n == 0:
		return math.NaN()
	case n%2 == 0:
		return (of[n/2-1] + of[n/2]) / 2
	}
	return of[n/2]
}

// tie is the ratio below which there is no difference.
const tie = 1.1

// A rival is another module's library in a scenario.
type rival struct {
	name  string
	ratio float64 // of its figure to that of the first library: the median of the rounds'
}

// rivals returns the best of the others in s, and, if there is one, the best of those
// for which the application puts messages together.
func (r *Report) rivals(s bench.Scenario) (list []rival) {
	for _, batched := range []bool{false, true} {
		best, lowest := "", math.Inf(1)
		for _, l := range r.Libraries {
			c, there := r.cell(s.Name, l.Name, figure(s))
			if there && l.Batched == batched && l.Module != r.Libraries[0].Module && c.median < lowest {
				best, lowest = l.Name, c.median
			}
		}
		if ratios := r.ratios(s, best); len(ratios) > 0 {
			list = append(list, rival{best, median(ratios)})
		}
	}
	return list
}

// ratios returns those of a library's figures to the first one's, round by round.
func (r *Report) ratios(s bench.Scenario, library string) (ratios []float64) {
	ours := map[int]float64{}
	for _, x := range r.Samples {
		if x.Scenario == s.Name && x.Library == r.Libraries[0].Name {
			ours[x.Round] = figure(s)(x)
		}
	}
	for _, x := range r.Samples {
		if x.Scenario == s.Name && x.Library == library && ours[x.Round] > 0 {
			ratios = append(ratios, figure(s)(x)/ours[x.Round])
		}
	}
	return ratios
}
