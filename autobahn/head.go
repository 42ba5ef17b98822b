package autobahn

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// maxHead is the largest request or response that is read.
const maxHead = 64 << 10

// A head is a request or a response as it came: everything before the frames.
type head struct {
	text   string
	first  string // the request line or status line
	fields []field
}

type field struct{ name, value string }

// headEnd returns the length of the head at the beginning of b, or 0 if it has not
// ended.
func headEnd(b []byte) int {
	if i := bytes.Index(b, []byte("\r\n\r\n")); i >= 0 {
		return i + 4
	}
	return 0
}

// parseHead reads a head of HTTP/1.1, which is to be written as RFC 9112 says.
// Of one that is not, the headers are those that are right.
func parseHead(b []byte) (h head, err error) {
	h.text = string(b)
	text, _, _ := strings.Cut(h.text, "\r\n\r\n")
	lines := strings.Split(text, "\r\n")
	h.first = lines[0]
	for _, l := range lines[1:] {
		name, value, colon := strings.Cut(l, ":")
		if !colon || !headerForm.MatchString(name) {
			err = fmt.Errorf("the header %q has no name and colon", short(l))
			continue
		}
		value = strings.Trim(value, " \t")
		if strings.ContainsAny(value, "\r\n\x00") {
			err = fmt.Errorf("the header %q has an octet that must not be there", short(l))
			continue
		}
		h.fields = append(h.fields, field{name, value})
	}
	return h, err
}

// values returns the values of a header's lines.
func (h head) values(name string) (values []string) {
	for _, f := range h.fields {
		if strings.EqualFold(f.name, name) {
			values = append(values, f.value)
		}
	}
	return values
}

// get returns the value of a header, "" if there is none.
func (h head) get(name string) string { return strings.Join(h.values(name), ", ") }

// has reports whether a header, as a list, has a token, in whatever case.
func (h head) has(name, token string) bool {
	return slices.ContainsFunc(h.list(name), func(t string) bool { return strings.EqualFold(t, token) })
}

// list returns the elements of a header that is a list.
func (h head) list(name string) (elements []string) {
	for e := range strings.SplitSeq(h.get(name), ",") {
		if e = strings.Trim(e, " \t"); e != "" {
			elements = append(elements, e)
		}
	}
	return elements
}

// once returns the value of a header that must be there once.
func (h head) once(name string) (string, error) {
	switch v := h.values(name); len(v) {
	case 0:
		return "", fmt.Errorf("there is no header %s", name)
	case 1:
		return v[0], nil
	default:
		return "", fmt.Errorf("the header %s is there %d times", name, len(v))
	}
}

// edit writes a head with the changes that a case makes.
func (s *shake) edit(first string, fields []field, replace *strings.Replacer) []byte {
	if s == nil {
		s = new(shake)
	}
	if s.raw != nil {
		return []byte(replace.Replace(string(s.raw.Bytes())))
	}
	if s.first != "" {
		first = replace.Replace(s.first)
	}
	lines := []string{first}
	for _, f := range fields {
		line := f.name + ": " + f.value
		for _, e := range s.edits {
			if strings.EqualFold(e.name, f.name) {
				line = replace.Replace(e.line) // "" if it is left out
			}
		}
		if line != "" {
			lines = append(lines, line)
		}
	}
	for _, e := range s.edits {
		known := slices.ContainsFunc(fields, func(f field) bool { return strings.EqualFold(f.name, e.name) })
		if e.verb == '+' || e.verb == '=' && !known {
			lines = append(lines, replace.Replace(e.line))
		}
	}
	return []byte(strings.Join(lines, "\r\n") + "\r\n\r\n")
}
