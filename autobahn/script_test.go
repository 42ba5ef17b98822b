package autobahn

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// good is a case without a fault, of which the others are made.
const good = `case 99.1
  does    Sends a text.
  wants   It comes back.
  > text "swan"
  close after 1s
  < text "swan"
  end us 1000 clean
`

func TestParse_Reads_ACase(t *testing.T) {
	c := parse(t, `# a comment
case 99.1.2
  does    Sends things.
  wants   What is
  .. written in two lines.
  source  §5.4: A sentence.
  for server
  report time
  > text nofin rsv1 rsv3 alone chop 2 times 3 "swan"
  > cont masked key 01020304 length16 300 head "x"
  > bytes chop 1 alone times 2 hex 00
  > close 1000 "bye"
  > opcode 11 unmasked fragments 2 deflated "abc"
  wait 1s as A
  wait 500ms
  kill after 2s
  < timeout A
  < pong times 1-10 "p"
  < binary times 2 hex 00
  non-strict
  < text maybe "swan"
  or
  < nothing
  end peer 1002,1007 clean fatal strict told quiet informational
`)
	wantSteps := []step{
		sendFrame{opcode: 1, noFin: true, rsv: 5, alone: true, chop: 2, times: 3, payload: text("swan")},
		sendFrame{opcode: 0, times: 1, mask: maskedWithKey, key: [4]byte{1, 2, 3, 4}, form: 16, length: 300, headOnly: true, payload: text("x")},
		sendBytes{chop: 1, alone: true, times: 2, payload: text("\x00")},
		sendFrame{opcode: 8, times: 1, closing: true, payload: payload{{[]byte{3, 0xe8}, 2}, {[]byte("bye"), 3}}},
		sendFrame{opcode: 11, times: 1, mask: maskedNever, fragments: 2, deflated: true, payload: text("abc")},
		pause{time: time.Second, tag: "A"},
		pause{time: 500 * time.Millisecond},
	}
	unexported := cmp.AllowUnexported(sendFrame{}, sendBytes{}, pause{}, repeated{}, timer{}, want{}, wanted{}, openingWant{})
	if diff := cmp.Diff(wantSteps, c.steps, unexported); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	lists := []want{
		{OK, []wanted{{kind: Timeout, data: text("A"), least: 1, most: 1}, {kind: Pong, data: text("p"), least: 1, most: 10},
			{kind: Message, binary: true, data: text("\x00"), least: 2, most: 2}}, nil},
		{NonStrict, []wanted{{kind: Message, data: text("swan"), least: 0, most: 1}}, nil},
		{verdict: OK},
	}
	if diff := cmp.Diff(lists, c.wants, unexported); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(ending{codes: []int{1002, 1007}, clean: true, fatal: true, strict: true, told: true, quiet: true, informational: true}, c.end, cmp.AllowUnexported(ending{})); diff != "" {
		t.Errorf("ending (-want +got):\n%s", diff)
	}
	if c.ID != "99.1.2" || c.Description != "Sends things." || c.Expectation != "What is written in two lines." ||
		c.Source != "§5.4: A sentence." || c.Side != ForServer || !c.reportTime || c.timer != (timer{true, 2 * time.Second}) {
		t.Errorf("%+v", c)
	}
}

