package autobahn

import (
	"strings"
	"testing"
)

// events are written briefly: "text swan", "pong x", "close 1000", "timeout A".
func events(s ...string) (list []Event) {
	for _, e := range s {
		kind, data, _ := strings.Cut(e, " ")
		switch kind {
		case "text", "binary":
			list = append(list, Event{Message, data, kind == "binary"})
		default:
			list = append(list, Event{EventKind(kind), data, false})
		}
	}
	return list
}

func code(n int) *int { return &n }

// judged is a case with these lines.
func judged(t *testing.T, lines string) Case {
	return parse(t, "case 99.1\ndoes x\nwants x\n"+lines+"\nkill after 1s\n")
}

func TestJudge_Is_AFunctionOfWhatHappened(t *testing.T) {
	const (
		echo     = "< text \"swan\"\nend us 1000 clean"
		fail     = "< nothing\nend peer 1002"
		deflated = "deflate permessage-deflate\ndeflate accept any\n"
	)
	well := trace{opened: true, closedByMe: true, wasClean: true, remoteCode: code(1000), received: events("text swan")}
	with := func(f func(*trace)) trace { t := well; f(&t); return t }
	failed := trace{opened: true, remoteCode: code(1002), wasClean: true}
	tests := []struct {
		name, lines string
		trace       trace
		want        string
		says        string // a part of a sentence
	}{
		{"echo", echo, well, "OK/OK", "those that are OK"},
		{"no code", echo, with(func(t *trace) { t.remoteCode = nil }), "OK/OK", ""},
		{"wrong code", echo, with(func(t *trace) { t.remoteCode = code(1001) }), "OK/WRONG CODE", "is 1001. It should be 1000"},
		{"wrong code, strict", echo + " strict", with(func(t *trace) { t.remoteCode = code(1001) }), "FAILED/WRONG CODE", ""},
		{"wrong end", echo, with(func(t *trace) { t.closedByMe = false }), "OK/FAILED", "for the suite to do"},
		{"wrong end, fatal", echo + " fatal", with(func(t *trace) { t.closedByMe = false }), "FAILED/FAILED", ""},
		{"not clean", echo, with(func(t *trace) { t.wasClean, t.notClean = false, "the swan" }), "OK/UNCLEAN", "the swan"},
		{"not clean, no reason", echo, with(func(t *trace) { t.wasClean = false }), "OK/UNCLEAN", ", and was not."},
		{"not clean and a wrong code", echo, with(func(t *trace) { t.wasClean, t.remoteCode = false, code(1) }), "OK/UNCLEAN", ""},
		{"dropped by us", echo, with(func(t *trace) { t.droppedByMe = true }), "OK/FAILED BY CLIENT", "left it to the client"},
		{"dropped by us, a server", echo, with(func(t *trace) { t.droppedByMe, t.isServer = true, true }), "OK/OK", ""},
		{"dropped in a frame", echo, with(func(t *trace) { t.droppedByMe, t.midFrame = true, true }), "OK/OK", ""},
		{"nothing came", echo, with(func(t *trace) { t.received = nil }), "FAILED/OK", `Nothing came, but a text message "swan" should have.`},
		{"something else", echo, with(func(t *trace) { t.received = events("binary swan") }), "FAILED/OK", `There came a binary message "swan", but a text message "swan" should have.`},
		{"more", echo, with(func(t *trace) { t.received = events("text swan", "pong x") }), "FAILED/OK", `There came a pong "x", but nothing should have, after 1 as expected.`},
		{"another list", "< nothing\nnon-strict\n" + echo, well, "NON-STRICT/OK", "those that are NON-STRICT"},
		{"or another", "< nothing\nor\n" + echo, well, "OK/OK", ""},
		{"informational", "< nothing\nend us 1000 informational", well, "INFORMATIONAL/INFORMATIONAL", ""},
		{"peer fails", fail, failed, "OK/OK", ""},
		{"peer does not fail", fail, trace{opened: true, closedByMe: true, failedByMe: true, remoteCode: code(1001)}, "OK/FAILED", "the suite had to"},
		{"peer drops", fail, trace{opened: true}, "OK/OK", ""},
		{"peer drops, but was to say so", fail + " told", trace{opened: true}, "OK/WRONG CODE", "did not"},
		{"any code", "< nothing\nend peer any", trace{opened: true, remoteCode: code(77)}, "OK/OK", ""},
		{"either", "< nothing\nend either 1002", failed, "OK/OK", ""},
		{"either, by us", "< nothing\nend either 1002", trace{opened: true, closedByMe: true, droppedByMe: true}, "OK/OK", ""},
		{"fault", echo, with(func(t *trace) { t.fault = "opcode 3" }), "FAILED/OK", "broke the protocol: opcode 3."},
		{"declined", deflated + echo, trace{opened: true, declined: true, closedByMe: true, wasClean: true, remoteCode: code(1000)}, "UNIMPLEMENTED/OK", "did not agree"},
		{"declined, of a peer that is to fail", deflated + fail, trace{opened: true, declined: true, closedByMe: true, wasClean: true, remoteCode: code(1000)}, "UNIMPLEMENTED/OK", ""},
		{"no handshake", echo, trace{opening: openingOutcome{kind: openingRefused, status: 404, fault: "it is 404"}}, "FAILED/FAILED", "it is 404"},
		{"range", "< pong times 2-3 \"x\"\n< text \"y\"\nend us 1000 clean", with(func(t *trace) { t.received = events("pong x", "pong x", "text y") }), "OK/OK", ""},
		{"too few", "< pong times 2-3 \"x\"\n< text \"y\"\nend us 1000 clean", with(func(t *trace) { t.received = events("pong x", "text y") }), "FAILED/OK", `a pong "x" 2 to 3 times should have, after 1 as expected`},
		{"too many", "< pong times 2 \"x\"\nend us 1000 clean", with(func(t *trace) { t.received = events("pong x", "pong x", "pong x") }), "FAILED/OK", "nothing should have, after 2"},
		{"maybe", "< text maybe \"x\"\n< pong maybe \"y\"\n< close 1000\nend us 1000 clean", with(func(t *trace) { t.received = events("pong y", "close 1000") }), "OK/OK", ""},
		{"close", "< close none\nend us 1000 clean", with(func(t *trace) { t.received = events("close 1000") }), "FAILED/OK", `a Close 1000, but a Close  should`},
		{"time", "< timeout A\nend us 1000 clean", with(func(t *trace) { t.received = nil }), "FAILED/OK", `the time "A"`},
		{"open", "for server\nbytewise\n< open\n" + echo, with(func(t *trace) { t.opening.kind, t.received = openingDone, events("handshake open", "text swan") }), "OK/OK", ""},
		{"open and not right", "for server\nbytewise\n< open\n" + echo,
			trace{opening: openingOutcome{kind: openingBroken, fault: "no swan"}, received: events("handshake not right")}, "FAILED/FAILED", "is not right: no swan."},
		{"refused", "for server\nbytewise\n< refused 4xx,503", trace{opening: openingOutcome{kind: openingRefused, status: 503}, received: events("handshake refused 503")}, "OK/OK", "refused the connection, as"},
		{"refused otherwise", "for server\nbytewise\n< refused 400", trace{opening: openingOutcome{kind: openingRefused, status: 403}, received: events("handshake refused 403")},
			"FAILED/FAILED", "There came a handshake that is refused 403, but a handshake that is refused 400 should have."},
		{"refused without a status", "for server\nbytewise\n< refused 4xx", trace{opening: openingOutcome{kind: openingRefused}, received: events("handshake refused")}, "FAILED/FAILED", ""},
		{"refused anyhow", "for server\nbytewise\n< refused any", trace{opening: openingOutcome{kind: openingRefused}, received: events("handshake refused")}, "OK/OK", ""},
		{"refused with a header", "for server\nbytewise\n< refused 426 Upgrade: WebSocket\n< refused 426 no X-Swan",
			trace{opening: openingOutcome{kind: openingRefused, status: 426, head: head{fields: []field{{"upgrade", "websocket"}}}}, received: events("handshake refused")}, "OK/OK", ""},
		{"refused without the header", "for server\nbytewise\n< refused 426 Upgrade: websocket",
			trace{opening: openingOutcome{kind: openingRefused, status: 426}, received: events("handshake refused")}, "FAILED/FAILED", ""},
		{"unanswered", "for server\nbytewise\n< unanswered", trace{opening: openingOutcome{kind: openingSilent}, received: events("handshake unanswered")}, "OK/OK", ""},
		{"silence", "for server\nbytewise\n< refused any", trace{opening: openingOutcome{kind: openingSilent, fault: "there was no answer"}, received: events("handshake unanswered")},
			"FAILED/FAILED", "there was no answer"},
		{"client goes on", "for client\nbytewise\n< refused", trace{opened: true, closedByMe: true, isServer: true, opening: openingOutcome{kind: openingDone}, received: events("handshake open")}, "FAILED/FAILED", ""},
		{"client refuses", "for client\nbytewise\n< refused", trace{isServer: true, opening: openingOutcome{kind: openingRefused}, received: events("handshake refused")}, "OK/OK", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := judged(t, tt.lines)
			v := judge(&c, &tt.trace)
			if got := string(v.behavior + "/" + v.behaviorClose); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
			if both := v.result + " " + v.resultClose; !strings.Contains(both, tt.says) {
				t.Errorf("it says %q, want %q", both, tt.says)
			}
		})
	}
}

