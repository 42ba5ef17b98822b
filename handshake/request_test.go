package handshake_test

import (
	"bufio"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/swan-ws/websocket/handshake"
)

func TestParseRequest_ReturnsWhatTheClientAsksFor(t *testing.T) {
	r := mustReadRequest(t, "GET /chat?room=1 HTTP/1.1\nHost: server.example.com:8080\n"+
		"upgrade: websocket\nCONNECTION: keep-alive, Upgrade\n"+
		"Sec-WebSocket-Key: "+sampleKey+"\nOrigin: http://example.com\n"+
		"Sec-WebSocket-Protocol: chat\nSec-WebSocket-Protocol: superchat\n"+
		"Sec-WebSocket-Extensions: foo; a\nSec-WebSocket-Extensions: bar; b=\"10\"\n"+
		"Sec-WebSocket-Version: 13\nUnknown: ignored\n\n")
	got, err := handshake.ParseRequest(r)
	want := handshake.Request{
		Key:          sampleKey,
		Origin:       "http://example.com",
		Subprotocols: []string{"chat", "superchat"},
		Extensions: []handshake.Extension{
			{Name: "foo", Params: []handshake.Param{{Name: "a"}}},
			{Name: "bar", Params: []handshake.Param{{Name: "b", Value: "10"}}},
		},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("ParseRequest: %v (-want +got):\n%s", err, diff)
	}
}

// R42
func TestParseRequest_Accepts_NoOrigin(t *testing.T) {
	got, status, err := judge(with("Origin"))
	if status != 101 || got.Origin != "" {
		t.Errorf("no Origin is answered with %d (%v), Origin %q", status, err, got.Origin)
	}
}

// R36
func TestParseRequest_Rejects_OtherMethods(t *testing.T) {
	for _, method := range []string{"POST", "PUT", "HEAD", "OPTIONS", "DELETE", "CONNECT", "get", "GETS"} {
		r := mustReadRequest(t, with("X"))
		r.Method = method
		_, err := handshake.ParseRequest(r)
		wantError(t, err, 405, "4.2.1", `method: found "`+method+`", want GET`)
		if diff := cmp.Diff(http.Header{"Allow": {"GET"}}, err.(*handshake.Error).Header); diff != "" {
			t.Errorf("%s (-want +got):\n%s", method, diff)
		}
	}
}

// §3: "Fragment identifiers ... MUST NOT be used on these URIs."
func TestParseRequest_Rejects_AFragment(t *testing.T) {
	for target, status := range map[string]int{"/chat#top": 400, "/#": 400, "/chat?q=a#b": 400, "/chat?q=a%23b": 101} {
		r := mustReadRequest(t, with("X"))
		r.RequestURI = target
		_, err := handshake.ParseRequest(r)
		if status == 101 && err != nil {
			t.Errorf("%s: %v", target, err)
		} else if status == 400 {
			wantError(t, err, 400, "3", `request target: found "`+target+`", want one without a fragment`)
		}
	}
}

// R36
func TestParseRequest_Judges_TheHTTPVersion(t *testing.T) {
	tests := []struct {
		name         string
		major, minor int
		status       int
		section      string
		text         string
	}{
		{"HTTP/0.9", 0, 9, 400, "4.2.1", "want HTTP/1.1"},
		{"HTTP/1.0", 1, 0, 400, "4.2.1", "HTTP/1.0 has no Upgrade: want HTTP/1.1"},
		{"HTTP/1.1", 1, 1, 101, "", ""},
		{"HTTP/1.2", 1, 2, 101, "", ""},
		{"HTTP/2", 2, 0, 505, "RFC 8441 §4", "HTTP/2 has no Upgrade"},
		{"HTTP/3", 3, 0, 505, "RFC 8441 §4", "HTTP/3 has no Upgrade"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := mustReadRequest(t, with("X"))
			r.ProtoMajor, r.ProtoMinor = tt.major, tt.minor
			_, err := handshake.ParseRequest(r)
			if tt.status != 101 {
				wantError(t, err, tt.status, tt.section, tt.text)
			} else if err != nil {
				t.Errorf("ParseRequest: %v", err)
			}
		})
	}
}

// R37
func TestParseRequest_Rejects_HostsThatAreNone(t *testing.T) {
	for _, host := range []string{
		"", " ", "[", "[]", "[::1", "::1", "[::1]x", "[::1]:x", "[fe80::1%25eth0]", "[::1%25.example.com]", "[1.2.3.4]", "[v1.a]",
		"a b", "a:0", "a:99999", "a:65536", "a:-1", "a:+1", "a:1_0", "a:000080", "a:80:80", ":80", "%zz", "a%20b", "\x7f", "a\x00", "b\u00fccher.example",
		"user@a", "a/b", "a?b", "a#b", "a\\b", ".a", "a..b", "..", ".", "a,b", "*", "256.1.1.1", "1.2.3", "0x7f000001", "0XAF", "1.2.3.4.", "0x",
		strings.Repeat("a", 64), strings.Repeat("a.", 127) + "a", strings.Repeat("a", 8<<10),
	} {
		r := mustReadRequest(t, with("X"))
		r.Host = host
		_, err := handshake.ParseRequest(r)
		wantError(t, err, 400, "4.2.1", "Host: found "+strconv.Quote(host[:min(len(host), 128)]))
	}
}