func TestParse_Fills_Tables(t *testing.T) {
	cases, err := ParseCases("x", `
series 99.{n}
  does    Sends {what}.
  wants   {what}
  {more}
  > text {flags} {data}
  close after {time}
  < text "x"
  end us 1000
  table n  | what   | flags | data    | time | more
        10 | a text |       | "a b"   | 1s   |
        2  | two    | nofin | hex 00  | 2s   | > ping

series 99.3.{n}
  does    Sends {size}.
  wants   It.
  > text "x" to {size}
  close after 1s
  < nothing
  end us 1000
  table n size
        1 5
        2 6
`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range cases {
		got = append(got, c.ID+" "+c.Description)
	}
	want := []string{"99.2 Sends two.", "99.3.1 Sends 5.", "99.3.2 Sends 6.", "99.10 Sends a text."}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(cases[0].steps) != 2 || len(cases[3].steps) != 1 {
		t.Error("a line that is empty was not left out, or one that is not was")
	}
}

// Every mistake has a sentence that says what to write instead.
func TestParse_Says_WhatToWrite(t *testing.T) {
	line := func(l string) string { return strings.Replace(good, "  close", "  "+l+"\n  close", 1) }
	tests := []struct{ name, text, want string }{
		{"before the first", "does x\n" + good, "x.cases:1: \"does x\" stands before the first case: begin with `case ID`"},
		{"no id", "case", "write numbers joined by dots"},
		{"letters in an id", strings.Replace(good, "99.1", "99.a", 1), "write numbers joined by dots"},
		{"one number", strings.Replace(good, "99.1", "99", 1), "write numbers joined by dots"},
		{"twice", good + good, "x.cases:8: there is a case 99.1 already, at x.cases:1"},
		{"misspelt", line("wiat 1s"), `x.cases:5: "wiat 1s": no line begins with "wiat": did you mean "wait"?`},
		{"capital", line("Wait 1s"), `did you mean "wait"?`},
		{"unknown", line("sing"), "write one of < >"},
		{"does twice", line("does y"), "leave one out"},
		{"does nothing", "case 99.1\n does\n", "write a sentence"},
		{"no does", strings.Replace(good, "does ", "# ", 1), "add `does …`"},
		{"no wants", strings.Replace(good, "wants ", "# ", 1), "add `wants …`"},
		{"no events", strings.Replace(good, "<", "#", 1), "or `< nothing`"},
		{"no end", strings.Replace(good, "  end", "#", 1), "add `end us 1000 clean`"},
		{"no timer", strings.Replace(good, "close after", "#", 1), "add `close after 1s`"},
		{"two timers", line("kill after 1s"), "there is a timer already"},
		{"no after", line("close"), "`> close`"},
		{"no time", line("wait soon"), "write 500ms or 1s"},
		{"no time passes", line("wait 0s"), "write 500ms or 1s"},
		{"no tag", line("wait 1s as "), "write 500ms or 1s"},
		{"source", line("source 5.4"), "write `source §5.4:"},
		{"for whom", line("for everyone"), "write `for server`"},
		{"report", line("report"), "write `report time`"},
		{"strict", line("strict"), "write `strict window`"},
		{"keys", line("keys"), "write `keys differ`"},
		{"reading", line("reading"), "write `reading off`"},
		{"alive", line("alive and well"), "nothing comes after"},
		{"linger", line("linger"), "write 500ms or 1s"},
		{"nothing sent", line(">"), "write what to send"},
		{"what is sent", line("> swan"), `"swan" cannot be sent: write text, binary`},
		{"opcode", line("> opcode 16"), "write 0 to 15"},
		{"payload", line("> text swan"), "write \"text\" or `hex"},
		{"quote", line(`> text "swan`), "no closing quote"},
		{"number", line("> text chop x"), "write digits"},
		{"no number", line("> text chop"), "a number is missing"},
		{"no times", line(`> text times 0 "a"`), "at least 1"},
		{"key", line("> text key 0102"), "write `key 01020304`"},
		{"length", line("> text length16 65536"), "a number that 16 bits can hold"},
		{"fragments", line(`> text fragments 2 nofin "a"`), "a line of its own"},
		{"flags of bytes", line(`> bytes nofin "a"`), "bytes know only"},
		{"number of bytes", line(`> bytes chop`), "a number is missing"},
		{"drop", line(`> drop it`), "nothing comes after"},
		{"event", line("<"), "write what must come"},
		{"which event", line("< swan"), `"swan" cannot come`},
		{"event's quote", line(`< text "swan`), "no closing quote"},
		{"event's payload", line(`< text swan`), "write \"text\" or `hex"},
		{"how often", line(`< text times x "a"`), "write `times 5` or `times 1-10`"},
		{"how often, the wrong way round", line(`< text times 5-1 "a"`), "write `times 5` or `times 1-10`"},
		{"which time", line("< timeout"), "with the name of a wait"},
		{"which close", line("< close swan"), "or `close none`"},
		{"nothing more", line("< nothing more"), "nothing comes after"},
		{"another list of none", "case 99.1\n or\n", "write what is OK above"},
		{"another end", line("end us 1000"), "there is an end already"},
		{"who ends", strings.Replace(good, "end us", "end them", 1), "who sends the first Close"},
		{"code", strings.Replace(good, "us 1000", "us normal", 1), "write a number, several joined by commas"},
		{"word of the end", strings.Replace(good, "clean", "dirty", 1), "write clean, fatal"},
		{"table of a case", good + "table n\n 1\n", "write `series 99.1`"},
		{"series without a table", strings.Replace(good, "case", "series", 1), "a series needs a table"},
		{"cells", strings.Replace(good, "case 99.1", "series 99.{n}", 1) + "table n m\n 1\n", "1 cells for 2 columns (n, m)"},
		{"no offer", line("deflate accept any"), "add `deflate permessage-deflate; …`"},
		{"no answer", line("deflate permessage-deflate"), "add `deflate accept any`"},
		{"offer", line("deflate swan"), "write the offer"},
		{"accept", line("deflate accept swan"), "write `any`, or client_no_context_takeover"},
		{"accept bits", line("deflate accept client_max_window_bits=16"), "(8 to 15)"},
		{"request", line("request GET"), "in double quotes"},
		{"response and server", line("for server\nresponse \"x\""), "a tested client gets responses"},
		{"header", line("header Upgrade"), "write `header + Name: value`"},
		{"pad", line("header pad x"), "write digits"},
		{"much pad", line("header pad 1GiB times 1000"), "write less"},
		{"much", line(`> text "a" to 2GiB`), "write less"},
		{"many", line(`> text times 1GiB "a"`), "write less"},
		{"many bytes", line(`> bytes times 1GiB "a"`), "write less"},
		{"pad times", line("header pad 1 times x"), "write digits"},
		{"with", line("with"), "write `with frames`"},
		{"raw", line("raw swan"), "write \"text\" or `hex"},
		{"raw quote", line(`raw "swan`), "no closing quote"},
		{"nobody's handshake", line("bytewise"), "add `for server` or `for client`"},
		{"no outcome", line("for server\nbytewise"), "begin each list with `< open` or `< refused`"},
		{"late outcome", line("< text\n< open"), "comes first"},
		{"two outcomes", line("< open\n< refused 400"), "cannot be both"},
		{"status", line("< refused 40"), "write 400, several joined by commas, 4xx, or any"},
		{"no status", "case 99.1\ndoes x\nwants x\nfor server\nbytewise\n< refused\n", "write the status"},
		{"status of a client", "case 99.1\ndoes x\nwants x\nfor client\nbytewise\n< refused 400\n", "clients answer nothing"},
		{"silence of a client", "case 99.1\ndoes x\nwants x\nfor client\nbytewise\n< unanswered\n", "a tested client asks"},
		{"header of an outcome", line("< open x y"), "write a header that must be in the answer"},
		{"message", line("message swan"), "write one line `message text"},
		{"message's quote", line(`message "swan`), "no closing quote"},
		{"message's payload", line(`message text swan`), "write \"text\" or `hex"},
		{"message and frames", line(`message text "a"`), "leave the lines with > and < out"},
		{"source of messages", line("message text from swan size 4"), "write one of document, html, json, picture, prose"},
		{"size of messages", line("message text from json"), "write `from json size 1024`"},
		{"size of a payload", line(`message text size 4 "a"`), "write `to N`"},
		{"number of messages", line("message text times x"), "write digits"},
		{"a series that never ends", "case 99.1\ndoes x\nwants x\nmessage text \"a\"\n", "add `timeout 60s`"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseCases("x.cases", tt.text)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("%v, want %q", err, tt.want)
			}
			if !strings.HasPrefix(err.Error(), "x.cases:") {
				t.Errorf("no place: %v", err)
			}
		})
	}
}

