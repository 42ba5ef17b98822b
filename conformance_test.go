package websocket_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// requirements is how many rows of RFC 6455's requirements there are: R1 to R118.
const requirements = 118

// A row of docs/conformance.md: number, section, level, requirement, tests. Tests
// are `package: TestName, TestName; package: TestName`.
var conformanceRow = regexp.MustCompile(`^\| (R\d+) \| ([^|]*) \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$`)

func TestConformance_EveryRequirementHasATestThatExists(t *testing.T) {
	text, err := os.ReadFile("docs/conformance.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "| R") {
			continue
		}
		row := conformanceRow.FindStringSubmatch(line)
		switch {
		case row == nil:
			t.Errorf("not a row of five cells: %s", line)
		case rows[row[1]] != "":
			t.Errorf("%s stands there twice", row[1])
		default:
			rows[row[1]] = row[5]
		}
	}
	for i := range requirements {
		id := fmt.Sprintf("R%d", i+1)
		tests, ok := rows[id]
		if !ok {
			t.Errorf("%s has no row", id)
			continue
		}
		checkTestsExist(t, id, tests)
	}
}

func checkTestsExist(t *testing.T, id, cell string) {
	t.Helper()
	found := 0
	for group := range strings.SplitSeq(cell, ";") {
		dir, names, ok := strings.Cut(strings.Trim(group, " `"), ": ")
		if !ok {
			t.Errorf("%s: want `package: TestName`, have %q", id, group)
			continue
		}
		for name := range strings.SplitSeq(names, ",") {
			name = strings.Trim(name, " `")
			if !testExists(t, dir, name) {
				t.Errorf("%s: there is no %s in %s", id, name, dir)
			}
			found++
		}
	}
	if found == 0 {
		t.Errorf("%s names no test", id)
	}
}

// testExists looks for a test function, or for a script of testdata.
func testExists(t *testing.T, dir, name string) bool {
	t.Helper()
	if strings.HasSuffix(name, ".script") || strings.HasSuffix(name, ".txt") {
		_, err := os.Stat(filepath.Join(dir, "testdata", name))
		return err == nil
	}
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(code), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}
