package handshake_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/swan-ws/websocket/handshake"
)

// field is one line of a handshake.
type field struct{ name, value string }

// valid holds every field that has a rule of its own. The tests break one each.
var valid = []field{
	{"Host", "server.example.com"},
	{"Upgrade", "websocket"},
	{"Connection", "Upgrade"},
	{"Sec-WebSocket-Key", sampleKey},
	{"Sec-WebSocket-Version", "13"},
	{"Origin", "https://server.example.com"},
	{"Sec-WebSocket-Protocol", "chat"},
	{"Sec-WebSocket-Extensions", "foo"},
}

// with returns the text of the valid handshake, with these lines in the place
// of those of the same name. A nil list of values takes the field out.
func with(name string, values ...string) string {
	var b strings.Builder
	b.WriteString("GET /chat HTTP/1.1\n")
	write := func() {
		for _, value := range values {
			b.WriteString(name + ":" + value + "\n")
		}
	}
	known := false
	for _, f := range valid {
		if f.name == name {
			write()
			known = true
		} else {
			b.WriteString(f.name + ": " + f.value + "\n")
		}
	}
	if !known {
		write()
	}
	return b.String() + "\n"
}

// judge is what a server does with the text of a request: 101 or the status of
// its refusal, and whether the refusal is the HTTP reader's.
func judge(text string) (req handshake.Request, status int, err error) {
	r, err := readRequest(text)
	if err != nil {
		return req, http.StatusBadRequest, err
	}
	req, err = handshake.ParseRequest(r)
	if err == nil {
		err = handshake.CheckOrigin(r, nil)
	}
	if e := (*handshake.Error)(nil); errors.As(err, &e) {
		return req, e.Status, err
	}
	return req, http.StatusSwitchingProtocols, err
}

