package server

import (
	"bytes"
	"encoding/json"
)

// fields finds the values of two fields at the top of the JSON object p, nil for
// what is not there, without decoding it or allocating anything. Whether the rest is
// JSON is left to whoever decodes it.
func fields(p []byte, a, b string) (valueA, valueB []byte) {
	i := space(p, 0)
	if i == len(p) || p[i] != '{' {
		return nil, nil
	}
	for i++; ; i++ {
		name := space(p, i)
		end := value(p, name)
		colon := space(p, end)
		if end == name || colon == len(p) || p[colon] != ':' {
			return valueA, valueB
		}
		from := space(p, colon+1)
		to := value(p, from)
		if to == from {
			return valueA, valueB
		}
		switch n := unquoted(p[name:end]); {
		case n == nil:
			return valueA, valueB
		case string(n) == a:
			valueA = p[from:to]
		case string(n) == b && b != "":
			valueB = p[from:to]
		}
		if i = space(p, to); i == len(p) || p[i] != ',' {
			return valueA, valueB
		}
	}
}

func space(p []byte, i int) int {
	for i < len(p) && (p[i] == ' ' || p[i] == '\t' || p[i] == '\n' || p[i] == '\r') {
		i++
	}
	return i
}

// value returns where the value that begins at i ends, i if there is none.
func value(p []byte, i int) int {
	if i == len(p) {
		return i
	}
	switch p[i] {
	case '"':
		return quoted(p, i)
	case '{', '[':
		return nested(p, i)
	}
	for j := i; j < len(p); j++ {
		switch p[j] {
		case ',', ':', '"', '{', '[', '}', ']', ' ', '\t', '\n', '\r':
			return j
		}
	}
	return len(p)
}

// nested returns where the object or array that begins at i ends, i if it does not.
func nested(p []byte, i int) int {
	depth := 0
	for j := i; j < len(p); j++ {
		switch p[j] {
		case '"':
			end := quoted(p, j)
			if end == j {
				return i
			}
			j = end - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return j + 1
			}
		}
	}
	return i
}

// quoted returns where the string that begins at i ends, i if it does not.
func quoted(p []byte, i int) int {
	for j := i + 1; ; j++ {
		to := bytes.IndexByte(p[j:], '"')
		if to < 0 {
			return i
		}
		j += to
		escapes := j
		for p[escapes-1] == '\\' {
			escapes--
		}
		if (j-escapes)%2 == 0 {
			return j + 1
		}
	}
}

// unquoted returns what stands in a JSON string, nil if value is none. It allocates
// only where there is a backslash.
func unquoted(value []byte) []byte {
	if len(value) < 2 || value[0] != '"' {
		return nil
	}
	inner := value[1 : len(value)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	var s string
	if json.Unmarshal(value, &s) != nil {
		return nil
	}
	return []byte(s)
}
