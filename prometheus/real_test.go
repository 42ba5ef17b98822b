//go:build interop

package prometheus_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// started runs a command until the test ends, and returns what the pattern finds in
// the first of its lines in which it does.
func started(t *testing.T, cmd *exec.Cmd, pattern string) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
		r.Close()
	})
	r.SetReadDeadline(time.Now().Add(time.Minute))
	lines, wanted, said := bufio.NewScanner(r), regexp.MustCompile(pattern), ""
	for lines.Scan() {
		if found := wanted.FindStringSubmatch(lines.Text()); found != nil {
			r.SetReadDeadline(time.Time{})
			go io.Copy(io.Discard, r)
			return found[1]
		}
		said += lines.Text() + "\n"
	}
	t.Fatalf("%s:\n%s", cmd, said)
	return ""
}

// watched starts the demo and a Prometheus that watches it, and returns the URL of that.
func watched(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	demo := filepath.Join(dir, "demo")
	if out, err := exec.Command("go", "build", "-o", demo, "./demo").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	addr := started(t, exec.Command(demo, "-addr", "localhost:0"), `listening on http://(.*)/metrics`)
	config := filepath.Join(dir, "prometheus.yml")
	err := os.WriteFile(config, fmt.Appendf(nil, "global: {scrape_interval: 1s}\nscrape_configs: [{job_name: demo, static_configs: [{targets: ['%s']}]}]\n", addr), 0o644)
	if err != nil {
		t.Fatal(err)
	}
	prometheus := "http://" + started(t, exec.Command("prometheus", "--config.file", config, "--storage.tsdb.path", filepath.Join(dir, "data"),
		"--web.listen-address", "localhost:0", "--web.console.templates", "consoles"), `Listening on" address=(\S+)`)
	for {
		resp, err := http.Get(prometheus + "/-/ready")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return prometheus
		}
		<-time.After(100 * time.Millisecond)
	}
}

// query returns how many series with a value there are.
func query(t *testing.T, prometheus, expr string) (n int) {
	t.Helper()
	resp, err := http.Get(prometheus + "/api/v1/query?query=" + url.QueryEscape(expr))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Status, Error string
		Data          struct {
			Result []struct{ Value [2]any }
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Status != "success" {
		t.Fatalf("%s: %s %v", expr, answer.Error, err)
	}
	for _, r := range answer.Data.Result {
		if r.Value[1] != "NaN" {
			n++
		}
	}
	return n
}

// Every expression is understood by a real Prometheus, and finds something. What it
// serves as a page is what is in the file.
func TestDashboard_ShowsSomething_OnARealPrometheus(t *testing.T) {
	if _, err := exec.LookPath("prometheus"); err != nil {
		t.Skip("no prometheus here: apt-get install prometheus")
	}
	prometheus := watched(t)
	set := strings.NewReplacer("$job", ".*", "$instance", ".*", "$filter", `side="server"`, "$__rate_interval", "30s")
	by := time.Now().Add(90 * time.Second)
	for _, e := range readDashboard(t).expressions() {
		for query(t, prometheus, set.Replace(e)) == 0 {
			if time.Now().After(by) {
				t.Errorf("nothing in %s", set.Replace(e))
				break
			}
			<-time.After(time.Second)
		}
		if query(t, prometheus, strings.NewReplacer("$job", ".*", "$instance", ".*", "$filter", "", "$__rate_interval", "30s").Replace(e)) == 0 {
			t.Errorf("nothing without a filter in %s", e)
		}
	}
	resp, err := http.Get(prometheus + "/consoles/websocket.html")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 200 || !strings.Contains(string(page), "websocket_connections_opened_total{$}[$w]") {
		t.Errorf("status %d, %d bytes", resp.StatusCode, len(page))
	}
}