func TestParseRequest_Accepts_HostsOfEveryKind(t *testing.T) {
	for _, host := range []string{
		"a", "A.B", "a.b.", "localhost:1", "localhost:65535", "a:", "a:00080", "my_service", "xn--bcher-kva.example", "3f2a9b", "1a.2b", "0xg",
		"127.0.0.1", "127.0.0.1:80", "[::1]", "[::1]:8080", "[::ffff:1.2.3.4]", strings.Repeat("a", 63), strings.Repeat("a.", 126) + "a",
	} {
		r := mustReadRequest(t, with("Origin"))
		r.Host = host
		if _, err := handshake.ParseRequest(r); err != nil {
			t.Errorf("Host %q: %v", host, err)
		}
	}
}

// An absolute request-target that names another host would let a proxy and the
// server see two.
func TestParseRequest_Judges_TheAbsoluteTarget(t *testing.T) {
	const host = "server.example.com"
	tests := []struct {
		target  string
		section string // "" if it is accepted
	}{
		{"/chat", ""},
		{"http://server.example.com/chat", ""},
		{"http://SERVER.example.com:80/chat", ""},
		{"https://server.example.com:443", ""},
		{"http://server.example.com:443/", "RFC 9112 §3.2.2"},
		{"http://169.254.169.254/latest", "RFC 9112 §3.2.2"},
		{"http://server.example.com.evil.example/", "RFC 9112 §3.2.2"},
		{"http://a_b~c/", "RFC 9112 §3.2.2"},
		{"ws://server.example.com/", "4.2.1"},
		{"file://server.example.com/", "4.2.1"},
	}
	for _, tt := range tests {
		t.Run(tt.target, func(t *testing.T) {
			r := mustReadRequest(t, with("X"))
			u, err := url.ParseRequestURI(tt.target)
			if err != nil {
				t.Fatal(err)
			}
			r.URL, r.Host = u, host
			_, err = handshake.ParseRequest(r)
			if tt.section != "" {
				wantError(t, err, 400, tt.section, "request-target: found")
			} else if err != nil {
				t.Errorf("ParseRequest: %v", err)
			}
		})
	}
}

// R37: readers other than net/http may leave Host among the fields.
func TestParseRequest_Rejects_ASecondHost(t *testing.T) {
	for _, lines := range [][]string{{"server.example.com", "server.example.com"}, {"evil.example"}} {
		r := mustReadRequest(t, with("X"))
		r.Header["Host"] = lines
		_, err := handshake.ParseRequest(r)
		wantError(t, err, 400, "RFC 9112 §3.2", "Host: found")
	}
	r := mustReadRequest(t, with("X"))
	r.Header["Host"], r.URL = []string{r.Host}, nil
	if _, err := handshake.ParseRequest(r); err != nil {
		t.Errorf("the same Host again: %v", err)
	}
}

// unreadable fails the test when a body is read.
type unreadable struct{ t *testing.T }

func (u unreadable) Read([]byte) (int, error) {
	u.t.Error("the body is read")
	return 0, errors.New("read")
}
func (u unreadable) Close() error { u.t.Error("the body is closed"); return nil }

func TestParseRequest_Rejects_ABody_WithoutReadingIt(t *testing.T) {
	tests := []struct {
		name string
		text string
		ok   bool
	}{
		{"of no bytes", with("Content-Length", "0"), true},
		{"of many bytes", with("Content-Length", "10000000000"), false},
		{"in chunks", with("Transfer-Encoding", "chunked"), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := mustReadRequest(t, tt.text)
			r.Body = unreadable{t}
			_, err := handshake.ParseRequest(r)
			if !tt.ok {
				wantError(t, err, 400, "4.1", "found a body")
			} else if err != nil {
				t.Errorf("ParseRequest: %v", err)
			}
		})
	}
	t.Run("of unknown length", func(t *testing.T) {
		r := mustReadRequest(t, with("X"))
		r.ContentLength = -1
		_, err := handshake.ParseRequest(r)
		wantError(t, err, 400, "4.1", "found a body")
	})
	t.Run("left in the header", func(t *testing.T) {
		r := mustReadRequest(t, with("X"))
		r.Header["Transfer-Encoding"] = []string{"gzip"}
		_, err := handshake.ParseRequest(r)
		wantError(t, err, 400, "4.1", "found a body")
	})
}

