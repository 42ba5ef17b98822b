package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/swan-ws/websocket/autobahn"
	"github.com/swan-ws/websocket/autobahn/report"
)

// The exit codes of ws autobahn, which are those of the original suite's users:
// a script asks whether a case failed.
const (
	exitFailed = 1 // a case failed, or not all that were asked for ran
	exitCannot = 2 // nothing ran: the command line, a file, or no server there
)

// conformance is ws autobahn.
func conformance(ctx context.Context, args []string, std stdio) int {
	if len(args) == 0 {
		fmt.Fprint(std.err, autobahnUsage)
		return exitCannot
	}
	switch mode, args := args[0], args[1:]; mode {
	case "fuzzingclient":
		return fuzzingClient(ctx, args, std)
	case "fuzzingserver":
		return fuzzingServer(ctx, args, std)
	case "testeeserver":
		return testeeServer(ctx, args, std)
	case "testeeclient":
		return testeeClient(ctx, args, std)
	case "help", "-h", "-help", "--help":
		fmt.Fprint(std.out, autobahnHelp(args))
		return exitOK
	default:
		return std.fail(exitCannot, "ws help autobahn", "autobahn: there is no mode %.64q", mode)
	}
}

// autobahnHelp is the text on a mode, or on all of them.
func autobahnHelp(args []string) string {
	texts := map[string]string{
		"fuzzingclient": fuzzingClientUsage, "fuzzingserver": fuzzingServerUsage,
		"testeeserver": testeeServerUsage, "testeeclient": testeeClientUsage,
	}
	if len(args) > 0 && texts[args[0]] != "" {
		return texts[args[0]]
	}
	return autobahnUsage
}

// parseMode is parse for a mode, which takes flags alone.
func parseMode(fs *flag.FlagSet, args []string, text string, std stdio) (code int, goOn bool) {
	rest, code, goOn := parse(fs, args, text, std)
	if goOn && len(rest) > 0 {
		return std.fail(exitCannot, "ws help "+fs.Name(), "%s: what is %.64q?", fs.Name(), rest[0]), false
	}
	if code != exitOK {
		code = exitCannot
	}
	return code, goOn
}

// patterns is a flag of names of cases, separated by commas, that may be given
// again.
type patterns []string

func (p *patterns) String() string { return strings.Join(*p, ",") }

func (p *patterns) Set(s string) error {
	for pattern := range strings.SplitSeq(s, ",") {
		if pattern = strings.TrimSpace(pattern); pattern != "" {
			*p = append(*p, pattern)
		}
	}
	return nil
}

// suiteFlags are what both fuzzers have.
type suiteFlags struct {
	own                         list // files of cases
	cases, exclude              patterns
	messages, largest, patience int
	parallel                    int
	outDir, junit               string
	json                        bool
	spec                        string
}

func (f *suiteFlags) add(fs *flag.FlagSet) {
	fs.Var(&f.own, "add", "")
	fs.Var(&f.cases, "cases", "")
	fs.Var(&f.exclude, "exclude", "")
	fs.BoolVar(&f.json, "json", false, "")
	fs.StringVar(&f.junit, "junit", "", "")
	fs.IntVar(&f.largest, "largest", 0, "")
	fs.IntVar(&f.patience, "patience", 1, "")
	fs.IntVar(&f.messages, "messages", 1000, "")
	fs.StringVar(&f.outDir, "outdir", "", "")
	fs.IntVar(&f.parallel, "parallel", 0, "")
	fs.StringVar(&f.spec, "spec", "", "")
}

// readSpec takes from the spec what the flags leave open. Without a spec it
// returns an empty one.
func (f *suiteFlags) readSpec() (*report.Spec, error) {
	if f.spec == "" {
		return new(report.Spec), nil
	}
	spec, err := report.ReadSpec(f.spec)
	if err != nil {
		return nil, err
	}
	if f.outDir == "" {
		f.outDir = spec.OutDir
	}
	if len(f.cases) == 0 {
		f.cases = spec.Cases
	}
	return spec, nil
}

