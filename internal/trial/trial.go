// Package trial runs the programs of the examples, as their readers would, and talks
// to them.
package trial

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/swan-ws/websocket/internal/leak"
)

// patience is how long a program may take over anything.
const patience = 30 * time.Second

// A Program is one that runs until the end of the test.
type Program struct {
	*exec.Cmd
	in       io.WriteCloser
	out, log *output
	ended    bool
}

// Start builds the program in dir, unless that has been done, and runs it; see Run.
func Start(t *testing.T, dir string, args ...string) *Program {
	t.Helper()
	return Run(t, built.path(t, dir), args...)
}

// Run runs the program at path. At the end of the test it is told to stop, and must
// do so in order.
func Run(t *testing.T, path string, args ...string) *Program {
	t.Helper()
	leak.Check(t)
	p := &Program{Cmd: exec.Command(path, args...), out: newOutput(t), log: newOutput(t)}
	p.Stdout, p.Stderr = p.out.w, p.log.w
	var err error
	if p.in, err = p.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.out.w.Close()
	p.log.w.Close()
	t.Cleanup(func() { p.stop(t) })
	return p
}

func (p *Program) stop(t *testing.T) {
	if !p.ended {
		p.Stop(t)
		if code := p.Exit(t); code != 0 {
			t.Errorf("the program exits with %d when it is told to stop", code)
		}
	}
	if t.Failed() {
		io.Copy(io.Discard, p.log.lines)
		t.Logf("%s wrote to its log:\n%s", filepath.Base(p.Path), p.log.seen)
	}
}

// Exit waits until the program ends, and returns its exit code.
func (p *Program) Exit(t *testing.T) int {
	t.Helper()
	late := time.AfterFunc(patience, func() { p.Process.Kill() })
	defer late.Stop()
	p.ended = true
	if err := p.Wait(); err != nil && p.ProcessState == nil {
		t.Fatal(err)
	}
	return p.ProcessState.ExitCode()
}

// Stop tells the program to end.
func (p *Program) Stop(t *testing.T) {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// Kill ends the program at once.
func (p *Program) Kill(t *testing.T) {
	t.Helper()
	p.Process.Kill()
	p.Exit(t)
}

// Type enters a line.
func (p *Program) Type(t *testing.T, line string) {
	t.Helper()
	if _, err := fmt.Fprintln(p.in, line); err != nil {
		t.Fatal(err)
	}
}

// Prints waits for the lines that the program is to print next.
func (p *Program) Prints(t *testing.T, want ...string) {
	t.Helper()
	for _, line := range want {
		if got := p.out.next(t, soon()); got != line {
			t.Fatalf("the program prints %q, want %q", got, line)
		}
	}
}

// PrintsNoMore waits for the end of the program.
func (p *Program) PrintsNoMore(t *testing.T) {
	t.Helper()
	if line, err := p.out.read(soon()); err != io.EOF {
		t.Fatalf("the program prints %q, %v, want no more", line, err)
	}
}

// Logs waits for a line of the log that matches, and returns what the groups of the
// pattern do.
func (p *Program) Logs(t *testing.T, pattern string) []string {
	t.Helper()
	limit := soon()
	for want := regexp.MustCompile(pattern); ; {
		if found := want.FindStringSubmatch(p.log.next(t, limit)); found != nil {
			return found[1:]
		}
	}
}

// Addr waits until the program says where it listens.
func (p *Program) Addr(t *testing.T) string {
	t.Helper()
	return p.Logs(t, `listens addr=(\S+)$`)[0]
}

// An output is what a program writes.
type output struct {
	w     *os.File
	r     *os.File
	lines *bufio.Reader
	seen  []byte
}

func newOutput(t *testing.T) *output {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	o := &output{w: w, r: r}
	o.lines = bufio.NewReader(io.TeeReader(r, (*record)(&o.seen)))
	return o
}

func soon() time.Time { return time.Now().Add(patience) }

func (o *output) next(t *testing.T, limit time.Time) string {
	t.Helper()
	line, err := o.read(limit)
	if err != nil {
		t.Fatalf("the program says no more: %v; so far it has said:\n%s", err, o.seen)
	}
	return line
}

func (o *output) read(limit time.Time) (string, error) {
	o.r.SetReadDeadline(limit)
	line, err := o.lines.ReadString('\n')
	if err != nil {
		return line, err
	}
	return line[:len(line)-1], nil
}

type record []byte

func (r *record) Write(p []byte) (int, error) {
	*r = append(*r, p...)
	return len(p), nil
}
