package main

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/swan-ws/websocket/bench/measure"
)

func TestMain(m *testing.M) {
	measure.Child()
	os.Exit(m.Run())
}

// set sets flags until the test ends.
func set(t *testing.T, flags map[string]string) {
	t.Helper()
	for name, value := range flags {
		before := flag.Lookup(name).Value.String()
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { flag.Set(name, before) })
	}
}

// page is a directory with a copy of the page that the command writes.
func page(t *testing.T) (dir string) {
	t.Helper()
	text, err := os.ReadFile("../../../docs/benchmarks.md")
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "benchmarks.md"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func read(t *testing.T, dir, file string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func small(dir string) map[string]string {
	return map[string]string{
		"rounds": "2", "time": "1ms", "scenarios": "echo-32:conns=3 idle:conns=3", "libraries": "swan,swan-loop,gorilla",
		"growth": "2,5", "docs": dir, "samples": filepath.Join(dir, "samples.jsonl"),
	}
}

func TestRun_WritesThePageAndThePictures(t *testing.T) {
	dir := page(t)
	set(t, small(dir))
	if err := run(t.Context()); err != nil {
		t.Fatal(err)
	}
	text := read(t, dir, "benchmarks.md")
	for _, want := range []string{
		"| | swan | swan-loop | gorilla |", "(benchmarks.svg)", "| 3 connections, 64 B, after a message, B |",
		"| connections | swan-loop, 1 core | gobwas, 1 core |", "(benchmarks-growth.svg)", "| 5 to 2 |", "## Measure it yourself",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for _, picture := range []string{"benchmarks.svg", "benchmarks-growth.svg"} {
		if !strings.HasPrefix(read(t, dir, picture), "<svg ") {
			t.Errorf("%s is no picture", picture)
		}
	}
	set(t, map[string]string{"draw": "true"})
	if err := run(t.Context()); err != nil || read(t, dir, "benchmarks.md") != text {
		t.Errorf("drawn again it is another page, %v", err)
	}
}

func TestRun_OfTheGrowthAlone_LeavesTheOtherFigures(t *testing.T) {
	dir := page(t)
	before, _, _ := strings.Cut(read(t, dir, "benchmarks.md"), "<!-- growth")
	set(t, small(dir))
	set(t, map[string]string{"scenarios": ""})
	if err := run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if text := read(t, dir, "benchmarks.md"); !strings.HasPrefix(text, before) || !strings.Contains(text, "| 5 to 2 |") {
		t.Errorf("got\n%s", text)
	}
}

func TestRun_Interrupted_LeavesThePage(t *testing.T) {
	dir := page(t)
	before := read(t, dir, "benchmarks.md")
	set(t, small(dir))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx); err == nil || !strings.Contains(err.Error(), "nothing was measured") {
		t.Errorf("the error is %v", err)
	}
	set(t, map[string]string{"draw": "true", "samples": filepath.Join(dir, "some.jsonl")})
	if err := os.WriteFile(filepath.Join(dir, "some.jsonl"), []byte(`{"Scenarios":[{"Name":"echo-32"}],"Libraries":[{"Name":"swan"}]}
{"scenario":"echo-32","library":"swan","cpu":1000}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run(ctx); err == nil || !strings.Contains(err.Error(), "interrupted") || read(t, dir, "benchmarks.md") != before {
		t.Errorf("the page is written, or %v", err)
	}
}

func TestPlan_SaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ name, flag, value, want string }{
		{"nothing to do", "growth", "", "neither"},
		{"no rounds", "rounds", "0", "more than 0"},
		{"no connections", "growth", "0", "number of connections"},
		{"no library", "grown", "goose", `no library "goose"`},
		{"too many libraries", "grown", "swan,swan-loop,nbio", "more than two"},
	} {
		t.Run(c.name, func(t *testing.T) {
			set(t, map[string]string{"scenarios": "", c.flag: c.value})
			if _, err := plan(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v, want %s", err, c.want)
			}
		})
	}
}
