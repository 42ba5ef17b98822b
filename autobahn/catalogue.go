package autobahn

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
)

//go:embed cases
var caseFiles embed.FS

// Cases returns the built-in cases in numeric order.
func Cases() []Case {
	cases, _ := builtIn() // a test sees to it that there is no error
	return slices.Clone(cases)
}

// builtIn reads the embedded files, once.
var builtIn = sync.OnceValues(func() (cases []Case, err error) {
	names, err := fs.Glob(caseFiles, "cases/*.cases")
	errs := []error{err}
	for _, name := range names {
		text, err := caseFiles.ReadFile(name)
		errs = append(errs, err)
		some, err := ParseCases(strings.TrimPrefix(name, "cases/"), string(text))
		cases, errs = append(cases, some...), append(errs, err)
	}
	slices.SortStableFunc(cases, func(a, b Case) int { return compareIDs(a.ID, b.ID) })
	return cases, errors.Join(append(errs, checkIDs(cases))...)
})

// Select returns the cases that a pattern of include names and no pattern of exclude
// does, in their order. A pattern is an id, or the beginning of ids and a star: "*",
// "1.*", "6.4.1". No pattern in include stands for all. A pattern that names no case
// is an error, and so is a choice that leaves none.
func Select(cases []Case, include, exclude []string) ([]Case, error) {
	if len(include) == 0 {
		include = []string{"*"}
	}
	for _, p := range slices.Concat(include, exclude) {
		if !slices.ContainsFunc(cases, func(c Case) bool { return matches(p, c.ID) }) {
			return nil, fmt.Errorf("no case is named by %q: write an id like 6.4.1, or a section like 6.*", p)
		}
	}
	var chosen []Case
	for _, c := range cases {
		if matchesAny(include, c.ID) && !matchesAny(exclude, c.ID) {
			chosen = append(chosen, c)
		}
	}
	if len(chosen) == 0 {
		return nil, errors.New("no case is left: exclude fewer")
	}
	return chosen, nil
}

func matchesAny(patterns []string, id string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, id) })
}

// matches reports whether a pattern names an id. Only its stars are special.
func matches(pattern, id string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == id
	}
	id, ok := strings.CutPrefix(id, parts[0])
	for _, middle := range parts[1 : len(parts)-1] {
		i := strings.Index(id, middle)
		if i < 0 {
			return false
		}
		id = id[i+len(middle):]
	}
	return ok && strings.HasSuffix(id, parts[len(parts)-1])
}
