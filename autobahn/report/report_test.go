package report

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/swan-ws/websocket/autobahn"
)

var update = flag.Bool("update", false, "write testdata anew")

// golden compares text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func parts(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("no %q in:\n%s", part, text)
		}
	}
}

// whole is a result with something in every field.
func whole() autobahn.Result {
	code, reason, unclean := 1001, "Going <Away>", "the peer did not answer"
	return autobahn.Result{
		Case: 71, ID: "6.4.3", Agent: "Peer & Söhne/1.0",
		Description: "Sends a text in three pieces.", Expectation: "It is not taken.", Source: "§8.1: MUST _Fail the WebSocket Connection_.",
		Started: "2026-11-21T10:30:00.123Z", Duration: 3012, ReportTime: true,
		Behavior: autobahn.Failed, Result: "The message came back.", BehaviorClose: autobahn.Unclean, ResultClose: "There was no answer.",
		Expected: map[autobahn.Behavior][]autobahn.Event{
			autobahn.OK:        {{Kind: autobahn.Timeout, Data: "A"}},
			autobahn.NonStrict: {{Kind: autobahn.Timeout, Data: "A"}, {Kind: autobahn.Timeout, Data: "B"}},
		},
		Received: []autobahn.Event{
			{Kind: autobahn.Message, Data: "Hello", Binary: true}, {Kind: autobahn.Pong, Data: "µ"}, {Kind: autobahn.Handshake, Data: "open"},
		},
		ExpectedClose: autobahn.ExpectedClose{Codes: []int{1007}, WrongIsFatal: true},
		ClosedByMe:    true, FailedByMe: true, DroppedByMe: true, NotClean: &unclean, CloseTimeout: true,
		LocalCloseCode: &code, LocalCloseReason: &reason,
		HTTPRequest: "GET / HTTP/1.1\r\n\r\n", HTTPResponse: "HTTP/1.1 101 Switching Protocols\r\n\r\n",
		CreateStats: true, RxOctetStats: map[int]int{2: 1, 129: 3}, TxOctetStats: map[int]int{15: 2},
		RxFrameStats: map[int]int{1: 1, 10: 1}, TxFrameStats: map[int]int{0: 1, 1: 2},
		CreateWirelog: true,
		Wirelog: []autobahn.LogRow{
			{"KL", 1}, {"TF", []any{5, "Hello"}, 1, true, 0, "37fa213d", nil, nil, false}, {"TO", []any{11, "8185"}, false},
		},
		ReportCompressionRatio: true,
		TrafficStats: &autobahn.TrafficStats{
			Outgoing:   autobahn.Traffic{Wire: 110, WebSocket: 100, App: 200, Frames: 4, Messages: 2, Ratio: 0.5, Overhead: 0.1},
			Incoming:   autobahn.Traffic{Wire: 220, WebSocket: 200, App: 200, Frames: 2, Messages: 2, Ratio: 1, Overhead: 0.1},
			PreopenOut: 120, PreopenIn: 130,
		},
	}
}

// some are results of two agents, with every verdict.
func some() []autobahn.Result {
	code := 1000
	var results []autobahn.Result
	for _, r := range []struct {
		agent, id       string
		behavior, close autobahn.Behavior
	}{
		{"other", "10.1.1", autobahn.OK, autobahn.OK},
		{"one", "10.1.1", autobahn.OK, autobahn.OK},
		{"one", "2.11", autobahn.OK, autobahn.WrongCode},
		{"one", "2.2", autobahn.OK, autobahn.OK},
		{"one", "3.2", autobahn.NonStrict, autobahn.OK},
		{"one", "7.1.6", autobahn.Informational, autobahn.Informational},
		{"one", "13.1.1", autobahn.Unimplemented, autobahn.OK},
		{"one", "20.1", autobahn.Failed, autobahn.Failed},
	} {
		results = append(results, autobahn.Result{
			Agent: r.agent, ID: r.id, Behavior: r.behavior, BehaviorClose: r.close, RemoteCloseCode: &code,
			Description: "Does " + r.id + ".", Expectation: "Wants " + r.id + ".", Source: "§" + r.id + ": MUST.",
			Result: "It is " + string(r.behavior) + ".", ResultClose: "It ended " + string(r.close) + ".",
			Started: "2026-11-21T10:30:0" + r.id[:1] + ".000Z", Duration: 250, HTTPRequest: "?", HTTPResponse: "?",
		})
	}
	return results
}

func TestVerdict_Is_TheWorseOfTwo(t *testing.T) {
	tests := []struct {
		behavior, close, want autobahn.Behavior
		reason                string
	}{
		{autobahn.OK, autobahn.OK, autobahn.OK, "case"},
		{autobahn.NonStrict, autobahn.OK, autobahn.NonStrict, "case"},
		{autobahn.Informational, autobahn.Informational, autobahn.Informational, "case"},
		{autobahn.Unimplemented, autobahn.OK, autobahn.Unimplemented, "case"},
		{autobahn.Failed, autobahn.OK, autobahn.Failed, "case"},
		{autobahn.Failed, autobahn.Failed, autobahn.Failed, "case"},
		{autobahn.OK, autobahn.Unclean, autobahn.Failed, "close"},
		{autobahn.NonStrict, autobahn.WrongCode, autobahn.Failed, "close"},
		{autobahn.Unimplemented, autobahn.FailedByClient, autobahn.Failed, "close"},
		{"", "", autobahn.Failed, "case"}, // of a file that is none
	}
	for _, tt := range tests {
		r := &autobahn.Result{Behavior: tt.behavior, BehaviorClose: tt.close, Result: "case", ResultClose: "close"}
		if got := Verdict(r); got != tt.want {
			t.Errorf("%s, %s: %s, want %s", tt.behavior, tt.close, got, tt.want)
		}
		if got := Reason(r); got != tt.reason {
			t.Errorf("%s, %s: the reason is that of the %s", tt.behavior, tt.close, got)
		}
		if got := AnyFailed([]autobahn.Result{{Behavior: autobahn.OK, BehaviorClose: autobahn.OK}, *r}); got != (tt.want == autobahn.Failed) {
			t.Errorf("%s, %s: AnyFailed is %v", tt.behavior, tt.close, got)
		}
	}
}

// A section that is added gets a title, no longer than tables have room for.
func TestSections_HaveTitles(t *testing.T) {
	for _, c := range autobahn.Cases() {
		if title := sectionTitles[sectionOf(c.ID)]; title == "" || len(title) > 19 {
			t.Fatalf("the title of the section of %s is %q: change sectionTitles", c.ID, title)
		}
	}
}

func TestSum_SaysItInALine(t *testing.T) {
	if got, want := Sum(some()), "3 OK, 1 non-strict, 1 informational, 1 unimplemented, 2 failed"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := Sum(nil), "no case ran"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
