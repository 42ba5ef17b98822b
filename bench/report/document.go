package report

import (
	"errors"
	"strings"
)

// What a document has a place for: Markdown, and GrowthMarkdown.
const (
	Figures = "figures"
	Growth  = "growth"
)

// markers are the lines between which what stands in a document.
func markers(what string) (begin, end string) {
	return "<!-- " + what + ": made by bench/cmd/compare -->", "<!-- end of the " + what + " -->"
}

// Insert returns the document with text between the markers of what.
func Insert(document, what, text string) (string, error) {
	begin, end := markers(what)
	head, rest, ok1 := strings.Cut(document, begin+"\n")
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		return "", errors.New("the document has no place for the " + what + ": give it the lines " + begin + " and " + end)
	}
	return head + begin + "\n\n" + strings.TrimSpace(text) + "\n\n" + end + tail, nil
}
