package report

import (
	"errors"
	"strings"
)

// The lines between which the figures stand in a document.
const (
	begin = "<!-- figures: made by bench/cmd/compare -->"
	end   = "<!-- end of the figures -->"
)

// Insert returns the document with the figures between its markers.
func Insert(document, figures string) (string, error) {
	head, rest, ok1 := strings.Cut(document, begin+"\n")
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		return "", errors.New("the document has no place for the figures: give it the lines " + begin + " and " + end)
	}
	return head + begin + "\n\n" + strings.TrimSpace(figures) + "\n\n" + end + tail, nil
}
