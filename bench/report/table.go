package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/swan-ws/websocket/bench"
)

// Markdown returns the figures as text and tables, with the picture whose address is
// given.
func (r *Report) Markdown(picture string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", r.where())
	if picture != "" {
		fmt.Fprintf(&b, "![The figures of the tables as bars](%s)\n\n", picture)
	}
	r.cpuTable(&b)
	r.table(&b, "Allocations of the server, for each of the same:", r.kinds(func(s bench.Scenario) bool { return s.Kind != bench.Idle }), allocs, number)
	r.table(&b, "Bytes that come back for a compressed message, header included:", r.kinds(func(s bench.Scenario) bool { return s.Deflate != bench.Off }), wire, number)
	r.idleTable(&b)
	r.legend(&b)
	return b.String()
}

// where says when and on what was measured.
func (r *Report) where() string {
	clients := "the clients on another"
	if !r.Apart {
		clients = "the clients on the same"
	}
	return fmt.Sprintf("Measured on %s, %s. %d rounds of %v each; the server on %d of the cores, %s.",
		r.Date, r.Machine, r.Rounds, r.Time, r.Procs, clients)
}

func (r *Report) kinds(of func(bench.Scenario) bool) []bench.Scenario {
	return slices.DeleteFunc(slices.Clone(r.Scenarios), func(s bench.Scenario) bool { return !of(s) })
}

func (r *Report) cpuTable(b *strings.Builder) {
	rows := r.kinds(func(s bench.Scenario) bool { return s.Kind != bench.Idle })
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(b, "Processor time of the server, in microseconds: the median of the rounds, and how far the furthest round is from it.\n\n")
	r.head(b, fmt.Sprintf(" the best of the others, as a multiple of %s |", r.Libraries[0].Name))
	for _, s := range rows {
		fmt.Fprintf(b, "| **%s**: a %s, %s |", s.Title, s.Unit(), s.About())
		for _, l := range r.Libraries {
			text := "-"
			if c, ok := r.cell(s.Name, l.Name, cpu); ok {
				text = fmt.Sprintf("%s ±%.0f %%", number(c.median), 100*c.spread())
			}
			fmt.Fprintf(b, " %s |", text)
		}
		fmt.Fprintf(b, " %s |\n", r.verdict(s))
	}
	fmt.Fprintf(b, "\n%s\n\n", r.noise())
}

// verdict compares the others with the first library.
func (r *Report) verdict(s bench.Scenario) string {
	var texts []string
	for _, best := range r.rivals(s) {
		if best.ratio < tie && best.ratio > 1/tie {
			texts = append(texts, best.name+" a tie")
		} else {
			texts = append(texts, best.name+" "+number(best.ratio))
		}
	}
	return cmp.Or(strings.Join(texts, "; "), "-")
}

// noise says how much the rounds differ.
func (r *Report) noise() string {
	var spreads []float64
	var worst float64
	var where string
	for _, s := range r.Scenarios {
		for _, l := range r.Libraries {
			c, ok := r.cell(s.Name, l.Name, figure(s))
			if !ok {
				continue
			}
			spreads = append(spreads, c.spread())
			if c.spread() >= worst {
				worst, where = c.spread(), l.Name+" in "+s.Name
			}
		}
	}
	if len(spreads) == 0 {
		return "Nothing has been measured."
	}
	text := fmt.Sprintf("Noise: in half of the cells the furthest round is within %.0f %% of the median; in the worst, %s, it is %.0f %% away. A ratio below %v is called a tie.",
		100*median(spreads), where, 100*worst, tie)
	if lost := r.lost(false); len(lost) > 0 {
		text += fmt.Sprintf(" Lost, and not counted: %s.", strings.Join(lost, "; "))
	}
	return text
}

// table is the medians of a value.
func (r *Report) table(b *strings.Builder, title string, rows []bench.Scenario, v value, text func(float64) string) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(b, "%s\n\n", title)
	r.head(b, "")
	for _, s := range rows {
		r.row(b, s.Title, s.Name, v, text)
	}
	b.WriteString("\n")
}

func (r *Report) idleTable(b *strings.Builder) {
	rows := r.kinds(func(s bench.Scenario) bool { return s.Kind == bench.Idle })
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(b, "Memory of the server for an idle connection, as the kernel counts it:\n\n")
	r.head(b, "")
	for _, s := range rows {
		r.row(b, s.About()+", after a message, B", s.Name, touched, number)
		r.row(b, s.About()+", after garbage collection, B", s.Name, collected, number)
		r.row(b, s.About()+", goroutines", s.Name, goroutines, number)
	}
	b.WriteString("\n")
}

func (r *Report) head(b *strings.Builder, more string) {
	b.WriteString("| |")
	for _, l := range r.Libraries {
		fmt.Fprintf(b, " %s |", l.Name)
	}
	fmt.Fprintf(b, "%s\n|---|%s%s\n", more, strings.Repeat("--:|", len(r.Libraries)), strings.Repeat("---|", strings.Count(more, "|")))
}

func (r *Report) row(b *strings.Builder, title, scenario string, v value, text func(float64) string) {
	fmt.Fprintf(b, "| %s |", title)
	for _, l := range r.Libraries {
		if c, ok := r.cell(scenario, l.Name, v); ok {
			fmt.Fprintf(b, " %s |", text(c.median))
		} else {
			b.WriteString(" - |")
		}
	}
	b.WriteString("\n")
}

func (r *Report) legend(b *strings.Builder) {
	b.WriteString("What was used of each library:\n\n| | module | version | |\n|---|---|---|---|\n")
	for _, l := range r.Libraries {
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", l.Name, l.Module, l.Version, l.How)
	}
}

// number returns v with three digits, or with all those before the point.
func number(v float64) string {
	digits := 2
	switch size := math.Abs(v); {
	case size < 0.005:
		return "0"
	case size >= 99.95:
		digits = 0
	case size >= 9.995:
		digits = 1
	case size < 0.0995:
		digits = 3
	}
	return fmt.Sprintf("%.*f", digits, v)
}