// choose returns the cases that the flags ask for, of those for such a peer.
func (f *suiteFlags) choose(side autobahn.Side, exclude []string) ([]autobahn.Case, error) {
	cases := autobahn.Cases()
	for _, name := range f.own {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("-add: %w", err)
		}
		own, err := autobahn.ParseCases(name, string(text))
		if err != nil {
			return nil, fmt.Errorf("-add: %w", err)
		}
		cases = append(cases, own...)
	}
	cases, err := autobahn.Select(cases, f.cases, slices.Concat(f.exclude, exclude))
	if err != nil {
		return nil, err
	}
	cases = slices.DeleteFunc(cases, func(c autobahn.Case) bool { return c.Side != autobahn.Both && c.Side != side })
	if len(cases) == 0 {
		return nil, fmt.Errorf("no case is left: those of -cases are not for a %s", side)
	}
	return cases, nil
}

// excluded returns which of the cases the patterns name.
func excluded(cases []autobahn.Case, patterns []string) map[string]bool {
	ids := map[string]bool{}
	for _, pattern := range patterns {
		named, _ := autobahn.Select(cases, []string{pattern}, nil) // or it names others than these
		for _, c := range named {
			ids[c.ID] = true
		}
	}
	return ids
}

// outcome is what came of a run, and where it is written to. Its methods are not
// called at the same time.
type outcome struct {
	flags *suiteFlags
	std   stdio
	at    map[key]int // of results
	all   []autobahn.Result
}

// A key names a result. The last one counts.
type key struct{ agent, id string }

// newOutcome looks whether there will be a place to write to.
func newOutcome(f *suiteFlags, std stdio) (*outcome, error) {
	if f.outDir != "" {
		if err := report.Check(f.outDir); err != nil {
			return nil, fmt.Errorf("-outdir: %w", err)
		}
	}
	if f.junit != "" {
		file, err := os.OpenFile(f.junit, os.O_WRONLY|os.O_CREATE, 0o666)
		if err != nil {
			return nil, fmt.Errorf("-junit: %w: name a file that can be written to", err)
		}
		file.Close()
	}
	return &outcome{flags: f, std: std, at: map[key]int{}}, nil
}

func (o *outcome) add(r autobahn.Result) {
	if o.flags.json {
		line, err := json.Marshal(r)
		if err == nil {
			o.std.out.Write(append(line, '\n'))
		}
	}
	k := key{r.Agent, r.ID}
	if i, again := o.at[k]; again {
		o.all[i] = r
		return
	}
	o.at[k] = len(o.all)
	o.all = append(o.all, r)
}

// write writes the files.
func (o *outcome) write() error {
	if o.flags.outDir != "" {
		if err := report.Write(o.flags.outDir, o.all); err != nil {
			return err
		}
	}
	if o.flags.junit != "" {
		file, err := os.Create(o.flags.junit)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := report.JUnit(file, o.all); err != nil {
			return err
		}
		return file.Close()
	}
	return nil
}

// finish shows the table, writes the files and returns the exit code.
func (o *outcome) finish(again func(*autobahn.Result) string) int {
	if len(o.all) == 0 {
		o.std.note("no case ran")
		return exitOK
	}
	screen := o.std.out
	if o.flags.json {
		screen = o.std.err // the results are on stdout
	}
	if err := report.Table(screen, o.all, again); err != nil {
		return o.std.fail(exitCannot, "", "autobahn: %v", err)
	}
	fmt.Fprintln(screen)
	if err := o.write(); err != nil {
		return o.std.fail(exitCannot, "another -outdir or -junit", "autobahn: %v", err)
	}
	failed := report.AnyFailed(o.all)
	switch {
	case o.flags.outDir != "":
		fmt.Fprintf(screen, "report: %s\n", report.Page(o.flags.outDir))
	case failed:
		o.std.note("  try: -outdir DIR, for a page that shows what went over the wire")
	}
	if failed {
		return exitFailed
	}
	return exitOK
}
