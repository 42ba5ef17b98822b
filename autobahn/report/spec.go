package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
)

// A Spec is what the original suite is told in a JSON file: of a fuzzing client
// Servers, of a fuzzing server URL.
type Spec struct {
	Servers []SpecServer `json:"servers"`
	URL     string       `json:"url"`

	OutDir       string              `json:"outdir"`
	Cases        []string            `json:"cases"`
	Exclude      []string            `json:"exclude-cases"`
	ExcludeAgent map[string][]string `json:"exclude-agent-cases"` // patterns of agents: patterns of cases
	Protocols    []string            `json:"protocols"`
}

// A SpecServer is a server to test.
type SpecServer struct {
	URL       string   `json:"url"`
	Agent     string   `json:"agent"`
	Origin    string   `json:"origin"`
	Protocols []string `json:"protocols"`
	Host      string   `json:"hostname"` // instead of the URL's in the request
}

// ReadSpec reads a file. The original's "options" say how its own engine works:
// they are taken and have no effect.
func ReadSpec(name string) (*Spec, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	s, err := ParseSpec(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

// ParseSpec is ReadSpec for what is in the file.
func ParseSpec(text []byte) (*Spec, error) {
	var s Spec
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, explainJSON(text, err)
	}
	switch {
	case len(s.Servers) > 0 && s.URL != "":
		return nil, errors.New(`a spec has either "servers", to test them, or "url", to be a server: take one out`)
	case len(s.Servers) == 0 && s.URL == "":
		return nil, errors.New(`a spec names "servers", such as [{"url": "ws://localhost:8080"}], or the "url" to be a server at`)
	}
	for i, server := range s.Servers {
		if server.URL == "" {
			return nil, fmt.Errorf(`the server %d of "servers" has no "url": add one, such as "ws://localhost:8080"`, i+1)
		}
	}
	return &s, nil
}

// explainJSON says where the text is not what a spec is.
func explainJSON(text []byte, err error) error {
	const want = `want a spec such as {"servers": [{"url": "ws://localhost:8080"}], "cases": ["*"]}`
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		before := text[:min(int(syntax.Offset), len(text))]
		return fmt.Errorf("line %d is no JSON (%w): %s", 1+bytes.Count(before, []byte("\n")), err, want)
	}
	if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%q is a %s, which does not fit: %s", kind.Field, kind.Value, want)
	}
	return fmt.Errorf("%w: %s", err, want)
}

// ExcludedFor returns the patterns of the cases that are left out for an agent:
// those for all, and those for agents with such a name.
func (s *Spec) ExcludedFor(agent string) []string {
	excluded := slices.Clone(s.Exclude)
	for _, name := range slices.Sorted(maps.Keys(s.ExcludeAgent)) {
		if matches(name, agent) {
			excluded = append(excluded, s.ExcludeAgent[name]...)
		}
	}
	return excluded
}

// matches reports whether the name fits the pattern, in which * is any text.
func matches(pattern, name string) bool {
	quoted := strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*")
	return regexp.MustCompile("^(?s:" + quoted + ")$").MatchString(name)
}
