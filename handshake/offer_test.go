package handshake_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/swan-ws/websocket/handshake"
)

func target(t testing.TB, raw string) handshake.Target {
	t.Helper()
	target, err := handshake.ParseURL(raw)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// R15-R21, R23: byte for byte.
func TestAppendRequest_Writes_ExactBytes(t *testing.T) {
	const middle = "Upgrade: websocket\r\n" +
		"Connection: Upgrade\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
		"Sec-WebSocket-Version: 13\r\n"
	tests := []struct {
		name, url  string
		offer      handshake.Offer
		start, end string
	}{
		{"plain", "ws://server.example.com/chat", handshake.Offer{}, "GET /chat HTTP/1.1\r\nHost: server.example.com\r\n", ""},
		{"IPv6 and a port", "wss://[::1]:8443?a=b", handshake.Offer{}, "GET /?a=b HTTP/1.1\r\nHost: [::1]:8443\r\n", ""},
		{"with all", "ws://h", handshake.Offer{
			Subprotocols: []string{"chat", "superchat"},
			Extensions: []handshake.Extension{
				{Name: "foo", Params: []handshake.Param{{Name: "a", Value: "1"}}},
				{Name: "foo"},
			},
			Header: http.Header{"X-B": {"2", "1"}, "Origin": {"http://example.com"}, "Authorization": {"Basic YTpi"}, "Cookie": {"a=b"}},
		}, "GET / HTTP/1.1\r\nHost: h\r\n", "Sec-WebSocket-Protocol: chat, superchat\r\n" +
			"Sec-WebSocket-Extensions: foo; a=1, foo\r\n" +
			"Authorization: Basic YTpi\r\nCookie: a=b\r\nOrigin: http://example.com\r\nX-B: 2\r\nX-B: 1\r\n"},
		{"with another Host", "ws://10.0.0.1:8080/", handshake.Offer{Header: http.Header{"Host": {"example.com"}}}, "GET / HTTP/1.1\r\nHost: example.com\r\n", ""},
		{"with another Host in small letters", "ws://h/", handshake.Offer{Header: http.Header{"host": {"[::1]:1"}}}, "GET / HTTP/1.1\r\nHost: [::1]:1\r\n", ""},
		{"with an empty list of Hosts", "ws://h/", handshake.Offer{Header: http.Header{"Host": nil}}, "GET / HTTP/1.1\r\nHost: h\r\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.offer.Target, tt.offer.Key = target(t, tt.url), sampleKey
			got, err := handshake.AppendRequest([]byte("before"), tt.offer)
			if diff := cmp.Diff("before"+tt.start+middle+tt.end+"\r\n", string(got)); err != nil || diff != "" {
				t.Fatalf("AppendRequest: %v (-want +got):\n%s", err, diff)
			}
			r := mustReadRequest(t, strings.ReplaceAll(strings.TrimPrefix(string(got), "before"), "\r\n", "\n"))
			if _, err := handshake.ParseRequest(r); err != nil {
				t.Errorf("a server refuses it: %v", err)
			}
		})
	}
}

