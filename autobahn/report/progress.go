package report

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/swan-ws/websocket/autobahn"
)

// A Progress says how far a run is: on a terminal in one line that is written
// over and over, elsewhere in a line after each tenth of the cases. Its methods
// may be called at the same time.
type Progress struct {
	w     io.Writer
	live  bool // w is a terminal
	agent string
	total int

	mu           sync.Mutex
	done, failed int
	width        int // of the line on the terminal
}

// NewProgress returns the progress of a run of so many cases. An agent that has a
// name is named.
func NewProgress(w io.Writer, live bool, agent string, total int) *Progress {
	if agent != "" {
		agent = plain(agent) + ": "
	}
	return &Progress{w: w, live: live, agent: agent, total: total}
}

// Start says that a case begins.
func (p *Progress) Start(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.live {
		p.show(p.line() + ", now " + id)
	}
}

// Done counts a case.
func (p *Progress) Done(r *autobahn.Result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	if Failed(r) {
		p.failed++
	}
	switch {
	case p.live:
		p.show(p.line())
	case p.total > 0 && p.done*10/p.total > (p.done-1)*10/p.total:
		fmt.Fprintln(p.w, p.line())
	}
}

// Clear takes the line away, so that something else can be written.
func (p *Progress) Clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.live && p.width > 0 {
		p.show("")
		io.WriteString(p.w, "\r")
		p.width = 0
	}
}

func (p *Progress) line() string {
	return fmt.Sprintf("%s%d of %d cases, %d failed", p.agent, p.done, p.total, p.failed)
}

// show writes over the line that is there.
func (p *Progress) show(line string) {
	fmt.Fprintf(p.w, "\r%s%s", line, strings.Repeat(" ", max(0, p.width-len(line))))
	p.width = len(line)
}
