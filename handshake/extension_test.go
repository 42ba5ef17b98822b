package handshake_test

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/swan-ws/websocket/handshake"
)

// R51, R52: the table is in testdata/extensions.txt.
func TestParseExtensions_FollowsTheGrammar(t *testing.T) {
	table, err := os.ReadFile("testdata/extensions.txt")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for i, row := range strings.Split(string(table), "\n") {
		value, want, ok := strings.Cut(row, "=>")
		if strings.HasPrefix(row, "# ") || !ok {
			continue
		}
		rows++
		value, want = unescape(t, strings.TrimRight(value, " ")), strings.TrimSpace(want)
		t.Run(fmt.Sprintf("line %d", i+1), func(t *testing.T) {
			list, err := handshake.ParseExtensions(strings.Split(value, "|"))
			if want == "" {
				wantError(t, err, 0, "9.1", "Sec-WebSocket-Extensions: found ")
				return
			}
			if got := string(handshake.AppendExtensions(nil, list)); err != nil || got != want {
				t.Fatalf("ParseExtensions(%q) = %s, %v, want %s", value, got, err, want)
			}
			again, err := handshake.ParseExtensions([]string{want})
			if diff := cmp.Diff(list, again); err != nil || diff != "" {
				t.Errorf("ParseExtensions(%q) = %v (-first +again):\n%s", want, err, diff)
			}
		})
	}
	if rows < 60 {
		t.Errorf("read %d rows, want 60 at least", rows)
	}
}

// unescape reads \t, \x00 and \u00e4, and leaves \ before other bytes alone.
func unescape(t *testing.T, s string) string {
	t.Helper()
	return regexp.MustCompile(`\\(t|r|n|x[0-9a-f]{2}|u[0-9a-f]{4})`).ReplaceAllStringFunc(s, func(e string) string {
		if e == `\n` || e == `\r` || e == `\t` || e[1] == 'x' || e[1] == 'u' {
			text, err := strconv.Unquote(`"` + e + `"`)
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		return e
	})
}

func TestParseExtensions_OfNoHeader_IsNothing(t *testing.T) {
	if list, err := handshake.ParseExtensions(nil); list != nil || err != nil {
		t.Errorf("ParseExtensions(nil) = %v, %v, want nil, nil", list, err)
	}
}

func TestParseExtensions_TellsAbsentValue(t *testing.T) {
	got, err := handshake.ParseExtensions([]string{"a; b; c=1"})
	want := []handshake.Extension{{Name: "a", Params: []handshake.Param{{Name: "b"}, {Name: "c", Value: "1"}}}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("ParseExtensions = %v (-want +got):\n%s", err, diff)
	}
}

// hostile values have made readers of this header take quadratic or exponential
// time. size is about their length.
func hostile(size int) map[string]string {
	return map[string]string{
		"open quote": `a; b="` + strings.Repeat(`\c`, size/2),
		"spaces":     "b" + strings.Repeat(" ", size) + "x",
		"commas":     strings.Repeat(",", size) + "=",
		"elements":   strings.Repeat("a,", size/2) + "=",
		"params":     "a" + strings.Repeat(";b", size/2) + "=",
		"quotes":     "a" + strings.Repeat(`;b="\c"`, size/7) + "=",
	}
}

// Two megabytes each: whoever looks at a byte more than a few times will not
// be back within the bound, which is a hundred times what linear time takes.
func TestParseExtensions_TakesLinearTime(t *testing.T) {
	for name, value := range hostile(2 << 20) {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			if _, err := handshake.ParseExtensions([]string{value}); err == nil {
				t.Error("ParseExtensions = nil, want an error")
			}
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("ParseExtensions took %v", took)
			}
		})
	}
}

func TestParseExtensions_CutsWhatItQuotes(t *testing.T) {
	_, err := handshake.ParseExtensions([]string{strings.Repeat("(", 1<<16)})
	if n := len(err.Error()); n > 300 {
		t.Errorf("an error of %d bytes, want at most 300", n)
	}
}

// ofBrowsers is what most browsers offer.
const ofBrowsers = "permessage-deflate; client_max_window_bits"

func TestParseExtensions_AllocatesAListAndItsParameters(t *testing.T) {
	lines := []string{ofBrowsers}
	n := testing.AllocsPerRun(100, func() {
		if _, err := handshake.ParseExtensions(lines); err != nil {
			t.Fatal(err)
		}
	})
	if n > 2 {
		t.Errorf("%v allocations, want 2", n)
	}
}

func BenchmarkParseExtensions(b *testing.B) {
	b.Run("browser", func(b *testing.B) {
		b.ReportAllocs()
		lines := []string{ofBrowsers}
		for b.Loop() {
			handshake.ParseExtensions(lines)
		}
	})
	for _, size := range []int{32 << 10, 64 << 10} {
		for name, value := range hostile(size) {
			b.Run(fmt.Sprintf("%s/%dKiB", name, size>>10), func(b *testing.B) {
				b.SetBytes(int64(len(value)))
				b.ReportAllocs()
				lines := []string{value}
				for b.Loop() {
					handshake.ParseExtensions(lines)
				}
			})
		}
	}
}

// grammar is §9.1 with the #rule and the implied whitespace of RFC 2616 §2.1,
// as one expression; it shares nothing with the parser.
var grammar = func() *regexp.Regexp {
	const (
		char   = "[-!#$%&'*+.^_`|~0-9A-Za-z]"
		lws    = `[ \t]*`
		value  = `(?:` + char + `+|"(?:\\?` + char + `)+")`
		param  = `;` + lws + char + `+` + lws + `(?:=` + lws + value + lws + `)?`
		ext    = char + `+` + lws + `(?:` + param + `)*`
		blanks = `[ \t,]*`
	)
	return regexp.MustCompile(`\A` + blanks + ext + `(?:,` + blanks + ext + `)*(?:,` + blanks + `)?\z`)
}()

func FuzzParseExtensions(f *testing.F) {
	f.Add("foo", "bar; baz=2")
	f.Fuzz(func(t *testing.T, first, second string) {
		list, err := handshake.ParseExtensions([]string{first, second})
		if want := grammar.MatchString(first + "," + second); want != (err == nil) {
			t.Fatalf("ParseExtensions(%q, %q) = %v, but the grammar says %v", first, second, err, want)
		}
		if err != nil {
			return
		}
		written := string(handshake.AppendExtensions(nil, list))
		again, err := handshake.ParseExtensions([]string{written})
		if diff := cmp.Diff(list, again); err != nil || diff != "" {
			t.Fatalf("ParseExtensions(%q) = %v (-first +again):\n%s", written, err, diff)
		}
	})
}
