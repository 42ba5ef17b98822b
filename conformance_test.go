package websocket_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// requirements is how many rows there are: R1 to R118 for RFC 6455, D1 to D34 for
// RFC 7692, H1 to H12 for RFC 8441.
var requirements = map[string]int{"R": 118, "D": 34, "H": 12}

// A row of docs/conformance.md: number, section, level, requirement, tests. Tests
// are `package: TestName, TestName; package: TestName`.
var conformanceRow = regexp.MustCompile(`^\| ([RDH]\d+) \| ([^|]*) \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$`)

// aRow is what ought to be a conformanceRow.
var aRow = regexp.MustCompile(`^\| *[RDH]\d`)

func TestConformance_EveryRequirementHasATestThatExists(t *testing.T) {
	text, err := os.ReadFile("docs/conformance.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if !aRow.MatchString(line) {
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
	for rfc, n := range requirements {
		for i := range n {
			id := fmt.Sprint(rfc, i+1)
			tests, ok := rows[id]
			if !ok {
				t.Errorf("%s has no row", id)
				continue
			}
			delete(rows, id)
			checkTestsExist(t, id, tests)
		}
	}
	for id := range rows {
		t.Errorf("%s is no requirement", id)
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