// R35, R38-R41, R53, R54, R56, R57: eight fields times nine mutations, and the
// status that the standard asks for, written down by hand.
func TestParseRequest_JudgesEveryMutation(t *testing.T) {
	const k = sampleKey
	type want struct {
		mutation string
		values   []string
		status   int
	}
	tests := map[string][]want{
		"Host": {
			{"missing", nil, 400},
			{"duplicated", []string{"server.example.com", "server.example.com"}, 400},
			{"empty", []string{""}, 400},
			{"wrong", []string{"["}, 400},
			{"other case", []string{"SERVER.Example.COM"}, 101},
			{"list", []string{"server.example.com, b.example"}, 400},
			{"surrounding OWS", []string{" \t server.example.com \t"}, 101},
			{"junk appended", []string{"server.example.com;x"}, 400},
			{"folded", []string{"\n server.example.com"}, 101},
		},
		"Upgrade": {
			{"missing", nil, 426},
			{"duplicated", []string{"websocket", "websocket"}, 101},
			{"empty", []string{""}, 426},
			{"wrong", []string{"h2c"}, 426},
			{"other case", []string{"WebSocket"}, 101},
			{"list", []string{"h2c, WebSocket"}, 101},
			{"surrounding OWS", []string{" \t websocket \t"}, 101},
			{"junk appended", []string{"websocket;x"}, 400},
			{"folded", []string{"h2c,\n websocket"}, 101},
			{"letter appended", []string{"websocket2"}, 426},
			{"version appended", []string{"websocket/13"}, 426},
			{"version without a name", []string{"/13, websocket"}, 400},
			{"empty version", []string{"websocket/"}, 400},
			{"letter of another alphabet", []string{"web\u017focket"}, 400},
			{"inside quotes", []string{`"a, websocket, b"`}, 400},
		},
		"Connection": {
			{"missing", nil, 400},
			{"duplicated", []string{"keep-alive", "Upgrade"}, 101},
			{"empty", []string{""}, 400},
			{"wrong", []string{"keep-alive"}, 400},
			{"other case", []string{"UPGRADE"}, 101},
			{"list", []string{"keep-alive, Upgrade"}, 101},
			{"surrounding OWS", []string{" \t Upgrade \t"}, 101},
			{"junk appended", []string{"Upgrade;x"}, 400},
			{"folded", []string{"keep-alive,\n Upgrade"}, 101},
			{"part of a word", []string{"no-upgrade, upgrades"}, 400},
			{"inside quotes", []string{`"a, upgrade, b"`}, 400},
		},
		"Sec-WebSocket-Key": {
			{"missing", nil, 400},
			{"duplicated", []string{k, k}, 400},
			{"empty", []string{""}, 400},
			{"wrong", []string{"AAAA"}, 400},
			{"other case", []string{strings.ToUpper(k)}, 101}, // another key
			{"list", []string{k + ", " + k}, 400},
			{"surrounding OWS", []string{" \t " + k + " \t"}, 101},
			{"junk appended", []string{k + "x"}, 400},
			{"folded", []string{"\n " + k}, 101},
		},
		"Sec-WebSocket-Version": {
			{"missing", nil, 400},
			{"duplicated", []string{"13", "13"}, 400},
			{"empty", []string{""}, 426},
			{"wrong", []string{"12"}, 426},
			{"other case", []string{"\uff11\uff13"}, 426}, // full-width digits
			{"list", []string{"13, 8"}, 426},
			{"surrounding OWS", []string{" \t 13 \t"}, 101},
			{"junk appended", []string{"13x"}, 426},
			{"folded", []string{"\n 13"}, 101},
		},
		"Origin": {
			{"missing", nil, 101},
			{"duplicated", []string{"https://server.example.com", "https://server.example.com"}, 400},
			{"empty", []string{""}, 400},
			{"wrong", []string{"https://evil.example"}, 403},
			{"other case", []string{"HTTPS://Server.Example.COM"}, 101},
			{"list", []string{"https://server.example.com, https://evil.example"}, 403},
			{"surrounding OWS", []string{" \t https://server.example.com \t"}, 101},
			{"junk appended", []string{"https://server.example.com/x"}, 403},
			{"folded", []string{"\n https://server.example.com"}, 101},
		},
		"Sec-WebSocket-Protocol": {
			{"missing", nil, 101},
			{"duplicated", []string{"chat", "chat"}, 400},
			{"empty", []string{""}, 400},
			{"wrong", []string{"a b"}, 400},
			{"other case", []string{"CHAT"}, 101},
			{"list", []string{"chat, superchat"}, 101},
			{"surrounding OWS", []string{" \t chat \t"}, 101},
			{"junk appended", []string{"chat;x"}, 400},
			{"folded", []string{"chat,\n superchat"}, 101},
		},
		"Sec-WebSocket-Extensions": {
			{"missing", nil, 101},
			{"duplicated", []string{"foo", "foo"}, 101},
			{"empty", []string{""}, 400},
			{"wrong", []string{"="}, 400},
			{"other case", []string{"FOO"}, 101},
			{"list", []string{"foo, bar"}, 101},
			{"surrounding OWS", []string{" \t foo \t"}, 101},
			{"junk appended", []string{"foo;"}, 400},
			{"folded", []string{"foo,\n bar"}, 101},
		},
	}
	if len(tests) != len(valid) {
		t.Errorf("%d fields, want %d", len(tests), len(valid))
	}
	for name, rows := range tests {
		for _, tt := range rows {
			t.Run(name+"/"+tt.mutation, func(t *testing.T) {
				_, status, err := judge(with(name, tt.values...))
				if status != tt.status {
					t.Errorf("%q is answered with %d (%v), want %d", tt.values, status, err, tt.status)
				}
				var e *handshake.Error
				if errors.As(err, &e) && !strings.HasPrefix(e.Reason, name) {
					t.Errorf("%q is refused with %v, want a reason that names %s", tt.values, err, name)
				}
			})
		}
	}
}
