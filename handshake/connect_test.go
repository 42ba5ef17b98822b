package handshake_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/swan-ws/websocket/handshake"
)

// connect is the request of RFC 8441 §5.1, as net/http reads it, with changes.
func connect(changes ...func(r *http.Request)) *http.Request {
	r := &http.Request{
		Method: "CONNECT", Proto: "HTTP/2.0", ProtoMajor: 2,
		URL: &url.URL{Path: "/chat"}, RequestURI: "/chat", Host: "server.example.com",
		Header: http.Header{
			":protocol":                {"websocket"},
			"Sec-Websocket-Protocol":   {"chat, superchat"},
			"Sec-Websocket-Extensions": {"permessage-deflate"},
			"Sec-Websocket-Version":    {"13"},
			"Origin":                   {"http://www.example.com"},
		},
		ContentLength: -1,
	}
	for _, change := range changes {
		change(r)
	}
	return r
}

func but(name string, values ...string) func(r *http.Request) {
	return func(r *http.Request) {
		if r.Header[name] = values; values == nil {
			delete(r.Header, name)
		}
	}
}

// RFC 8441 §5: no Key.
func TestParseRequest_OverHTTP2_ReturnsWhatTheClientAsksFor(t *testing.T) {
	want := handshake.Request{
		Origin:       "http://www.example.com",
		Subprotocols: []string{"chat", "superchat"},
		Extensions:   []handshake.Extension{{Name: "permessage-deflate"}},
	}
	for name, r := range map[string]*http.Request{
		"as in the RFC":         connect(),
		"with a Key for nobody": connect(but("Sec-Websocket-Key", "?")),
	} {
		got, err := handshake.ParseRequest(r)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

func TestParseRequest_OverHTTP2_RejectsWhatIsNone(t *testing.T) {
	target := func(s string) func(r *http.Request) { return func(r *http.Request) { r.RequestURI = s } }
	for _, tt := range []struct {
		name    string
		change  func(r *http.Request)
		status  int
		section string
		text    string
	}{
		{"a tunnel", but(":protocol"), 405, "RFC 8441 §4", "CONNECT asks for a tunnel"},
		{"another protocol", but(":protocol", "connect-udp"), 501, "RFC 8441 §5", `:protocol: found "connect-udp", want websocket`},
		{"large letters", but(":protocol", "WebSocket"), 501, "RFC 8441 §5", `:protocol: found "WebSocket"`},
		{"two protocols", but(":protocol", "websocket", "websocket"), 501, "RFC 8441 §5", ":protocol: found 2 lines"},
		{"a URL for a path", target("http://server.example.com/"), 400, "RFC 8441 §5", ":path: found"},
		{"no path", target("*"), 400, "RFC 8441 §5", `:path: found "*"`},
		{"a fragment", target("/#a"), 400, "RFC 8441 §5", `:path: found "/#a"`},
		{"a length", but("Content-Length", "0"), 400, "RFC 8441 §5", "found a body"},
		{"the end of the stream", func(r *http.Request) { r.ContentLength = 0 }, 400, "RFC 8441 §5", "the end of the stream"},
		{"no authority", func(r *http.Request) { r.Host = "" }, 400, "4.2.1", "Host"},
		{"another Host", but("Host", "elsewhere.example"), 400, "RFC 9112 §3.2", "Host"},
		{"no version", but("Sec-Websocket-Version"), 400, "4.4", "Sec-WebSocket-Version: missing, want 13"},
		{"another version", but("Sec-Websocket-Version", "8"), 400, "4.4", `Sec-WebSocket-Version: found "8", want 13`},
		{"bad subprotocols", but("Sec-Websocket-Protocol", "a b"), 400, "4.2.1", "Sec-WebSocket-Protocol"},
		{"bad extensions", but("Sec-Websocket-Extensions", ";"), 400, "9.1", "Sec-WebSocket-Extensions"},
		{"two origins", but("Origin", "a", "b"), 400, "4.2.1", "Origin"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := handshake.ParseRequest(connect(tt.change))
			wantError(t, err, tt.status, tt.section, tt.text)
			e := err.(*handshake.Error)
			if e.Section == "4.4" != (e.Header.Get("Sec-WebSocket-Version") == "13") || e.Header["Upgrade"] != nil || e.Header["Connection"] != nil {
				t.Errorf("header %v", e.Header)
			}
		})
	}
}

func TestParseRequest_OverHTTP3_IsNotThereYet(t *testing.T) {
	_, err := handshake.ParseRequest(connect(func(r *http.Request) { r.ProtoMajor = 3 }))
	wantError(t, err, 505, "RFC 8441 §4", "HTTP/3")
}

func TestResponseHeader_HoldsWhatIsAgreedOn(t *testing.T) {
	own := http.Header{"Set-Cookie": {"a=b"}}
	got, err := handshake.ResponseHeader(handshake.Response{
		Subprotocol: "chat",
		Extensions:  []handshake.Extension{{Name: "foo", Params: []handshake.Param{{Name: "a", Value: "1"}}}, {Name: "bar"}},
		Header:      own,
	})
	want := http.Header{"Set-Cookie": {"a=b"}, "Sec-Websocket-Protocol": {"chat"}, "Sec-Websocket-Extensions": {"foo; a=1, bar"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" || len(own) != 1 {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if got, err := handshake.ResponseHeader(handshake.Response{}); err != nil || got == nil || len(got) > 0 {
		t.Errorf("nothing agreed on: %v, %v", got, err)
	}
}

func TestResponseHeader_Rejects_WhatCannotBeSent(t *testing.T) {
	for name, resp := range map[string]handshake.Response{
		"Subprotocol: found":                {Subprotocol: "a b"},
		"Extensions":                        {Extensions: []handshake.Extension{{Name: "a b"}}},
		"Header: Connection is not":         {Header: http.Header{"Connection": {"close"}}},
		"Header: value \"a\\r\\nb\" of Foo": {Header: http.Header{"Foo": {"a\r\nb"}}},
	} {
		_, err := handshake.ResponseHeader(resp)
		if e, ok := err.(*handshake.Error); !ok || e.Status != 500 || !strings.Contains(e.Reason, name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// RFC 8441 §5: "https" for "wss", "http" for "ws"; the rest of the URI is the same.
func TestNewConnect_IsWhatAServerTakes(t *testing.T) {
	for raw, want := range map[string]string{
		"ws://server.example.com":              "http://server.example.com/",
		"wss://server.example.com/chat?a=b%20": "https://server.example.com/chat?a=b%20",
		"wss://[::1]:8443/a%2Fb/%C3%BC?":       "https://[::1]:8443/a%2Fb/%C3%BC",
		"ws://h:1//double":                     "http://h:1//double",
	} {
		o := handshake.Offer{
			Target:       target(t, raw),
			Subprotocols: []string{"chat", "superchat"},
			Extensions:   []handshake.Extension{{Name: "foo"}, {Name: "bar"}},
			Header:       http.Header{"Cookie": {"a=b"}},
		}
		r, err := handshake.NewConnect(o)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.URL.String(); got != want || r.URL.RequestURI() != o.Target.RequestURI || r.Host != o.Target.Host {
			t.Errorf("%s: %s of %s, %s; want %s", raw, got, r.Host, r.URL.RequestURI(), want)
		}
		wantHeader := http.Header{
			":protocol": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Protocol": {"chat, superchat"},
			"Sec-Websocket-Extensions": {"foo, bar"}, "Cookie": {"a=b"},
		}
		if diff := cmp.Diff(wantHeader, r.Header); diff != "" || r.Method != "CONNECT" {
			t.Errorf("%s (-want +got):\n%s", r.Method, diff)
		}
		r.RequestURI = r.URL.RequestURI()
		r.URL.Host = "" // as a server reads it
		if _, err := handshake.ParseRequest(r); err != nil {
			t.Errorf("%s: a server refuses it: %v", raw, err)
		}
	}
}

func TestNewConnect_TakesAHostOfTheCallers(t *testing.T) {
	r, err := handshake.NewConnect(handshake.Offer{Target: target(t, "ws://10.0.0.1:8080"), Header: http.Header{"host": {"example.com"}}})
	if err != nil || r.Host != "example.com" || r.URL.Host != "10.0.0.1:8080" || len(r.Header) != 2 {
		t.Errorf("%v, %v", r, err)
	}
}

func TestNewConnect_Rejects_WhatCannotBeSent(t *testing.T) {
	good := target(t, "ws://h")
	for text, o := range map[string]handshake.Offer{
		"Key: found":                {Target: good, Key: sampleKey},
		"Target: resource name":     {},
		"Header: Upgrade is not":    {Target: good, Header: http.Header{"Upgrade": {"websocket"}}},
		"Header: Connection is not": {Target: good, Header: http.Header{"Connection": {"Upgrade"}}},
		"Subprotocols":              {Target: good, Subprotocols: []string{"a", "a"}},
	} {
		_, err := handshake.NewConnect(o)
		if e, ok := err.(*handshake.Error); !ok || e.Status != 0 || !strings.Contains(e.Reason, text) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestCheckResponse_OverHTTP2(t *testing.T) {
	o := handshake.Offer{Target: target(t, "ws://h"), Subprotocols: []string{"chat"}, Extensions: []handshake.Extension{{Name: "foo"}}}
	for _, tt := range []struct {
		name          string
		major, status int
		header        http.Header
		text          string
	}{
		{"nothing agreed on", 2, 200, nil, ""},
		{"all", 2, 200, http.Header{"Sec-Websocket-Protocol": {"chat"}, "Sec-Websocket-Extensions": {"foo; a"}}, ""},
		{"another success", 2, 204, nil, ""},
		{"an Accept for nobody", 2, 200, http.Header{"Sec-Websocket-Accept": {"?"}}, ""},
		{"101, which HTTP/2 has not", 2, 101, nil, "status: found 101 Switching Protocols, want 200 OK"},
		{"a redirect", 2, 307, nil, "status: found 307"},
		{"HTTP/1.1", 1, 200, nil, "found HTTP/1.1, want HTTP/2"},
		{"a subprotocol of its own", 2, 200, http.Header{"Sec-Websocket-Protocol": {"goose"}}, "Sec-WebSocket-Protocol"},
		{"an extension of its own", 2, 200, http.Header{"Sec-Websocket-Extensions": {"bar"}}, "Sec-WebSocket-Extensions"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp := &http.Response{ProtoMajor: tt.major, ProtoMinor: tt.major % 2, StatusCode: tt.status, Header: tt.header}
			a, err := handshake.CheckResponse(resp, o)
			switch {
			case tt.text == "" && err != nil:
				t.Error(err)
			case tt.text != "" && (err == nil || !strings.Contains(err.Error(), tt.text)):
				t.Errorf("%v, want ...%s...", err, tt.text)
			case tt.name == "all" && (a.Subprotocol != "chat" || len(a.Extensions) != 1):
				t.Errorf("%+v", a)
			}
		})
	}
}

// Over HTTP/1.1 nobody gets around the Accept by calling it HTTP/2.
func TestCheckResponse_OverHTTP1_WantsTheAccept(t *testing.T) {
	o := handshake.Offer{Target: target(t, "ws://h"), Key: sampleKey}
	_, err := handshake.CheckResponse(&http.Response{ProtoMajor: 2, StatusCode: 200}, o)
	wantError(t, err, 0, "4.1", "status: found 200 OK, want 101")
}
