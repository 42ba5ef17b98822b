package main

import (
	"bytes"
	"context"
	"flag"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/swan-ws/websocket/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// screen is an output that can be waited for.
type screen struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{}
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// waitFor returns what is written once want is among it.
func (s *screen) waitFor(t *testing.T, want string) string {
	t.Helper()
	for {
		s.mu.Lock()
		text := s.text.String()
		if s.changed == nil {
			s.changed = make(chan struct{})
		}
		changed := s.changed
		s.mu.Unlock()
		if strings.Contains(text, want) {
			return text
		}
		select {
		case <-changed:
		case <-time.After(time.Minute):
			t.Fatalf("no %q in:\n%s", want, text)
		}
	}
}

// process is a run of the program.
type process struct {
	in       *io.PipeWriter
	out, err screen
	stop     context.CancelFunc // as Ctrl-C
	code     chan int
}

// start runs the program until the test stops it. Its stdin is open.
func start(t *testing.T, args ...string) *process {
	p := &process{code: make(chan int, 1)}
	r, w := io.Pipe()
	p.in = w
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	go func() { p.code <- run(ctx, args, stdio{r, &p.out, &p.err}) }()
	t.Cleanup(func() { stop(); w.Close() })
	return p
}

// runWith runs the program to its end.
func runWith(t *testing.T, in string, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e screen
	code = run(t.Context(), args, stdio{strings.NewReader(in), &o, &e})
	return code, o.String(), e.String()
}

func TestRun_Explains_Usage(t *testing.T) {
	const ok, bad = exitOK, exitUsage
	tests := []struct {
		name, args string
		code       int
		out, err   string // parts of
	}{
		{"nothing", "", bad, "", "ws connect URL"},
		{"help", "help", ok, "Exit codes", ""},
		{"help as a flag", "-h", ok, "ws serve", ""},
		{"help for serve", "help serve", ok, "Usage: ws serve", ""},
		{"help for connect", "help connect", ok, "Usage: ws connect", ""},
		{"help for what is not", "help me", ok, "ws help [COMMAND]", ""},
		{"serve's flag for help", "serve -h", ok, "Usage: ws serve", ""},
		{"connect's flag for help", "connect ws://localhost -help", ok, "Usage: ws connect", ""},
		{"version", "version", ok, "ws (", "go"},
		{"a URL alone", "ws://localhost", bad, "", "try: ws connect ws://localhost"},
		{"misspelt serve", "srve", bad, "", "try: ws serve"},
		{"misspelt connect", "conect", bad, "", "try: ws connect URL"},
		{"another program's command", "bench", bad, "", "try: ws help"},
		{"unknown flag", "serve -port 80", bad, "", "try: ws help serve"},
		{"flag without a value", "connect -s", bad, "", "try: ws help connect"},
		{"serve what", "serve 8080", bad, "", `what is "8080"?`},
		{"certificate without key", "serve -cert a", bad, "", "-cert and -key go together"},
		{"certificate that is not there", "serve -cert none -key none", bad, "", "no such file"},
		{"origin that never matches", "serve -origin *", bad, "", "origin pattern"},
		{"no URL", "connect", bad, "", "want one URL, got 0"},
		{"two URLs", "connect ws://a ws://b", bad, "", "want one URL, got 2"},
		{"http URL", "connect http://localhost", bad, "", "want the scheme ws instead of http"},
		{"header without a colon", "connect -H Authorization ws://a", bad, "", "want 'Name: value'"},
		{"header of the handshake", "connect -H Upgrade:x ws://a", bad, "", "Upgrade is not yours to set"},
		{"compression of connect", "connect -compress yes ws://a", bad, "", "want on, off or takeover"},
		{"compression of serve", "serve -compress 9", bad, "", "want on, off or takeover"},
		{"end of stdin", "connect -eof later ws://a", bad, "", "want wait or close"},
		{"proxy", "connect -proxy here ws://a", bad, "", "-proxy"},
		{"roots that are not there", "connect -ca none ws://a", bad, "", "no such file"},
		{"roots that are none", "connect -ca page.html ws://a", bad, "", "no PEM certificate"},
		{"address without a port", "serve -addr localhost", exitConnect, "", "missing port"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, out, errs := runWith(t, "", strings.Fields(tt.args)...)
			if code != tt.code || !strings.Contains(out, tt.out) {
				t.Errorf("ws %s: code %d, want %d; stdout:\n%s", tt.args, code, tt.code, out)
			}
			if tt.name != "version" && !strings.Contains(errs, tt.err) || (code == ok) != (errs == "") {
				t.Errorf("ws %s: stderr:\n%s", tt.args, errs)
			}
		})
	}
}

func TestUsage_Names_EveryFlag(t *testing.T) {
	tests := []struct {
		name string
		fs   *flag.FlagSet
		text string
	}{
		{"serve", new(serveFlags).set(), serveUsage},
		{"connect", new(connectFlags).set(), connectUsage},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := 0
			tt.fs.VisitAll(func(f *flag.Flag) {
				n++
				_, text, ok := strings.Cut(tt.text, "\n  -"+f.Name+" ")
				text, _, _ = strings.Cut(text, "\n  -")
				if !ok {
					t.Errorf("-%s is not in the usage text", f.Name)
				}
				switch f.DefValue {
				case "", "0", "0s", "false":
				default:
					if !strings.Contains(text, "(default "+strings.TrimSuffix(f.DefValue, "0s")) && !strings.Contains(text, "(default "+f.DefValue) {
						t.Errorf("-%s: the default %s is not in the usage text", f.Name, f.DefValue)
					}
				}
			})
			if got := strings.Count(tt.text, "\n  -"); got != n {
				t.Errorf("the usage text has %d flags, want %d", got, n)
			}
			for line := range strings.Lines(tt.text) {
				if len(line) > 81 {
					t.Errorf("wider than a terminal: %q", line)
				}
			}
		})
	}
}
