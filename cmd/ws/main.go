// Command ws is a WebSocket server to try clients on, and a client to try
// servers with:
//
//	ws serve                            echo, chat and a page to play with
//	ws connect ws://localhost:8080/echo lines in, messages out
//	ws autobahn fuzzingclient -url URL  does a server keep to the RFC?
//
// See ws help.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
)

// The exit codes. Scripts rely on them. Those of ws autobahn are others.
const (
	exitOK       = 0
	exitUsage    = 1 // the command line, a file it names, or trouble with stdin and stdout
	exitConnect  = 2 // no connection, or no listener
	exitRefused  = 3 // the server did not open a WebSocket connection
	exitAbnormal = 4 // the connection did not end well
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal kills
	os.Exit(run(ctx, os.Args[1:], stdio{os.Stdin, os.Stdout, os.Stderr}))
}

// stdio is what a command reads and writes.
type stdio struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

// note writes one line for people.
func (s stdio) note(format string, args ...any) { fmt.Fprintf(s.err, format+"\n", args...) }

// fail writes what went wrong and what to try next, and returns the code.
func (s stdio) fail(code int, hint, format string, args ...any) int {
	s.note("ws: "+format, args...)
	if hint != "" {
		s.note("  try: %s", hint)
	}
	return code
}

// run is the program: it returns the exit code, soon after ctx ends.
func run(ctx context.Context, args []string, std stdio) int {
	if len(args) == 0 {
		fmt.Fprint(std.err, usage)
		return exitUsage
	}
	switch name, args := args[0], args[1:]; name {
	case "serve":
		return serve(ctx, args, std)
	case "connect":
		return connect(ctx, args, std)
	case "autobahn":
		return conformance(ctx, args, std)
	case "version", "-version", "--version":
		fmt.Fprintln(std.out, version())
		return exitOK
	case "help", "-h", "-help", "--help":
		return help(args, std)
	default:
		return std.fail(exitUsage, guess(name), "there is no command %.64q", name)
	}
}

func help(args []string, std stdio) int {
	text := usage
	if len(args) > 0 {
		switch args[0] {
		case "serve":
			text = serveUsage
		case "connect":
			text = connectUsage
		case "autobahn":
			text = autobahnHelp(args[1:])
		}
	}
	fmt.Fprint(std.out, text)
	return exitOK
}

// guess returns what somebody may have meant who wrote name for a command.
func guess(name string) string {
	switch {
	case strings.Contains(name, "://"):
		return "ws connect " + name
	case strings.HasPrefix(name, "a"), strings.HasPrefix(name, "fuzzing"), strings.HasPrefix(name, "testee"), name == "wstest":
		return "ws help autobahn"
	case strings.HasPrefix(name, "s"), strings.HasPrefix(name, "listen"):
		return "ws serve"
	case strings.HasPrefix(name, "c"), strings.HasPrefix(name, "dial"):
		return "ws connect URL"
	}
	return "ws help"
}

// parse reads flags, which may also stand behind the other arguments. Unless
// goOn, the command is over, with code.
func parse(fs *flag.FlagSet, args []string, text string, std stdio) (rest []string, code int, goOn bool) {
	fs.SetOutput(io.Discard)
	for {
		err := fs.Parse(args)
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(std.out, text)
			return nil, exitOK, false
		}
		if err != nil {
			return nil, std.fail(exitUsage, "ws help "+fs.Name(), "%s: %v", fs.Name(), err), false
		}
		if fs.NArg() == 0 {
			return rest, exitOK, true
		}
		rest, args = append(rest, fs.Arg(0)), fs.Args()[1:]
	}
}

// version is for example "ws v1.2.0 (go1.26.1 linux/amd64)".
func version() string {
	number := "(unknown)"
	if info, ok := debug.ReadBuildInfo(); ok {
		number = info.Main.Version
	}
	return fmt.Sprintf("ws %s (%s %s/%s)", number, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
