package report

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/swan-ws/websocket/autobahn"
)

func read(t *testing.T, elements ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(elements...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, dir string, results ...autobahn.Result) {
	t.Helper()
	if err := Write(dir, results); err != nil {
		t.Fatal(err)
	}
}

func names(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func TestFileName_Is_TheOriginals(t *testing.T) {
	tests := []struct{ agent, id, want string }{
		{"SwanWebSocket", "1.1.1", "swanwebsocket_case_1_1_1.json"},
		{"WebSocket++/0.8.2", "12.5.18", "websocket___0_8_2_case_12_5_18.json"},
		{"ws (node)", "2.1", "ws__node_case_2_1.json"},
		{"../Übel", "2.1", "bel_case_2_1.json"},
		{"", "2.1", "_case_2_1.json"},
	}
	for _, tt := range tests {
		if got := FileName(tt.agent, tt.id); got != tt.want {
			t.Errorf("FileName(%q, %s) = %q, want %q", tt.agent, tt.id, got, tt.want)
		}
	}
}

func TestWrite_Writes_TheOriginalsFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "there")
	write(t, dir, append(some(), whole())...)
	golden(t, "index.json", read(t, dir, "index.json"))
	golden(t, "case.json", read(t, dir, "peer___s_hne_1_0_case_6_4_3.json"))
	want := []string{
		"index.html", "index.json", "one_case_10_1_1.json", "one_case_13_1_1.json", "one_case_20_1.json", "one_case_2_11.json",
		"one_case_2_2.json", "one_case_3_2.json", "one_case_7_1_6.json", "other_case_10_1_1.json", "peer___s_hne_1_0_case_6_4_3.json",
	}
	if diff := cmp.Diff(want, names(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestWrite_Merges_WithEarlierReports(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, some()...)
	again := some()[2]
	again.BehaviorClose = autobahn.OK
	write(t, dir, again, whole())

	var index map[string]map[string]struct{ BehaviorClose, ReportFile string }
	if err := json.Unmarshal([]byte(read(t, dir, "index.json")), &index); err != nil {
		t.Fatal(err)
	}
	if len(index) != 3 || len(index["one"]) != 7 || index["one"]["2.11"].BehaviorClose != "OK" {
		t.Errorf("index.json: %v", index)
	}
	parts(t, read(t, dir, "index.html"), "2 of 9 cases failed", "<h2>other</h2>", "<h2>one</h2>", "<h2>Peer &amp; Söhne/1.0</h2>")

	if err := os.Remove(filepath.Join(dir, "one_case_20_1.json")); err != nil {
		t.Fatal(err)
	}
	write(t, dir, again)
	parts(t, read(t, dir, "index.html"), "1 of 8 cases failed")
}

func TestWrite_Says_WhatToDo(t *testing.T) {
	tests := []struct{ name, file, text, want string }{
		{"a file for a directory", ".", "", "name a directory that can be written to"},
		{"an index that is none", "index.json", "[]", "index.json of another report cannot be read"},
		{"an index that is a directory", "index.json/x", "", "index.json of another report cannot be read"},
		{"a case that is none", "old.json", "gone", "old.json: invalid character 'g'"},
		{"a case of something else", "old.json", `{"id": "1.1"}`, `"old.json" is not the file of a case`},
		{"a case whose log is none", "old.json", `{"id": "1.1", "behavior": "OK", "wirelog": 1}`, "cannot unmarshal number"},
		{"a file in the way", "one_case_2_2.json/x", "", "the report is not whole"},
		{"a page in the way", "index.html/x", "", "the report is not whole"},
		{"another agent with the same files", "index.json", `{"One!": {}}`, `agents "one" and "One!" would have the same files: give one another name`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "report")
			path := filepath.Join(dir, tt.file)
			os.MkdirAll(filepath.Dir(path), 0o777)
			if err := os.WriteFile(path, []byte(tt.text), 0o666); err != nil {
				t.Fatal(err)
			}
			if tt.file == "old.json" {
				index := `{"old": {"1.1": {"reportfile": "old.json"}}}`
				if err := os.WriteFile(filepath.Join(dir, "index.json"), []byte(index), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			err := Write(dir, some())
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// An index says which files to read, and anybody may have written it.
func TestWrite_StaysInItsDirectory(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte(`{"id": "1.1", "behavior": "OK", "agent": "secret"}`), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../secret", secret} {
		report := filepath.Join(t.TempDir(), "report")
		write(t, report)
		index := `{"old": {"1.1": {"reportfile": "` + name + `"}}}`
		if err := os.WriteFile(filepath.Join(report, "index.json"), []byte(index), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := Write(report, some()); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}

func TestWrite_Fails_WhatIsNoJSON(t *testing.T) {
	r := whole()
	r.Wirelog = []autobahn.LogRow{{make(chan int)}}
	if err := Write(t.TempDir(), []autobahn.Result{r}); err == nil {
		t.Error("a channel was written")
	}
}

func TestCheck_Finds_WhatWriteWould(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	if err := Check(dir); err != nil {
		t.Error(err)
	}
	if left := names(t, dir); len(left) > 0 {
		t.Errorf("it left %s", left)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, ".writable"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{file, filepath.Join(file, "below"), dir} {
		if err := Check(bad); err == nil || !strings.Contains(err.Error(), "name a directory that can be written to") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
