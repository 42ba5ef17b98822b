package conntest

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// Hex returns the bytes that s spells: pairs of hex digits, spaced at will, and
// "text" quoted as in Go, on any number of lines; a ';' starts a comment that
// runs to the end of its line.
//
//	Hex(`81 05 "Hello"        ; a text frame
//	     8802 03e8            ; a Close frame, 1000`)
//
// It panics if s spells anything else, so it is for bytes written in a test.
func Hex(s string) []byte {
	p, err := parseHex(s)
	if err != nil {
		panic("conntest: Hex: " + err.Error())
	}
	return p
}

func parseHex(s string) ([]byte, error) {
	var out []byte
	for line := range strings.Lines(s) {
		for {
			line = strings.TrimLeft(line, space)
			if line == "" || line[0] == ';' {
				break
			}
			var err error
			if out, line, err = appendToken(out, line); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

const space = " \t\r\n"

// appendToken appends what the token at the start of line spells to out and
// returns the rest of the line.
func appendToken(out []byte, line string) (_ []byte, rest string, err error) {
	if line[0] == '"' {
		quoted, err := strconv.QuotedPrefix(line)
		if err != nil {
			return nil, "", fmt.Errorf("%s has no closing quote, or a bad escape", strings.TrimSpace(line))
		}
		text, err := strconv.Unquote(quoted)
		return append(out, text...), line[len(quoted):], err
	}
	end := strings.IndexAny(line, space+`;"`)
	if end < 0 {
		end = len(line)
	}
	out, err = hex.AppendDecode(out, []byte(line[:end]))
	if err != nil {
		return nil, "", fmt.Errorf("%q is not pairs of hex digits", line[:end])
	}
	return out, line[end:], nil
}
