package report

import (
	"fmt"
	"math"
	"strings"
)

// Measures of the picture of growth, in pixels.
const (
	plotWidth  = 330
	plotHeight = 190
	axisWidth  = 44  // the space for the numbers beside a plot
	endWidth   = 100 // the space for the names behind the lines
	plotTop    = 96
	inset      = 28 // from the sides of a plot to the first point and the last
)

// GrowthSVG returns the growth as a picture: a plot for each number of cores, a line for
// each library, and for each point one from the lowest round to the highest.
func (r *Report) GrowthSVG() string {
	c, curves := &chart{Report: r}, r.curves()
	plots := len(curves) / max(len(r.Grown), 1)
	width := plots*(axisWidth+plotWidth+endWidth) + 2*margin
	height := plotTop + plotHeight + 76
	const title = "What a message costs with more and more connections"
	c.open(width, height, title)
	c.text(margin, margin+10, "title text", "start", title)
	c.text(margin, margin+28, "small faint", "start", "µs of the server's processor time; point: median of the rounds, line: lowest to highest")
	top := r.ceiling(curves)
	for i := range plots {
		c.plot(margin+i*(axisWidth+plotWidth+endWidth)+axisWidth, top, curves[i*len(r.Grown):(i+1)*len(r.Grown)])
	}
	c.text(margin, height-14, "small faint", "start", r.whereGrown())
	c.b.WriteString("</svg>\n")
	return c.b.String()
}

// ceiling is where the axes end: a round number above all there is.
func (r *Report) ceiling(curves []curve) float64 {
	highest := 0.0
	for _, c := range curves {
		for _, n := range r.numbers() {
			if cell, ok := r.cell(c.at(n), c.library, cpu); ok {
				highest = max(highest, cell.high)
			}
		}
	}
	if highest == 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(highest)))
	for _, f := range []float64{1, 2, 4, 8} {
		if highest <= f*unit {
			return f * unit
		}
	}
	return 10 * unit
}

// plot draws the curves of a number of cores, with its left edge at x.
func (c *chart) plot(x int, top float64, curves []curve) {
	y := func(v float64) float64 { return plotTop + plotHeight*(1-v/top) }
	c.text(x, plotTop-14, "text", "start", "server on "+cores(curves[0].procs))
	for i := range 5 {
		v := top * float64(i) / 4
		fmt.Fprintf(&c.b, `<line class="grid" x1="%d" y1="%.1f" x2="%d" y2="%.1f"/>`+"\n", x, y(v), x+plotWidth, y(v))
		c.text(x-8, int(y(v))+4, "small faint", "end", strings.TrimSuffix(strings.TrimSuffix(fmt.Sprintf("%.2f", v), "0"), ".0"))
	}
	numbers := c.numbers()
	at := func(i int) float64 {
		return float64(x+inset) + (plotWidth-2*inset)*float64(i)/float64(max(len(numbers)-1, 1))
	}
	for i, n := range numbers {
		c.text(int(at(i)), plotTop+plotHeight+18, "small faint", "middle", thousands(n))
	}
	c.text(x+plotWidth/2, plotTop+plotHeight+36, "small faint", "middle", "connections")
	last := math.Inf(-1)
	for k, curve := range curves {
		var points []string
		end := 0.0
		shift := 4 * float64(2*k-len(curves)+1) // so that lines do not hide each other
		for i, n := range numbers {
			cell, ok := c.cell(curve.at(n), curve.library, cpu)
			if !ok {
				continue
			}
			px, py := at(i)+shift, y(cell.median)
			points = append(points, fmt.Sprintf("%.1f,%.1f", px, py))
			fmt.Fprintf(&c.b, `<line class="line%d" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", k, px, y(cell.low), px, y(cell.high))
			fmt.Fprintf(&c.b, `<circle class="point%d" cx="%.1f" cy="%.1f" r="3.5"/>`+"\n", k, px, py)
			end = py
		}
		if len(points) == 0 {
			continue
		}
		fmt.Fprintf(&c.b, `<polyline class="line%d" points="%s"/>`+"\n", k, strings.Join(points, " "))
		if math.Abs(end-last) < 15 { // names do not lie on each other
			end = last + math.Copysign(15, end-last)
		}
		last = end
		c.text(x+plotWidth+8, int(end)+4, "text", "start", curve.library)
	}
}
