package autobahn

import (
	"flag"
	"regexp"
	"strings"
)

// runPattern is what go test's -run says of the subtests of a test.
func runPattern(test string) *regexp.Regexp {
	run := ""
	if f := flag.Lookup("test.run"); f != nil {
		run = f.Value.String()
	}
	return subtestPattern(run, test)
}

// subtestPattern takes the element of run that names subtests of a test: elements
// are joined by slashes, and one that is not there names all.
func subtestPattern(run, test string) *regexp.Regexp {
	elements := strings.Split(run, "/")
	depth := strings.Count(test, "/") + 1
	if depth >= len(elements) {
		return regexp.MustCompile("")
	}
	pattern, err := regexp.Compile(elements[depth])
	if err != nil {
		return regexp.MustCompile("") // go test will say so
	}
	return pattern
}
