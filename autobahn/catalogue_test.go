package autobahn

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// originalSections is how many cases each section of the original suite has.
var originalSections = map[string]int{"1": 16, "2": 11, "3": 7, "4": 10, "5": 20, "6": 145, "7": 37, "9": 54, "10": 1, "12": 90, "13": 126}

// ourSections are those that the original does not have.
var ourSections = []string{"20", "21", "22", "23", "24", "25", "26", "27", "28", "29", "30", "31"}

// sections returns the built-in cases by the number of their section.
func sections(t *testing.T) map[string][]Case {
	t.Helper()
	cases, err := builtIn()
	if err != nil {
		t.Fatal(err)
	}
	bySection := make(map[string][]Case)
	for _, c := range cases {
		number, _, _ := strings.Cut(c.ID, ".")
		bySection[number] = append(bySection[number], c)
	}
	return bySection
}

func TestCatalogue_Has_EveryCaseOfTheOriginal(t *testing.T) {
	got := make(map[string]int)
	all := 0
	for number, cases := range sections(t) {
		if !slices.Contains(ourSections, number) {
			got[number] = len(cases)
			all += len(cases)
		}
	}
	if diff := cmp.Diff(originalSections, got); diff != "" {
		t.Errorf("cases in each section (-want +got):\n%s", diff)
	}
	if all != 517 {
		t.Errorf("%d cases of the original, want 517", all)
	}
}

func TestCatalogue_Has_HundredsOfItsOwn(t *testing.T) {
	bySection, all := sections(t), 0
	for _, number := range ourSections {
		if len(bySection[number]) == 0 {
			t.Errorf("section %s is empty", number)
		}
		all += len(bySection[number])
	}
	if all < 300 {
		t.Errorf("%d cases beyond the original, want 300 at least", all)
	}
	t.Logf("%d cases beyond the original", all)
}

// Files are read one after the other and their cases sorted: so they need not be in
// order, but who looks for a case in them wants them to be.
func TestCatalogue_IsOrderedAndWithoutGaps(t *testing.T) {
	cases, err := builtIn()
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range cases[1:] {
		if before := cases[i]; compareIDs(before.ID, c.ID) >= 0 {
			t.Errorf("%s: %s comes after %s", c.where, c.ID, before.ID)
		} else if fileOf(before) == fileOf(c) && lineOf(t, before) > lineOf(t, c) {
			t.Errorf("%s: %s stands before %s", c.where, c.ID, before.ID)
		}
	}
	last := make(map[string]int) // number of each subsection
	for _, c := range cases {
		dot := strings.LastIndexByte(c.ID, '.')
		n, _ := strconv.Atoi(c.ID[dot+1:])
		if section := c.ID[:dot]; n != last[section]+1 {
			t.Errorf("%s: %s comes after %s.%d", c.where, c.ID, section, last[section])
		} else {
			last[section] = n
		}
	}
}

func TestCatalogue_HoldsOneSectionInAFile(t *testing.T) {
	names, err := fs.Glob(caseFiles, "cases/*.cases")
	if err != nil {
		t.Fatal(err)
	}
	form := regexp.MustCompile(`^cases/[0-9]{2}-[a-z0-9-]+\.cases$`)
	for _, name := range names {
		if !form.MatchString(name) {
			t.Errorf("%s: want a name like cases/05-fragmentation.cases", name)
		}
	}
	files := make(map[string]string)
	for number, cases := range sections(t) {
		for _, c := range cases {
			if n, _ := strconv.Atoi(number); !strings.HasPrefix(c.where, fmt.Sprintf("%02d-", n)) {
				t.Errorf("%s: a case of section %s", c.where, number)
			}
			if file := files[number]; file != "" && file != fileOf(c) {
				t.Errorf("section %s is in %s and in %s", number, file, fileOf(c))
			}
			files[number] = fileOf(c)
		}
	}
}

func TestCatalogue_SaysWhatEveryCaseIsAbout(t *testing.T) {
	sentence := regexp.MustCompile(`^[A-Z].*\.$`)
	source := regexp.MustCompile(`^(7692 |9110 |9112 )?§[1-9][0-9]*(\.[0-9]+)*: .{20}`)
	left := regexp.MustCompile(`\{[a-z]+\}`)
	known := []string{"{host}", "{path}", "{key}", "{accept}", "{ACCEPT}", countMark}
	for _, cases := range sections(t) {
		for _, c := range cases {
			for what, text := range map[string]string{"does": c.Description, "wants": c.Expectation} {
				if !sentence.MatchString(text) || strings.Contains(text, "|") {
					t.Errorf("%s: %s %s: %q: want a sentence", c.where, c.ID, what, text)
				}
				for _, name := range left.FindAllString(text, -1) {
					if !slices.Contains(known, name) {
						t.Errorf("%s: %s %s: no column fills %s", c.where, c.ID, what, name)
					}
				}
			}
			if !source.MatchString(c.Source) {
				t.Errorf("%s: %s source: %q: want the RFC's sentence", c.where, c.ID, c.Source)
			}
		}
	}
}

// Sections 20 and 29 are of tested servers alone, 21 and 30 of tested clients alone;
// the original's cases are of both.
func TestCatalogue_SaysWhomACaseIsFor(t *testing.T) {
	sides := map[string]Side{"20": ForServer, "21": ForClient, "29": ForServer, "30": ForClient}
	for number, cases := range sections(t) {
		for _, c := range cases {
			want, one := sides[number]
			if original := originalSections[number] > 0; (one || original) && c.Side != want {
				t.Errorf("%s: %s is for %s, want %s", c.where, c.ID, c.Side, want)
			}
		}
	}
}

func TestCatalogue_TellsTheCasesOfASubsectionApart(t *testing.T) {
	for _, cases := range sections(t) {
		first := make(map[string]string)
		for _, c := range cases {
			subsection := c.ID[:strings.LastIndexByte(c.ID, '.')]
			key := subsection + " " + c.Description
			if id, twice := first[key]; twice {
				t.Errorf("%s: %s does what %s does: %s", c.where, c.ID, id, c.Description)
			}
			first[key] = c.ID
		}
	}
}

// fileOf returns the file's name in c.where.
func fileOf(c Case) string {
	name, _, _ := strings.Cut(c.where, ":")
	return name
}

// lineOf returns the line in c.where.
func lineOf(t *testing.T, c Case) int {
	t.Helper()
	_, line, _ := strings.Cut(c.where, ":")
	n, err := strconv.Atoi(line)
	if err != nil {
		t.Fatalf("%s: %v", c.where, err)
	}
	return n
}