func TestJudge_Judges_Series(t *testing.T) {
	c := parse(t, "case 99.1\ndoes x\nwants x\nmessage text \"a\"\ntimeout 1s\n")
	for _, tt := range []struct {
		outcome seriesOutcome
		want    string
	}{
		{seriesOutcome{done: true}, "OK All messages came back as they were."},
		{seriesOutcome{fault: "No swan."}, "FAILED No swan."},
		{seriesOutcome{}, "FAILED The connection ended before all messages had come back."},
	} {
		v := judge(&c, &trace{opened: true, closedByMe: true, wasClean: true, series: tt.outcome})
		if got := string(v.behavior) + " " + v.result; got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

// What has come may go on, or is all, or is wrong.
func TestFit_Knows_WhatMayStillCome(t *testing.T) {
	tests := []struct {
		list, come  string
		equal, open bool
	}{
		{"< text \"a\"", "", false, true},
		{"< text \"a\"", "text a", true, false},
		{"< text \"a\"", "text b", false, false},
		{"< nothing", "", true, false},
		{"< nothing", "text a", false, false},
		{"< text times 1-2 \"a\"", "text a", true, true},
		{"< text times 1-2 \"a\"", "text a,text a", true, false},
		{"< text maybe \"a\"", "", true, true},
		{"< text maybe \"a\"\n< pong maybe \"b\"", "text a", true, true},
		{"< text maybe \"a\"\n< pong maybe \"b\"", "pong b", true, false},
		{"< text maybe \"a\"\n< pong maybe \"b\"", "pong b,text a", false, false},
		{"< text times 0-9 \"a\"\n< text \"b\"", "text a,text a", false, true},
	}
	for _, tt := range tests {
		c := judged(t, tt.list+"\nend us 1000")
		tr := trace{}
		if tt.come != "" {
			tr.received = events(strings.Split(tt.come, ",")...)
		}
		f := tr.fit(c.wants[0])
		if f.equal() != tt.equal || f.open() != tt.open {
			t.Errorf("%q after %q: equal %t, open %t", tt.list, tt.come, f.equal(), f.open())
		}
	}
}
