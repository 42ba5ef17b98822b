package autobahn

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/swan-ws/websocket/autobahn/internal/wire"
)

func TestPrintable(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"text", "swän", "swän"},
		{"64 octets", strings.Repeat("a", 64), strings.Repeat("a", 64)},
		{"65 octets", strings.Repeat("a", 65), strings.Repeat("a", 64) + " ..."},
		{"a character at the cut", strings.Repeat("a", 63) + "ä" + "b", strings.Repeat("a", 63) + " ..."},
		{"a swan at the cut", strings.Repeat("a", 61) + "🦢", strings.Repeat("a", 61) + " ..."},
		{"not UTF-8", "\xff\x00", "0xff00"},
		{"not UTF-8, long", strings.Repeat("\xff", 65), "0x" + strings.Repeat("ff", 64) + " ..."},
		{"not UTF-8 at the end", strings.Repeat("a", 10) + "\xc3", "0x" + strings.Repeat("61", 10) + "c3"},
	}
	for _, tt := range tests {
		if got := printable([]byte(tt.in)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestEvent_Writes_JSON(t *testing.T) {
	b, err := json.Marshal([]Event{{Message, "swan", false}, {Message, "\xff", true}, {Pong, "", false}, {Timeout, "A", false}, {Handshake, "open", false}, {Close, "1000", false}})
	want := `[["message","swan",false],["message","0xff",true],["pong",""],["timeout","A"],["handshake","open"],["close","1000"]]`
	if err != nil || string(b) != want {
		t.Errorf("%s %v, want %s", b, err, want)
	}
}

// The fields of a Result are those of the original, and say what happened.
func TestResult_Says_WhatHappened(t *testing.T) {
	r := runServer(t, builtInCase(t, "1.1.2"), wellBehaved)
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, row := range got["wirelog"].([]any) {
		rows = append(rows, row.([]any)[0].(string))
	}
	if diff := cmp.Diff([]string{"TO", "RO", "TF", "TO", "KL", "RO", "RF", "TF", "TO", "RO", "RF"}, ordered(rows)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	payload := strings.Repeat("*", 64) + " ..."
	want := map[string]any{
		"id": "1.1.2", "behavior": "OK", "behaviorClose": "OK", "isServer": false, "closedByMe": true, "failedByMe": false, "droppedByMe": false,
		"wasClean": true, "wasNotCleanReason": nil, "localCloseCode": 1000.0, "localCloseReason": "", "remoteCloseCode": 1000.0, "remoteCloseReason": "",
		"expected": map[string]any{"OK": []any{[]any{"message", payload, false}}}, "received": []any{[]any{"message", payload, false}},
		"expectedClose": map[string]any{"closedByMe": true, "closeCode": []any{1000.0}, "requireClean": true},
		"txFrameStats":  map[string]any{"1": 1.0, "8": 1.0}, "rxFrameStats": map[string]any{"1": 1.0, "8": 1.0}, "trafficStats": nil,
		"reportTime": false, "createWirelog": true, "createStats": true, "reportCompressionRatio": false,
		"wasOpenHandshakeTimeout": false, "wasCloseHandshakeTimeout": false, "wasServerConnectionDropTimeout": false,
	}
	for name, value := range want {
		if diff := cmp.Diff(value, got[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if !strings.HasPrefix(r.HTTPResponse, "HTTP/1.1 101") || r.Started[10] != 'T' || !strings.HasSuffix(r.Started, "Z") {
		t.Errorf("%q, %q", r.HTTPResponse, r.Started)
	}
}

// ordered puts the row of the timer where it belongs: it may come a moment later.
func ordered(rows []string) []string {
	if i := slices.Index(rows, "KL"); i > 4 {
		rows = slices.Insert(slices.Delete(rows, i, i+1), 4, "KL")
	}
	return rows
}

func TestResult_Has_TrafficStats(t *testing.T) {
	r := runServer(t, builtInCase(t, "12.1.4"), wellBehaved)
	s := r.TrafficStats
	if s == nil || !r.ReportCompressionRatio {
		t.Fatal("there are none")
	}
	if s.Outgoing.Messages != 10 || s.Outgoing.App != 10240 || s.Outgoing.Ratio > 0.5 || s.Outgoing.Frames != 11 ||
		s.Incoming.Messages != 10 || s.Incoming.App != 10240 || s.Incoming.Ratio != 1 || s.Incoming.Overhead <= 0 || s.PreopenOut != len(r.HTTPRequest) || s.PreopenIn != len(r.HTTPResponse) {
		t.Errorf("%+v", s)
	}
}

// However much happens, the log stays short, and has the beginning and the end.
func TestWirelog_IsShort(t *testing.T) {
	l := newWirelog()
	for i := range 1000 {
		l.octetsOut(make([]byte, 1+i%3), 2, false)
	}
	l.frameOut(wire.Header{Fin: true, Length: 99}, []byte("a"), 7, true)
	rows := l.rows()
	if len(rows) != firstRows+lastRows+2 || rows[firstRows][0] != "WLM" || rows[len(rows)-1][0] != "TF" {
		t.Errorf("%d rows", len(rows))
	}
	if diff := cmp.Diff(map[int]int{1: 667, 2: 666}, l.txOctets); diff != "" {
		t.Errorf("octets (-want +got):\n%s", diff)
	}
	if row := rows[len(rows)-1]; !cmp.Equal(row[1], []any{uint64(99), "a ..."}) || row[7] != 7 || row[8] != true {
		t.Errorf("%v", row)
	}
	for range 50 {
		l.add("x")
	}
	if rows := l.rows(); len(rows) != firstRows+lastRows+2 {
		t.Errorf("%d rows", len(rows))
	}
}

func TestResult_Story_Says_Why(t *testing.T) {
	c := parse(t, strings.Replace(good, "  >", "  source §1: The swan.\n  >", 1))
	r := runServer(t, c, echoesBinary)
	for _, part := range []string{"FAILED: There came a binary message", "RFC: §1: The swan.", "wants: It comes back.", "[TIE]"} {
		if s := r.story(); !strings.Contains(s, part) {
			t.Errorf("no %q in:\n%s", part, s)
		}
	}
}
