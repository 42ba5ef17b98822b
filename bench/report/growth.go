package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/swan-ws/websocket/bench"
)

// GrowthMarkdown returns as text and a table what a message costs with more and more
// connections, with the picture whose address is given.
func (r *Report) GrowthMarkdown(picture string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", r.whereGrown())
	if picture != "" {
		fmt.Fprintf(&b, "![The same as lines](%s)\n\n", picture)
	}
	b.WriteString("Processor time of the server for a message, in microseconds: the median of the rounds, and how far the furthest round is from it.\n\n")
	curves := r.curves()
	b.WriteString("| connections |")
	for _, c := range curves {
		fmt.Fprintf(&b, " %s, %s |", c.library, cores(c.procs))
	}
	fmt.Fprintf(&b, "\n|--:|%s\n", strings.Repeat("--:|", len(curves)))
	for _, n := range r.numbers() {
		fmt.Fprintf(&b, "| %s |", thousands(n))
		for _, c := range curves {
			text := "-"
			if cell, ok := r.cell(c.at(n), c.library, cpu); ok {
				text = fmt.Sprintf("%s ±%.0f %%", number(cell.median), 100*cell.spread())
			}
			fmt.Fprintf(&b, " %s |", text)
		}
		b.WriteString("\n")
	}
	r.growthVerdict(&b, curves)
	return b.String()
}

// whereGrown says when and on what that was measured.
func (r *Report) whereGrown() string {
	text := fmt.Sprintf("Measured on %s, %s. %d rounds of %v each", r.Date, r.Machine, r.Rounds, r.Time)
	if n := len(r.Growth); n > 0 && r.Growth[n-1].Time(r.Time) > r.Time {
		text += fmt.Sprintf(", of %v with the most connections", r.Growth[n-1].Time(r.Time))
	}
	return text + "."
}

// growthVerdict compares the most connections with the fewest.
func (r *Report) growthVerdict(b *strings.Builder, curves []curve) {
	numbers := r.numbers()
	if len(numbers) > 1 {
		fewest, most := numbers[0], numbers[len(numbers)-1]
		fmt.Fprintf(b, "| %s to %s |", thousands(most), thousands(fewest))
		for _, c := range curves {
			text := "-"
			if ratios := r.growth(c, fewest, most); len(ratios) > 0 {
				text = number(median(ratios))
				if m := median(ratios); m < tie && m > 1/tie {
					text = "a tie"
				}
			}
			fmt.Fprintf(b, " %s |", text)
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(b, "\nThe last row is the ratio of the two, the median of the rounds'; below %v it is called a tie.", tie)
	for _, s := range r.Growth {
		if !s.Apart {
			fmt.Fprintf(b, " With %s the clients have none of their own.", cores(s.Procs))
			break
		}
	}
	if lost := r.lost(true); len(lost) > 0 {
		fmt.Fprintf(b, " Lost, and not counted: %s.", strings.Join(lost, "; "))
	}
	b.WriteString("\n")
}

// A curve is a library's on a server with so many cores.
type curve struct {
	library string
	procs   int
	steps   []bench.Step
}

// at returns the name of the scenario with n connections.
func (c curve) at(n int) string {
	for _, s := range c.steps {
		if s.Scenario.Conns == n {
			return s.Scenario.Name
		}
	}
	return ""
}

func (r *Report) curves() (list []curve) {
	for _, s := range r.Growth {
		if slices.ContainsFunc(list, func(c curve) bool { return c.procs == s.Procs }) {
			continue
		}
		for _, library := range r.Grown {
			c := curve{library: library, procs: s.Procs}
			for _, other := range r.Growth {
				if other.Procs == s.Procs {
					c.steps = append(c.steps, other)
				}
			}
			list = append(list, c)
		}
	}
	return list
}

// numbers are those of connections, the lowest first.
func (r *Report) numbers() (list []int) {
	for _, s := range r.Growth {
		list = append(list, s.Scenario.Conns)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// growth returns the ratios of what a message costs, round by round.
func (r *Report) growth(c curve, from, to int) (ratios []float64) {
	before := map[int]float64{}
	for _, x := range r.Samples {
		if x.Library == c.library && x.Scenario == c.at(from) {
			before[x.Round] = x.CPU
		}
	}
	for _, x := range r.Samples {
		if x.Library == c.library && x.Scenario == c.at(to) && before[x.Round] > 0 {
			ratios = append(ratios, x.CPU/before[x.Round])
		}
	}
	return ratios
}

// lost returns what failed of the growth, or of all else.
func (r *Report) lost(growth bool) (list []string) {
	for _, l := range r.Lost {
		if strings.HasPrefix(l, "growth-") == growth {
			list = append(list, l)
		}
	}
	return list
}

func cores(n int) string {
	if n == 1 {
		return "1 core"
	}
	return strconv.Itoa(n) + " cores"
}

// thousands returns n as "10,000".
func thousands(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}
