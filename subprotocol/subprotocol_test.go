package subprotocol_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/swan-ws/websocket/subprotocol"
)

// R24: the bytes of a token, spelled out from RFC 2616 §2.2.
func TestValid_TakesVisibleASCIIWithoutSeparators(t *testing.T) {
	const separators = "()<>@,;:\\\"/[]?={} \t"
	for c := range 256 {
		name := string([]byte{'a', byte(c)})
		want := 0x21 <= c && c <= 0x7E && !strings.ContainsRune(separators, rune(c))
		if got := subprotocol.Valid(name); got != want {
			t.Errorf("Valid(%q) = %v, want %v", name, got, want)
		}
	}
	if subprotocol.Valid("") {
		t.Error(`Valid("") = true, want false`)
	}
}

func TestParse(t *testing.T) {
	many := make([]string, 40)
	for i := range many {
		many[i] = fmt.Sprintf("v%d.chat", i)
	}
	tests := []struct {
		name  string
		lines []string
		want  []string
		err   string // a part of it
	}{
		{name: "no header", lines: nil, want: nil},
		{name: "one", lines: []string{"chat"}, want: []string{"chat"}},
		{name: "order is kept", lines: []string{"z, a,m"}, want: []string{"z", "a", "m"}},
		{name: "lines join (R56)", lines: []string{"a", "b , c", "d"}, want: []string{"a", "b", "c", "d"}},
		{name: "empty elements do not count", lines: []string{",a,,b", " ,\t,", ""}, want: []string{"a", "b"}},
		{name: "whitespace around", lines: []string{"\t chat \t"}, want: []string{"chat"}},
		{name: "case makes a difference", lines: []string{"chat, Chat"}, want: []string{"chat", "Chat"}},
		{name: "names of objects are names", lines: []string{"__proto__, constructor"}, want: []string{"__proto__", "constructor"}},
		{name: "many", lines: []string{strings.Join(many, ",")}, want: many},
		{name: "all visible symbols", lines: []string{"!#$%&'*+-.^_`|~"}, want: []string{"!#$%&'*+-.^_`|~"}},

		{name: "empty", lines: []string{""}, err: "at least one"},
		{name: "only commas", lines: []string{", ,", ","}, err: "at least one"},
		{name: "space inside", lines: []string{"a b"}, err: `"a b" is not a token`},
		{name: "quoted", lines: []string{`"chat"`}, err: "not a token"},
		{name: "parameter", lines: []string{"chat;v=1"}, err: "not a token"},
		{name: "url", lines: []string{"http://a"}, err: "not a token"},
		{name: "beyond ASCII", lines: []string{"ch\u00e4t"}, err: "not a token"},
		{name: "DEL", lines: []string{"a\x7f"}, err: "not a token"},
		{name: "NUL", lines: []string{"a\x00"}, err: "not a token"},
		{name: "line break", lines: []string{"a\r\nb"}, err: "not a token"},
		{name: "twice", lines: []string{"a,b,a"}, err: `"a" is listed twice`},
		{name: "twice on two lines", lines: []string{"a", "a"}, err: `"a" is listed twice`},
		{name: "twice among many", lines: []string{strings.Join(many, ","), "v7.chat"}, err: `"v7.chat" is listed twice`},
		{name: "long text is cut", lines: []string{strings.Repeat("(", 5000)}, err: `"` + strings.Repeat("(", 128) + `" is`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := subprotocol.Parse(tt.lines)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Parse(%q) (-want +got):\n%s", tt.lines, diff)
			}
			if (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("Parse(%q) fails with %v, want %q", tt.lines, err, tt.err)
			}
		})
	}
}

// R24: on the client's side an empty name is an error, too.
func TestCheck_Rejects_EmptyName(t *testing.T) {
	if err := subprotocol.Check([]string{"chat", ""}); err == nil {
		t.Error(`Check("chat", "") = nil, want an error`)
	}
	if err := subprotocol.Check(nil); err != nil {
		t.Errorf("Check(nil) = %v, want nil", err)
	}
}

// A header full of names must cost linear time, or nearly: this one would take
// minutes if it were quadratic.
func TestParse_CopesWith_MillionsOfBytes(t *testing.T) {
	var b strings.Builder
	for i := range 500_000 {
		fmt.Fprintf(&b, "%d,", i)
	}
	names, err := subprotocol.Parse([]string{b.String()})
	if err != nil || len(names) != 500_000 {
		t.Errorf("Parse = %d names, %v, want 500000", len(names), err)
	}
	if _, err := subprotocol.Parse([]string{"b" + strings.Repeat(" ", 4<<20) + "x"}); err == nil {
		t.Error("Parse of b<4 MiB of spaces>x = nil, want an error")
	}
}

// R47: who decides is the only difference.
func TestSelect(t *testing.T) {
	tests := []struct {
		name               string
		offered, supported []string
		client, server     string
	}{
		{name: "nothing at all"},
		{name: "nothing offered", supported: []string{"a"}},
		{name: "nothing supported", offered: []string{"a"}},
		{name: "nothing in common", offered: []string{"a"}, supported: []string{"b"}},
		{name: "same order", offered: []string{"a", "b"}, supported: []string{"a", "b"}, client: "a", server: "a"},
		{name: "other order", offered: []string{"a", "b"}, supported: []string{"b", "a"}, client: "a", server: "b"},
		{name: "one in common", offered: []string{"x", "b"}, supported: []string{"b", "y"}, client: "b", server: "b"},
		{name: "case differs", offered: []string{"Chat"}, supported: []string{"chat"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := subprotocol.Select(tt.offered, tt.supported); got != tt.client {
				t.Errorf("Select = %q, want %q", got, tt.client)
			}
			if got := subprotocol.SelectPreferred(tt.offered, tt.supported); got != tt.server {
				t.Errorf("SelectPreferred = %q, want %q", got, tt.server)
			}
		})
	}
}

func FuzzSubprotocols(f *testing.F) {
	f.Add("chat, superchat", "v2.chat")
	f.Fuzz(func(t *testing.T, first, second string) {
		names, err := subprotocol.Parse([]string{first, second})
		// The oracle walks the joined text byte by byte.
		var want []string
		seen, bad := map[string]bool{}, false
		for element := range strings.SplitSeq(first+","+second, ",") {
			for element != "" && (element[0] == ' ' || element[0] == '\t') {
				element = element[1:]
			}
			for element != "" && (element[len(element)-1] == ' ' || element[len(element)-1] == '\t') {
				element = element[:len(element)-1]
			}
			if element == "" {
				continue
			}
			for i := range len(element) {
				bad = bad || element[i] <= ' ' || element[i] > '~' || strings.IndexByte(`()<>@,;:\"/[]?={}`, element[i]) >= 0
			}
			bad = bad || seen[element]
			seen[element] = true
			want = append(want, element)
		}
		if bad || len(want) == 0 {
			if err == nil {
				t.Fatalf("Parse(%q, %q) = %q, want an error", first, second, names)
			}
			return
		}
		if diff := cmp.Diff(want, names); err != nil || diff != "" {
			t.Fatalf("Parse(%q, %q) = %v (-want +got):\n%s", first, second, err, diff)
		}
	})
}