// R45: every refusal of a version says which one is spoken.
func TestParseRequest_Answers_OtherVersions(t *testing.T) {
	upgrade := http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Version": {"13"}}
	only := http.Header{"Sec-Websocket-Version": {"13"}}
	tests := []struct {
		lines   []string
		status  int
		section string
		header  http.Header
	}{
		{nil, 400, "4.2.1", only},
		{[]string{"13", "13"}, 400, "4.2.1", only},
		{[]string{"13", "8"}, 400, "4.2.1", only},
	}
	for _, version := range []string{"", "0", "7", "8", "12", "14", "255", "256", "13, 8", "013", "13.0", "1 3", "-13", "0x0d", "x"} {
		tests = append(tests, struct {
			lines   []string
			status  int
			section string
			header  http.Header
		}{[]string{version}, 426, "4.4", upgrade})
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.lines, "|"), func(t *testing.T) {
			_, _, err := judge(with("Sec-WebSocket-Version", tt.lines...))
			wantError(t, err, tt.status, tt.section, "Sec-WebSocket-Version: ")
			if diff := cmp.Diff(tt.header, err.(*handshake.Error).Header); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
		})
	}
	if _, status, err := judge(with("Sec-WebSocket-Version", " 13")); status != 101 {
		t.Errorf(`" 13": %v`, err)
	}
}

// R60: a plain request is told what to ask for.
func TestParseRequest_Answers_APlainGet(t *testing.T) {
	_, status, err := judge("GET / HTTP/1.1\nHost: a\n\n")
	wantError(t, err, 426, "4.2.1", "Upgrade: missing, want websocket")
	want := http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}}
	if diff := cmp.Diff(want, err.(*handshake.Error).Header); status != 426 || diff != "" {
		t.Errorf("status %d, header (-want +got):\n%s", status, diff)
	}
}

// No byte value of any field may bring the judge down.
func TestParseRequest_Survives_AnyByte(t *testing.T) {
	for _, f := range valid {
		for c := range 256 {
			for _, value := range []string{string([]byte{byte(c)}), f.value + string([]byte{byte(c)}), string([]byte{byte(c)}) + f.value} {
				r := mustReadRequest(t, with("X"))
				if f.name == "Host" {
					r.Host = value
				} else {
					r.Header.Set(f.name, value)
				}
				if _, err := handshake.ParseRequest(r); err != nil {
					wantError(t, err, err.(*handshake.Error).Status, err.(*handshake.Error).Section, "")
				}
			}
		}
	}
}

func FuzzParseRequest(f *testing.F) {
	f.Add([]byte(strings.ReplaceAll(with("X"), "\n", "\r\n")))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(string(text))))
		if err != nil {
			return
		}
		req, err := handshake.ParseRequest(r)
		if err != nil {
			switch e := err.(*handshake.Error); e.Status {
			case 400, 405, 426, 505:
				wantError(t, err, e.Status, e.Section, "")
			default:
				t.Fatalf("status %d of %v", e.Status, err)
			}
			return
		}
		// What is accepted has, by a coarser look, all that §4.2.1 asks for.
		nonce, err := base64.StdEncoding.DecodeString(req.Key)
		joined := func(name string) string { return strings.ToLower(strings.Join(r.Header.Values(name), ",")) }
		switch {
		case err != nil || len(nonce) != 16:
			t.Fatalf("accepts the key %q", req.Key)
		case r.Method != "GET" || r.ProtoMajor != 1 || r.ProtoMinor < 1 || r.Host == "":
			t.Fatalf("accepts %s %s for %q", r.Method, r.Proto, r.Host)
		case !strings.Contains(joined("Upgrade"), "websocket") || !strings.Contains(joined("Connection"), "upgrade"):
			t.Fatalf("accepts Upgrade %q, Connection %q", joined("Upgrade"), joined("Connection"))
		case strings.Trim(joined("Sec-WebSocket-Version"), " \t") != "13":
			t.Fatalf("accepts the version %q", joined("Sec-WebSocket-Version"))
		case (len(req.Subprotocols) == 0) != (len(r.Header.Values("Sec-WebSocket-Protocol")) == 0):
			t.Fatalf("reads %q as %q", joined("Sec-WebSocket-Protocol"), req.Subprotocols)
		}
		out, err := handshake.AppendResponse(nil, handshake.Response{Key: req.Key, Extensions: req.Extensions})
		if err != nil {
			t.Fatalf("cannot answer: %v", err)
		}
		if resp := mustReadResponse(t, strings.ReplaceAll(string(out), "\r\n", "\n")); resp.StatusCode != 101 {
			t.Fatalf("answers %q", out)
		}
	})
}

func BenchmarkParseRequest(b *testing.B) {
	for name, text := range map[string]string{
		"plain":   "GET /chat HTTP/1.1\nHost: server.example.com\nUpgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Key: " + sampleKey + "\nSec-WebSocket-Version: 13\n\n",
		"browser": strings.Replace(with("Connection", "keep-alive, Upgrade"), "foo", "permessage-deflate; client_max_window_bits", 1),
	} {
		b.Run(name, func(b *testing.B) {
			r := mustReadRequest(b, text)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := handshake.ParseRequest(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
