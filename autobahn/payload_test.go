package autobahn

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func parseText(s string) (payload, error) {
	words, err := splitWords(s)
	if err != nil {
		return nil, err
	}
	return parsePayload(words)
}

func TestPayload_Reads(t *testing.T) {
	tests := []struct{ text, want string }{
		{``, ""},
		{`"swan"`, "swan"},
		{`"swän\x00\n\""`, "swän\x00\n\""},
		{`hex`, ""},
		{`hex 00 ff`, "\x00\xff"},
		{`hex 00ff7f`, "\x00\xff\x7f"},
		{`"ab" x 3`, "ababab"},
		{`"ab" x 0`, ""},
		{`"abc" to 7`, "abcabca"},
		{`"abc" to 2`, "ab"},
		{`hex 0a to 3`, "\n\n\n"},
		{`"" to 0`, ""},
		{`"a" + "b"x 2`, "abb"},
		{`"a"+"b" x 2 + hex 63`, "abbc"},
		{`"*" to 2KiB`, strings.Repeat("*", 2048)},
	}
	for _, tt := range tests {
		p, err := parseText(tt.text)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		if diff := cmp.Diff(tt.want, string(p.Bytes())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.text, diff)
		}
		if p.Len() != int64(len(tt.want)) || !p.equal(tt.want) || p.equal(tt.want+"x") {
			t.Errorf("%s: its length is %d", tt.text, p.Len())
		}
	}
}

func TestPayload_Says_WhatToWrite(t *testing.T) {
	tests := []struct{ text, want string }{
		{`swan`, "write \"text\" or `hex 00 ff`"},
		{`"swan`, "no closing quote"},
		{`"\q"`, "an escape that Go does not know"},
		{`hex 0`, "write pairs of 0-9 and a-f"},
		{`hex zz`, "write pairs"},
		{`"a" x`, "a number is missing"},
		{`"a" x many`, "write digits"},
		{`"a" x -1`, "write digits"},
		{`"a" x 99999999999999999999`, "write digits"},
		{`"a" x 2000000000GiB`, "write digits"},
		{`"" to 5`, "write what to repeat"},
		{`"a" "b"`, "join payloads with +"},
		{`"a" nofin`, "put flags before them"},
		{`"a" +`, "join payloads with +"},
	}
	for _, tt := range tests {
		if _, err := parseText(tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.text, err, tt.want)
		}
	}
}

// A gigabyte is compared, cut and written without being held.
func TestPayload_IsNotHeld(t *testing.T) {
	p, err := parseText(`"swan" to 1GiB + "x"`)
	if err != nil || p.Len() != 1<<30+1 {
		t.Fatal(p.Len(), err)
	}
	if got := string(p.cut(6).Bytes()); got != "swansw" {
		t.Errorf("cut to %q", got)
	}
	if p.equal("swan") || p.cut(4).equal("swax") {
		t.Error("equal to something else")
	}
	if n, err := p.WriteTo(&fullWriter{100}); n != 100 || !errors.Is(err, bytes.ErrTooLarge) {
		t.Errorf("%d octets written: %v", n, err)
	}
}

// A fullWriter takes some octets and no more.
type fullWriter struct{ left int }

func (w *fullWriter) Write(p []byte) (int, error) {
	n := min(len(p), w.left)
	if w.left -= n; n < len(p) {
		return n, bytes.ErrTooLarge
	}
	return n, nil
}
