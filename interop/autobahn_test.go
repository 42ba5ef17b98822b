//go:build interop

package interop

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/swan-ws/websocket/autobahn"
)

// looping is how long a client may take for all cases.
const looping = 10 * time.Minute

// Clients as their users write them run all cases of ws autobahn fuzzingserver,
// unchanged, and get their report. What it says is their affair, but for what
// nobody gets wrong.
func TestAutobahn_ServesClientsAsTheyAre(t *testing.T) {
	for _, client := range []struct {
		name, script string
		command      func(t *testing.T, role string) *exec.Cmd
	}{
		{"ws", "testdata/autobahn.js", node},
		{"websockets", "testdata/autobahn.py", python},
	} {
		t.Run(client.name, func(t *testing.T) {
			t.Parallel()
			interpreter := client.command(t, "client").Path
			dir := t.TempDir()
			server := fuzzingServer(t, dir)
			ctx, cancel := context.WithTimeout(t.Context(), looping)
			defer cancel()
			loop := exec.CommandContext(ctx, interpreter, client.script, server, client.name)
			loop.Env = environment()
			out, err := loop.CombinedOutput()
			if err != nil {
				t.Fatalf("%v:\n%s", err, out)
			}
			judgeReport(t, dir, client.name)
		})
	}
}

// fuzzingServer runs the command, which writes its reports to dir, and returns
// its address.
func fuzzingServer(t *testing.T, dir string) string {
	t.Helper()
	ws := filepath.Join(t.TempDir(), "ws")
	if out, err := exec.Command("go", "build", "-o", ws, "../cmd/ws").CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	p := start(t, exec.Command(ws, "autobahn", "fuzzingserver", "-addr", "127.0.0.1:0", "-outdir", dir,
		"-messages", "20", "-largest", "65536"))
	lines := bufio.NewScanner(p.out)
	for lines.Scan() {
		if url := regexp.MustCompile(`ws://[^ /]+`).FindString(lines.Text()); url != "" {
			return url
		}
	}
	t.Fatal("ws autobahn fuzzingserver ended without an address")
	return ""
}

// judgeReport wants all cases in the report, each with its file, and OK of the
// first two sections.
func judgeReport(t *testing.T, dir, agent string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var index map[string]map[string]struct {
		Behavior, BehaviorClose autobahn.Behavior
		ReportFile              string
	}
	if err := json.Unmarshal(text, &index); err != nil {
		t.Fatal(err)
	}
	cases, verdicts := 0, map[autobahn.Behavior]int{}
	for _, c := range autobahn.Cases() {
		if c.Side == autobahn.ForServer {
			continue
		}
		cases++
		result, ok := index[agent][c.ID]
		if !ok {
			t.Errorf("%s is not in the report", c.ID)
			continue
		}
		verdicts[result.Behavior]++
		if _, err := os.Stat(filepath.Join(dir, result.ReportFile)); err != nil {
			t.Error(err)
		}
		if section, _, _ := strings.Cut(c.ID, "."); (section == "1" || section == "2") &&
			(result.Behavior != autobahn.OK || result.BehaviorClose != autobahn.OK) {
			t.Errorf("%s: %s, close %s, want OK", c.ID, result.Behavior, result.BehaviorClose)
		}
	}
	if len(index) != 1 || len(index[agent]) != cases {
		t.Errorf("the report has %d agents, and %d cases of %s, want 1 and %d", len(index), len(index[agent]), agent, cases)
	}
	t.Logf("%s: %d cases: %v", agent, cases, verdicts)
}
