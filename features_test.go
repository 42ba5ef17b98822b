package websocket_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// features are the rows of docs/features.md: the sections of the model, its checks
// by their own numbers, what was asked for, the examples, and what is beyond it.
const features = "A1 to A15, B1 to B10, C1 to C8, D1 to D13, E1 to E9, F1 to F7, G1 to G12, " +
	"H1 to H24, H13a, H13b, H13c, H13d, I1 to I9, J1 to J6, K1 to K15, L1 to L7, N1 to N8, " +
	"M101 to M108, M110 to M121, M202 to M219, Q1 to Q27, S1 to S15, Z1 to Z16"

var (
	// A row: number or numbers, the model's name for it, what does it here, tests as
	// in docs/conformance.md.
	featureRow = regexp.MustCompile(`^\| ([^|]*) \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$`)
	number     = regexp.MustCompile(`^([A-Z])(\d+)[a-z]?$`)
)

func TestFeatures_EveryRowHasAnEquivalentAndTestsThatExist(t *testing.T) {
	missing := map[string]bool{}
	for _, id := range numbers(t, features) {
		missing[id] = true
	}
	for line := range strings.Lines(readFile(t, "docs/features.md")) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "| # |") || strings.HasPrefix(line, "|---") {
			continue
		}
		row := featureRow.FindStringSubmatch(line)
		if row == nil {
			t.Errorf("not a row of four cells: %s", line)
			continue
		}
		for _, id := range numbers(t, row[1]) {
			if !missing[id] {
				t.Errorf("%s stands there twice, or is no feature", id)
			}
			delete(missing, id)
		}
		if strings.TrimSpace(row[2]) == "" || strings.TrimSpace(row[3]) == "" {
			t.Errorf("%s has no name or no equivalent", row[1])
		}
		if row[4] != "the compiler" {
			checkTestsExist(t, row[1], row[4])
		}
	}
	for id := range missing {
		t.Errorf("%s has no row", id)
	}
}

// numbers returns those of a list such as "A1, M110 to M118, H13a".
func numbers(t *testing.T, list string) (ids []string) {
	t.Helper()
	for item := range strings.SplitSeq(list, ", ") {
		first, last, ok := strings.Cut(item, " to ")
		if !ok {
			last = first
		}
		from, to := number.FindStringSubmatch(first), number.FindStringSubmatch(last)
		if from == nil || to == nil || from[1] != to[1] {
			t.Errorf("no number of a row: %q", item)
			continue
		}
		if !ok {
			ids = append(ids, item)
			continue
		}
		var a, z int
		fmt.Sscan(from[2], &a)
		fmt.Sscan(to[2], &z)
		for n := a; n <= z; n++ {
			ids = append(ids, fmt.Sprint(from[1], n))
		}
	}
	return ids
}
