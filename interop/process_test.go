//go:build interop

package interop

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/swan-ws/websocket/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// patience is how long a peer may take over anything.
const patience = 15 * time.Second

// bounded returns a context that ends with the test, or before that if a peer is
// stuck.
func bounded(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// tool returns the path of a program, and gives the test up if there is none.
func tool(t testing.TB, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing(t, names[0]+" is missing: interop/setup.sh installs it")
	return ""
}

// missing gives the test up, silently only where nobody relies on it.
func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// A process is a program that runs until the end of the test.
type process struct {
	*exec.Cmd
	in  io.WriteCloser
	out io.Reader
	err tail
	// quit, if set, is asked first to end the program.
	quit func()
}

// start runs cmd. At the end of the test it and its children are killed and
// waited for; what it wrote to its standard error is logged if the test failed.
func start(t testing.TB, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{Cmd: cmd}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that its children can be killed too
	cmd.WaitDelay = patience
	if cmd.Stderr == nil {
		cmd.Stderr = &p.err
	}
	var err error
	if p.in, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if p.out, err = cmd.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.stop(t) })
	return p
}

func (p *process) stop(t testing.TB) {
	kill := func() { syscall.Kill(-p.Process.Pid, syscall.SIGKILL) }
	if p.quit != nil {
		late := time.AfterFunc(patience, kill)
		defer late.Stop()
		p.quit()
	} else {
		kill()
	}
	p.Wait()
	kill() // children that outlived it
	if t.Failed() {
		t.Logf("%s wrote:\n%s", p.Path, p.err.String())
	}
}

// tail keeps the end of what is written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

func (w *tail) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.b = append(w.b, p...)
	if over := len(w.b) - 8<<10; over > 0 {
		w.b = w.b[over:]
	}
	return len(p), nil
}

func (w *tail) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(bytes.TrimSpace(w.b))
}

// environment is that of this process, without proxies and with more.
func environment(more ...string) []string {
	var env []string
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if !strings.HasSuffix(strings.ToLower(name), "_proxy") {
			env = append(env, v)
		}
	}
	return append(env, more...)
}
