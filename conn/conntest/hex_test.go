package conntest

import (
	"strings"
	"testing"
)

func TestHex(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{name: "nothing", in: ""},
		{name: "one frame", in: "81 05 48656c6c6f", want: "\x81\x05Hello"},
		{name: "upper case", in: "AbcDEF", want: "\xab\xcd\xef"},
		{name: "text", in: `81 05 "Hello"`, want: "\x81\x05Hello"},
		{name: "text beside hex", in: `8105"Hel""lo"00`, want: "\x81\x05Hello\x00"},
		{name: "text with escapes", in: `"\x00\"; \u00e9\n"`, want: "\x00\"; \u00e9\n"},
		{name: "lines and comments", in: "\n  81 05 ; \"text\" 0\r\n\t\"Hello\";zz\n;\n", want: "\x81\x05Hello"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(Hex(tt.in)); got != tt.want {
				t.Errorf("Hex(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestHex_PanicsOnAnythingElse(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{name: "odd digits", in: "81 5 05", want: `conntest: Hex: "5" is not pairs of hex digits`},
		{name: "not hex", in: "8g", want: `conntest: Hex: "8g" is not pairs of hex digits`},
		{name: "open quote", in: "81 \"Hel\nlo\"", want: `conntest: Hex: "Hel has no closing quote, or a bad escape`},
		{name: "bad escape", in: `"\q"`, want: `conntest: Hex: "\q" has no closing quote, or a bad escape`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wantPanic(t, tt.want, func() { Hex(tt.in) })
		})
	}
}

func FuzzHex(f *testing.F) {
	f.Add("81 05 \"Hello\" ; comment\n88 00")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parseHex(s)
		if err != nil && (p != nil || strings.TrimSpace(err.Error()) == "") {
			t.Errorf("parseHex(%q) = %x, %q", s, p, err)
		}
	})
}
