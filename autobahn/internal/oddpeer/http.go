package oddpeer

import (
	"bufio"
	"bytes"
	"errors"
	"strings"
)

// A head is the start of an HTTP message, up to the empty line.
type head struct {
	Peer
	start  string
	fields []field
}

type field struct{ name, value string }

var (
	errTooLarge  = errors.New("head too large")
	errMalformed = errors.New("head malformed")
)

// readHead reads the head of a message.
func (p Peer) readHead(in *bufio.Reader) (h head, err error) {
	h.Peer = p
	limit := 16 << 10
	switch {
	case p.odd("handshake-limit-512"):
		limit = 512
	case p.odd("handshake-in-one-read"):
		in.Peek(1)
		if b, _ := in.Peek(in.Buffered()); !bytes.Contains(b, []byte("\r\n\r\n")) {
			return h, errMalformed
		}
	}
	if h.start, err = readLine(in, &limit); err != nil {
		return h, err
	}
	for {
		line, err := readLine(in, &limit)
		if line == "" || err != nil {
			return h, err
		}
		if !h.add(line) {
			return h, errMalformed
		}
	}
}

// readLine reads a line, which it takes from the limit.
func readLine(in *bufio.Reader, limit *int) (string, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		if *limit -= len(part); *limit < 0 {
			return "", errTooLarge
		}
		if err == nil {
			line = bytes.TrimSuffix(line[:len(line)-1], []byte("\r"))
			return string(line), nil
		}
		if err != bufio.ErrBufferFull {
			return "", err
		}
	}
}

// add takes a line of the head (RFC 9112 §5).
func (h *head) add(line string) bool {
	if line[0] == ' ' || line[0] == '\t' {
		return false // folded
	}
	name, value, ok := strings.Cut(line, ":")
	if h.odd("space-before-colon-accepted") {
		name = strings.TrimRight(name, " \t")
	}
	h.fields = append(h.fields, field{name, strings.Trim(value, " \t")})
	fine := !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
	return ok && isToken(name) && (fine || h.odd("control-characters-accepted"))
}

// lines returns the values of a field, one for each line.
func (h head) lines(name string) (list []string) {
	for _, f := range h.fields {
		if f.name == name || strings.EqualFold(f.name, name) && !h.odd("field-names-case-sensitive") {
			list = append(list, f.value)
		}
	}
	if h.odd("first-line-only") && len(list) > 1 {
		list = list[:1]
	}
	if h.odd("last-line-only") && len(list) > 1 {
		list = list[len(list)-1:]
	}
	return list
}

// one returns the value of a field that has one line.
func (h head) one(name string) string {
	if list := h.lines(name); len(list) == 1 {
		return list[0]
	}
	return ""
}

// has reports whether a field is a list with token in it, in any case.
func (h head) has(name, token string) bool {
	for _, line := range h.lines(name) {
		parts := strings.Split(line, ",")
		if h.odd("lists-unparsed") {
			parts = []string{line}
		}
		for _, part := range parts {
			part = strings.TrimSpace(part)
			if part == token || h.same(part, token) && !h.odd("tokens-case-sensitive") ||
				h.odd("tokens-found-within-others") && strings.Contains(strings.ToLower(part), strings.ToLower(token)) {
				return true
			}
		}
	}
	return false
}

// same compares with a token without regard to the case of ASCII letters.
func (p Peer) same(s, token string) bool {
	return strings.EqualFold(s, token) && (len(s) == len(token) || p.odd("tokens-fold-beyond-ascii"))
}

func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

// An element is one of Sec-WebSocket-Extensions (§9.1).
type element struct {
	name   string
	params []param
}

type param struct {
	name, value string
	valued      bool
}

// elements parses a list of extensions. ok is false if it is none.
func (p Peer) elements(lines []string) (list []element, ok bool) {
	for _, line := range lines {
		for _, part := range cut(line, ',') {
			pieces := cut(part, ';')
			e := element{name: strings.Trim(pieces[0], " \t")}
			if e.name == "" && len(pieces) == 1 && !p.odd("empty-elements-refused") {
				continue
			}
			if !isToken(e.name) {
				return list, false
			}
			for _, piece := range pieces[1:] {
				name, value, valued := strings.Cut(piece, "=")
				value = strings.Trim(value, " \t")
				if q := len(value) - 1; q > 0 && value[0] == '"' && value[q] == '"' && !p.odd("quoted-values-misread") {
					value = strings.ReplaceAll(value[1:q], `\`, "")
				}
				name = strings.Trim(name, " \t")
				if !isToken(name) || valued && !isToken(value) && !p.odd("quoted-values-misread") {
					return list, false
				}
				e.params = append(e.params, param{name, value, valued})
			}
			list = append(list, e)
		}
	}
	return list, len(list) > 0 || len(lines) == 0 // "1#extension"
}

// cut splits at a separator outside of quotes.
func cut(s string, separator rune) []string {
	quoted := false
	var parts []string
	from := 0
	for i, r := range s {
		switch {
		case r == '"':
			quoted = !quoted
		case r == separator && !quoted:
			parts = append(parts, s[from:i])
			from = i + 1
		}
	}
	return append(parts, s[from:])
}
