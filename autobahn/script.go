package autobahn

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// ParseCases reads cases in the language of cases/README.md and returns them in
// numeric order. Its error names the lines that it does not understand, and what to
// write instead.
func ParseCases(name, text string) ([]Case, error) {
	blocks, errs := splitBlocks(name, text)
	var cases []Case
	for _, b := range blocks {
		expanded, err := b.expand()
		errs = append(errs, err)
		for _, e := range expanded {
			c, err := e.parse()
			cases, errs = append(cases, c), append(errs, err)
		}
	}
	errs = append(errs, checkIDs(cases))
	slices.SortStableFunc(cases, func(a, b Case) int { return compareIDs(a.ID, b.ID) })
	if err := joinSome(errs); err != nil {
		return nil, err
	}
	return cases, nil
}

// joinSome joins the first errors, one of each line.
func joinSome(errs []error) error {
	var some []error
	lines := make(map[string]bool)
	for _, err := range errs {
		if err == nil {
			continue
		}
		line, _, _ := strings.Cut(err.Error(), ": ")
		if !lines[line] {
			lines[line] = true
			some = append(some, err)
		}
	}
	const most = 20
	if n := len(some) - most; n > 0 {
		some = append(some[:most], fmt.Errorf("and %d more", n))
	}
	return errors.Join(some...)
}

// A block is a case as it stands in its file.
type block struct {
	name  string // of the file
	head  scriptLine
	lines []scriptLine
	table []scriptLine // of a series: the column's names, then the rows
}

// A scriptLine is one line of a script, joined with those that go on with it.
type scriptLine struct {
	number int
	text   string
}

// word cuts off the first word.
func (l scriptLine) word() (word, rest string) {
	if i := strings.IndexAny(l.text, " \t"); i >= 0 {
		return l.text[:i], strings.TrimSpace(l.text[i:])
	}
	return l.text, ""
}

func splitBlocks(name, text string) (blocks []block, errs []error) {
	for _, l := range joinLines(text) {
		word, rest := l.word()
		switch {
		case word == "case" || word == "series":
			blocks = append(blocks, block{name: name, head: l})
		case blocks == nil:
			errs = append(errs, fmt.Errorf("%s:%d: %q stands before the first case: begin with `case ID`", name, l.number, l.text))
		default:
			b := &blocks[len(blocks)-1]
			switch {
			case b.table != nil:
				b.table = append(b.table, l)
			case word == "table":
				b.table = []scriptLine{{l.number, rest}}
			default:
				b.lines = append(b.lines, l)
			}
		}
	}
	return blocks, errs
}

// joinLines leaves comments and empty lines out.
func joinLines(text string) (lines []scriptLine) {
	number := 0
	for raw := range strings.Lines(text) {
		number++
		l := strings.TrimSpace(raw)
		switch more, goesOn := strings.CutPrefix(l, ".."); {
		case l == "" || l[0] == '#':
		case goesOn && len(lines) > 0:
			lines[len(lines)-1].text += " " + strings.TrimSpace(more)
		default:
			lines = append(lines, scriptLine{number, l})
		}
	}
	return lines
}

// expand turns a series into a block for each row of its table.
func (b block) expand() ([]block, error) {
	word, id := b.head.word()
	switch {
	case word == "case" && b.table == nil:
		return []block{b}, nil
	case word == "case":
		return nil, b.errorf(b.table[0], "a case has no table: write `series %s`, with the columns in braces", id)
	case len(b.table) < 2:
		return nil, b.errorf(b.head, "a series needs a table with at least one row: write `table`, the columns' names and, below, the rows")
	}
	names := cells(b.table[0].text, b.table[0].text)
	var expanded []block
	for _, row := range b.table[1:] {
		values := cells(row.text, b.table[0].text)
		if len(values) != len(names) {
			return nil, b.errorf(row, "%d cells for %d columns (%s)", len(values), len(names), strings.Join(names, ", "))
		}
		expanded = append(expanded, b.fill(names, values))
	}
	return expanded, nil
}

// cells cuts a row at |, if the header of its table has them, or else at blanks.
func cells(row, header string) []string {
	if !strings.Contains(header, "|") {
		return strings.Fields(row)
	}
	parts := strings.Split(row, "|")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

// fill puts the cells of a row where the lines have the columns' names in braces.
func (b block) fill(names, values []string) block {
	var pairs []string
	for i, n := range names {
		pairs = append(pairs, "{"+n+"}", values[i])
	}
	r := strings.NewReplacer(pairs...)
	filled := block{name: b.name, head: scriptLine{b.head.number, r.Replace(b.head.text)}}
	for _, l := range b.lines {
		if l.text = strings.TrimSpace(r.Replace(l.text)); l.text != "" {
			filled.lines = append(filled.lines, l)
		}
	}
	return filled
}

func (b block) errorf(l scriptLine, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %q: %w", b.name, l.number, short(l.text), fmt.Errorf(format, args...))
}

func short(s string) string {
	if len(s) > 80 {
		return s[:77] + "..."
	}
	return s
}

// parse reads the lines of a case.
func (b block) parse() (Case, error) {
	_, id := b.head.word()
	p := caseParser{Case: Case{ID: id, where: fmt.Sprintf("%s:%d", b.name, b.head.number)}}
	if !idForm.MatchString(id) {
		return p.Case, b.errorf(b.head, "%q is no id: write numbers joined by dots", id)
	}
	for _, l := range b.lines {
		word, rest := l.word()
		read, known := words[word]
		if !known {
			return p.Case, b.errorf(l, "no line begins with %q%s", word, meant(word))
		}
		if err := read(&p, rest); err != nil {
			return p.Case, b.errorf(l, "%w", err)
		}
	}
	if err := p.finish(); err != nil {
		return p.Case, fmt.Errorf("%s: case %s: %w", p.where, id, err)
	}
	return p.Case, nil
}

var idForm = regexp.MustCompile(`^[1-9][0-9]*(\.[1-9][0-9]*)+$`)

// meant says which word a misspelt one was meant to be, as far as that can be told.
func meant(word string) string {
	for known := range words {
		if len(known) > 2 && sorted(known) == sorted(word) || strings.EqualFold(known, word) {
			return fmt.Sprintf(": did you mean %q?", known)
		}
	}
	known := make([]string, 0, len(words))
	for w := range words {
		known = append(known, w)
	}
	slices.Sort(known)
	return ": write one of " + strings.Join(known, " ")
}

func sorted(s string) string {
	b := []byte(s)
	slices.Sort(b)
	return string(b)
}

// checkIDs finds ids that are there twice.
func checkIDs(cases []Case) error {
	first := make(map[string]string)
	for _, c := range cases {
		if where, twice := first[c.ID]; twice {
			return fmt.Errorf("%s: there is a case %s already, at %s: give this one another id", c.where, c.ID, where)
		}
		first[c.ID] = c.where
	}
	return nil
}
