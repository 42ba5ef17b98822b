package bench_test

import (
	"strings"
	"testing"

	"github.com/swan-ws/websocket/bench"
)

func TestParse_FindsScenarios_AndChangesTheirNumbers(t *testing.T) {
	list, err := bench.Parse("pipe-32, echo-32:conns=1000:size=64  dial")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range list {
		got = append(got, s.Name+" is "+s.About()+", a "+s.Unit())
	}
	want := []string{
		"pipe-32 is 16 connections, 32 B, 64 in flight, a message",
		"echo-32:conns=1000:size=64 is 1000 connections, 64 B, 1 in flight, a message",
		"dial is 16 at a time, a handshake",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestParse_All_IsAllOfThem(t *testing.T) {
	if list, err := bench.Parse("all"); err != nil || len(list) != len(bench.Scenarios) {
		t.Errorf("got %d scenarios and %v, want %d", len(list), err, len(bench.Scenarios))
	}
}

func TestParse_SaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", " ,", "no scenario given"},
		{"a name that is none", "echo-32,echo-33", `no scenario "echo-33": there are echo-32,`},
		{"a key that is none", "echo-32:colour=1", `no "colour" to be set`},
		{"a key that says nothing here", "dial:size=10", `no "size" to be set`},
		{"no value", "echo-32:conns", `not a number from 1 to 16777216: ""`},
		{"a value that is no number", "echo-32:size=1k", `not a number from 1 to 16777216: "1k"`},
		{"zero", "echo-32:flight=0", `: "0"`},
		{"too much", "echo-32:size=16777217", `: "16777217"`},
		{"too much for an int", "echo-32:size=99999999999999999999", `: "99999999999999999999"`},
		{"one of them twice", "dial,all", "dial is given twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if list, err := bench.Parse(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v and the error %v, want one with %s", list, err, c.want)
			}
		})
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[int]string{32: "32 B", 1024: "1 KiB", 1025: "1025 B", 3 << 20: "3 MiB"} {
		if got := bench.Bytes(n); got != want {
			t.Errorf("Bytes(%d) is %q, want %q", n, got, want)
		}
	}
}