// Of many mistakes some are told, and how many more there are.
func TestParse_DoesNotGoOn_AboutMistakes(t *testing.T) {
	var b strings.Builder
	for i := range 50 {
		b.WriteString(strings.Replace(strings.Replace(good, "99.1", "99."+strings.Repeat("1", i+1), 1), "> text", "> swan", 1))
	}
	_, err := ParseCases("x.cases", b.String())
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 21 || lines[20] != "and 30 more" {
		t.Errorf("%d lines: %v", len(lines), lines[len(lines)-1])
	}
}

func TestSelect_Chooses(t *testing.T) {
	all := Cases()
	tests := []struct {
		name             string
		include, exclude []string
		want             []string
		err              string
	}{
		{"all", nil, nil, []string{"1.1.1"}, ""},
		{"star", []string{"*"}, []string{"*"}, nil, "no case is left"},
		{"one", []string{"6.4.1"}, nil, []string{"6.4.1"}, ""},
		{"section", []string{"6.4.*", "2.1"}, []string{"6.4.2", "6.4.3"}, []string{"2.1", "6.4.1", "6.4.4"}, ""},
		{"star within", []string{"6.*.34"}, nil, []string{"6.22.34"}, ""},
		{"no dot", []string{"7.1*"}, []string{"7.1.*"}, []string{"7.13.1", "7.13.2"}, ""},
		{"unknown", []string{"99.*"}, nil, nil, `no case is named by "99.*"`},
		{"unknown, left out", nil, []string{"6.4.*.*.*"}, nil, `no case is named by "6.4.*.*.*"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			chosen, err := Select(all, tt.include, tt.exclude)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("%v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if tt.include == nil {
				chosen = chosen[:1]
			}
			var ids []string
			for _, c := range chosen {
				ids = append(ids, c.ID)
			}
			if !slices.Equal(ids, tt.want) {
				t.Errorf("%v, want %v", ids, tt.want)
			}
		})
	}
}

// No text makes the parser panic, and what it reads has an id, a description and an
// end.
func FuzzParseCases(f *testing.F) {
	f.Add(good)
	for _, name := range []string{"05-fragmentation.cases", "20-handshake-of-servers.cases", "28-deflate-frames.cases", "31-endings.cases"} {
		b, err := caseFiles.ReadFile("cases/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	f.Fuzz(func(t *testing.T, text string) {
		cases, err := ParseCases("x", text)
		if err != nil && cases != nil {
			t.Error("there are cases and an error")
		}
		for _, c := range cases {
			if c.ID == "" || c.Description == "" || c.Expectation == "" || c.timer.time == 0 {
				t.Errorf("%+v", c)
			}
		}
	})
}