// R59: what HTTP has for authentication arrives.
func TestAppendRequest_Carries_Credentials(t *testing.T) {
	header := http.Header{"Authorization": {"Bearer a.b.c"}, "Cookie": {"session=1"}, "Proxy-Authorization": {"Basic YTpi"}}
	out, err := handshake.AppendRequest(nil, handshake.Offer{Target: target(t, "ws://h"), Key: sampleKey, Header: header})
	if err != nil {
		t.Fatal(err)
	}
	r := mustReadRequest(t, strings.ReplaceAll(string(out), "\r\n", "\n"))
	for name, want := range header {
		if diff := cmp.Diff(want, r.Header[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// R24, and nothing that a caller hands in breaks a line.
func TestAppendRequest_Refuses_WhatBreaksIt(t *testing.T) {
	good := target(t, "ws://h")
	header := func(name string, values ...string) handshake.Offer {
		return handshake.Offer{Target: good, Key: sampleKey, Header: http.Header{name: values}}
	}
	at := func(host, uri string) handshake.Offer {
		return handshake.Offer{Target: handshake.Target{Host: host, RequestURI: uri}, Key: sampleKey}
	}
	subprotocols := func(names ...string) handshake.Offer {
		return handshake.Offer{Target: good, Key: sampleKey, Subprotocols: names}
	}
	tests := []struct {
		name    string
		offer   handshake.Offer
		section string
		text    string
	}{
		{"nothing", handshake.Offer{}, "4.1", "Target: resource name"},
		{"no slash", at("h", "a"), "4.1", "Target: resource name"},
		{"line break in the resource", at("h", "/a\r\nX: 1"), "4.1", "Target: resource name"},
		{"space in the resource", at("h", "/a HTTP/1.1"), "4.1", "Target: resource name"},
		{"broken escape", at("h", "/%"), "4.1", "Target: resource name"},
		{"no host", at("", "/"), "4.1", "Host: found"},
		{"line break in the host", at("h\r\nX: 1", "/"), "4.1", "Host: found"},
		{"no key", handshake.Offer{Target: good}, "4.1", "Key: found"},
		{"line break in the key", handshake.Offer{Target: good, Key: "AAAAAAAAAAAAAAAAAAAAAA\r\n"}, "4.1", "Key: found"},
		{"empty subprotocol", subprotocols(""), "4.1", "Subprotocols: "},
		{"subprotocol with a space", subprotocols("a b"), "4.1", "Subprotocols: "},
		{"subprotocol with a comma", subprotocols("a,b"), "4.1", "Subprotocols: "},
		{"subprotocol beyond ASCII", subprotocols("\u00e4"), "4.1", "Subprotocols: "},
		{"subprotocol with a line break", subprotocols("a\r\nX: 1"), "4.1", "Subprotocols: "},
		{"subprotocol twice", subprotocols("a", "b", "a"), "4.1", "listed twice"},
		{"extension", handshake.Offer{Target: good, Key: sampleKey, Extensions: []handshake.Extension{{Name: "a;b"}}}, "9.1", "Extensions: name"},
		{"two Hosts", header("Host", "a", "b"), "4.1", "Host has 2 values"},
		{"two Origins", header("origin", "http://a", "http://b"), "4.1", "origin has 2 values"},
		{"Host that is none", header("Host", "a b"), "4.1", "Host: found"},
		{"empty Host", header("Host", ""), "4.1", "Host: found"},
		{"line break in Host", header("Host", "a\r\nX: 1"), "4.1", "Host: found"},
		{"line break in Origin", header("Origin", "http://a\r\nX: 1"), "4.1", "control character"},
		{"line break in a value", header("X", "a\r\nY: 1"), "4.1", "control character"},
		{"NUL in a value", header("X", "a\x00"), "4.1", "control character"},
		{"line break in a name", header("X: 1\r\nY", "a"), "4.1", "not a token"},
		{"Upgrade", header("Upgrade", "h2c"), "4.1", "the handshake writes it"},
		{"Connection", header("Connection", "close"), "4.1", "the handshake writes it"},
		{"Key", header("Sec-WebSocket-Key", sampleKey), "4.1", "set Key instead"},
		{"Version", header("Sec-WebSocket-Version", "8"), "4.1", "the handshake writes it"},
		{"Protocol", header("Sec-WebSocket-Protocol", "chat"), "4.1", "Subprotocols instead"},
		{"Extensions", header("Sec-WebSocket-Extensions", "foo"), "4.1", "set Extensions instead"},
		{"Content-Length", header("Content-Length", "1"), "4.1", "has no body"},
		{"Transfer-Encoding", header("transfer-encoding", "chunked"), "4.1", "has no body"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := handshake.AppendRequest([]byte("before"), tt.offer)
			wantError(t, err, 0, tt.section, tt.text)
			if string(got) != "before" {
				t.Errorf("AppendRequest = %q, want what was there before", got)
			}
		})
	}
}
