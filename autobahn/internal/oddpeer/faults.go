package oddpeer

import (
	_ "embed"
	"fmt"
	"strings"
)

// A Fault is something that a peer can do wrong.
type Fault struct {
	Name           string
	Does           string   // in words
	Server, Client bool     // who can have it
	Look           []string // patterns of the cases that look for it
}

//go:embed faults.txt
var faultsText string

// Faults are all that there are.
var Faults = parseFaults(faultsText)

var known = func() map[string]bool {
	m := map[string]bool{}
	for _, f := range Faults {
		m[f.Name] = true
	}
	return m
}()

// parseFaults reads faults.txt.
func parseFaults(text string) (list []Fault) {
	var look []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if title, ok := strings.CutPrefix(line, "== "); ok {
			_, patterns, _ := strings.Cut(title, ": ")
			look = strings.Fields(patterns)
			continue
		}
		if line == "" || line[0] == '#' {
			continue
		}
		role, rest, _ := strings.Cut(line, " ")
		name, does, ok := strings.Cut(strings.TrimSpace(rest), " ")
		if !ok || role != "server" && role != "client" && role != "both" {
			panic(fmt.Sprintf("faults.txt: %q: want a role, a name and what it does", line))
		}
		list = append(list, Fault{name, strings.TrimSpace(does), role != "client", role != "server", look})
	}
	return list
}
