package report

import (
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/swan-ws/websocket/bench"
)

// Measures of the picture, in pixels.
const (
	columns   = 3
	panel     = 330 // the width of a panel
	margin    = 24
	nameWidth = 110 // the space for the names of the libraries
	barWidth  = 150 // the longest bar
	barHeight = 12
	rowHeight = 19
	titleRows = 46 // the space above the bars
)

// The picture has its own background, so that it can be read whatever the page has.
const style = `<style>
.page { fill: #ffffff } .text { fill: #1f2328 } .faint { fill: #59636e } .bar { fill: #b4bcc6 } .ours { fill: #1b7a99 } .range { stroke: #1f2328 }
.grid { stroke: #d1d9e0 } .line0, .line1 { stroke: #1b7a99; stroke-width: 1.5; fill: none } .point0 { fill: #1b7a99 } .line1 { stroke: #b35900 } .point1 { fill: #b35900 }
text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif } .title { font-size: 14px; font-weight: 600 } .small { font-size: 11px }
@media (prefers-color-scheme: dark) {
.page { fill: #0d1117 } .text { fill: #e6edf3 } .faint { fill: #9198a1 } .bar { fill: #525b66 } .ours { fill: #3aa6c9 } .range { stroke: #e6edf3 }
.grid { stroke: #30363d } .line0 { stroke: #3aa6c9 } .point0 { fill: #3aa6c9 } .line1 { stroke: #e3a35a } .point1 { fill: #e3a35a } }
</style>
`

// A chart is a picture that is being made.
type chart struct {
	*Report
	b strings.Builder
}

// SVG returns the figures that count as a picture: a panel for each scenario, a bar
// for each library, and a line over it from the lowest round to the highest.
func (r *Report) SVG() string {
	c, body := &chart{Report: r}, &chart{Report: r}
	y := margin + 34
	for i := 0; i < len(r.Scenarios); i += columns {
		height := 0
		for k, s := range r.Scenarios[i:min(i+columns, len(r.Scenarios))] {
			height = max(height, body.panel(margin+k*(panel+margin), y, s))
		}
		y += height + margin
	}
	width := columns*(panel+margin) + margin
	height := y + 16
	c.open(width, height, "What a server takes: shorter is better. "+r.where())
	c.text(margin, margin+10, "title text", "start", "What a server takes: shorter is better")
	c.text(width-margin, margin+10, "small faint", "end", "processor time; bar: median of the rounds, line: lowest to highest")
	c.b.WriteString(body.b.String())
	c.text(margin, height-14, "small faint", "start", r.where())
	c.b.WriteString("</svg>\n")
	return c.b.String()
}

// open begins the picture.
func (c *chart) open(width, height int, title string) {
	fmt.Fprintf(&c.b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-labelledby="title">`+"\n", width, height, width, height)
	fmt.Fprintf(&c.b, `<title id="title">%s</title>`+"\n", escape(title))
	c.b.WriteString(style)
	fmt.Fprintf(&c.b, `<rect class="page" width="%d" height="%d"/>`+"\n", width, height)
}

// panel draws s at x, y and returns how high that is.
func (c *chart) panel(x, y int, s bench.Scenario) int {
	v, unit := figure(s), "µs a "+s.Unit()
	if s.Kind == bench.Idle {
		unit = "B a connection"
	}
	c.text(x, y+12, "title text", "start", s.Title)
	c.text(x, y+28, "small faint", "start", unit+"; "+s.About())
	longest := 0.0
	for _, l := range c.Libraries {
		if cell, ok := c.cell(s.Name, l.Name, v); ok {
			longest = max(longest, cell.high)
		}
	}
	top := y + titleRows - 8
	for _, l := range c.Libraries {
		cell, ok := c.cell(s.Name, l.Name, v)
		if !ok {
			continue
		}
		class := "bar"
		if l.Module == c.Libraries[0].Module {
			class = "ours"
		}
		c.bar(x, top, l.Name, class, cell, longest)
		top += rowHeight
	}
	return top - y
}

// bar draws one bar of a panel that begins at x.
func (c *chart) bar(x, y int, name, class string, v cell, longest float64) {
	at := func(f float64) float64 { return float64(x+nameWidth) + barWidth*f/longest }
	middle := y + barHeight/2
	c.text(x+nameWidth-6, y+10, "text", "end", name)
	fmt.Fprintf(&c.b, `<rect class="%s" x="%d" y="%d" width="%.1f" height="%d" rx="1"/>`+"\n", class, x+nameWidth, y, max(at(v.median)-at(0), 1), barHeight)
	fmt.Fprintf(&c.b, `<line class="range" x1="%.1f" y1="%d" x2="%.1f" y2="%d"/>`+"\n", at(v.low), middle, at(v.high), middle)
	c.text(int(at(max(v.high, v.median)))+6, y+10, "text", "start", number(v.median))
}

func (c *chart) text(x, y int, class, anchor, text string) {
	fmt.Fprintf(&c.b, `<text x="%d" y="%d" class="%s" text-anchor="%s">%s</text>`+"\n", x, y, class, anchor, escape(text))
}

func escape(text string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(text))
	return b.String()
}
