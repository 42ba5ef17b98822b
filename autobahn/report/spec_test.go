package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseSpec_Reads_TheOriginals(t *testing.T) {
	tests := []struct {
		name, text string
		want       *Spec
	}{
		{
			"of a fuzzing client",
			`{
				"outdir": "./reports/servers", "options": {"failByDrop": false},
				"servers": [
					{"agent": "A", "url": "ws://127.0.0.1:9001", "options": {"version": 18}},
					{"url": "wss://b", "origin": "https://a", "protocols": ["x"], "hostname": "c"}
				],
				"cases": ["*"], "exclude-cases": ["9.*"], "exclude-agent-cases": {"A*": ["12.*"]}
			}`,
			&Spec{
				OutDir:  "./reports/servers",
				Servers: []SpecServer{{Agent: "A", URL: "ws://127.0.0.1:9001"}, {URL: "wss://b", Origin: "https://a", Protocols: []string{"x"}, Host: "c"}},
				Cases:   []string{"*"}, Exclude: []string{"9.*"}, ExcludeAgent: map[string][]string{"A*": {"12.*"}},
			},
		},
		{
			"of a fuzzing server",
			`{"url": "ws://127.0.0.1:9001", "outdir": "./reports/clients", "cases": ["1.*", "2.1"], "exclude-cases": [], "exclude-agent-cases": {}, "protocols": ["x"]}`,
			&Spec{
				URL: "ws://127.0.0.1:9001", OutDir: "./reports/clients",
				Cases: []string{"1.*", "2.1"}, Exclude: []string{}, ExcludeAgent: map[string][]string{}, Protocols: []string{"x"},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "spec.json")
			if err := os.WriteFile(path, []byte(tt.text), 0o666); err != nil {
				t.Fatal(err)
			}
			got, err := ReadSpec(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseSpec_Says_WhatIsWrong(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"nothing", "", "line 1 is no JSON"},
		{"no JSON", "{\n  \"url\": ws://localhost\n}", "line 2 is no JSON (invalid character 'w'"},
		{"cut", "{\n\"url\":\n", "line 3 is no JSON (unexpected end"},
		{"a list", "[]", "want a spec such as"},
		{"a pattern alone", `{"url": "ws://a", "cases": "*"}`, `"cases" is a string, which does not fit: want a spec such as`},
		{"a server alone", `{"servers": {"url": "ws://a"}}`, `"servers" is a object`},
		{"neither", `{"cases": ["*"]}`, `names "servers", such as`},
		{"both", `{"servers": [{"url": "ws://a"}], "url": "ws://b"}`, "take one out"},
		{"a server without URL", `{"servers": [{"url": "ws://a"}, {"agent": "b"}]}`, `the server 2 of "servers" has no "url"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := ParseSpec([]byte(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestReadSpec_Names_TheFile(t *testing.T) {
	if _, err := ReadSpec("testdata/none.json"); err == nil || !strings.Contains(err.Error(), "testdata/none.json") {
		t.Error(err)
	}
	if _, err := ReadSpec("testdata/junit.xml"); err == nil || !strings.Contains(err.Error(), "testdata/junit.xml: line 1 is no JSON") {
		t.Error(err)
	}
}

func TestSpec_Excludes_ForSomeAgents(t *testing.T) {
	s := &Spec{Exclude: []string{"9.*"}, ExcludeAgent: map[string][]string{
		"*": {"1.1.1"}, "node/*": {"12.*"}, "a.b": {"2.*"}, "[x]?": {"3.*"},
	}}
	tests := []struct {
		agent string
		want  []string
	}{
		{"gorilla", []string{"9.*", "1.1.1"}},
		{"node/8.0/ws", []string{"9.*", "1.1.1", "12.*"}},
		{"a.b", []string{"9.*", "1.1.1", "2.*"}},
		{"axb", []string{"9.*", "1.1.1"}},
		{"[x]?", []string{"9.*", "1.1.1", "3.*"}},
		{"x", []string{"9.*", "1.1.1"}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, s.ExcludedFor(tt.agent)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.agent, diff)
		}
	}
}
