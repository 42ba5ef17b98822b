package autobahn

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	nonce  = "dGhlIHNhbXBsZSBub25jZQ=="
	answer = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" // of RFC 6455 §1.3
)

func TestRequest_Has_WhatIsAskedFor(t *testing.T) {
	u, _ := url.Parse("ws://swan.example:9000/echo?x=1")
	o := Options{Host: "other.example", Origin: "http://page.example", Protocols: []string{"a", "b"}, Header: http.Header{"Authorization": {"Basic x"}}}
	c := parse(t, strings.Replace(good, "  close", "  deflate permessage-deflate\n  deflate accept any\n  close", 1))
	want := "GET /echo?x=1 HTTP/1.1\r\nUser-Agent: swan-autobahn\r\nHost: other.example\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n" +
		"Pragma: no-cache\r\nCache-Control: no-cache\r\nSec-WebSocket-Key: " + nonce + "\r\nOrigin: http://page.example\r\n" +
		"Sec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Version: 13\r\nAuthorization: Basic x\r\n\r\n"
	if diff := cmp.Diff(want, string(o.request(&c, u, nonce))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRequest_Is_ChangedByACase(t *testing.T) {
	u, _ := url.Parse("ws://swan.example:9000/echo")
	c := parse(t, `case 99.1
  does    x
  wants   x
  for server
  request "GET {path}?{key} HTTP/1.0"
  header - Pragma
  header - Cache-Control
  header = Upgrade: h2c
  header = X-New: {host}
  header + Sec-WebSocket-Key: second
  header pad 3 times 2
  < refused any
`)
	want := "GET /echo?" + nonce + " HTTP/1.0\r\nUser-Agent: swan-autobahn\r\nHost: swan.example:9000\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Key: " + nonce + "\r\nSec-WebSocket-Version: 13\r\nX-New: swan.example:9000\r\nSec-WebSocket-Key: second\r\nX-Pad-1: aaa\r\nX-Pad-2: aaa\r\n\r\n"
	if diff := cmp.Diff(want, string(new(Options).request(&c, u, nonce))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	c = parse(t, "case 99.1\ndoes x\nwants x\nfor server\nraw \"{path} {host} {key}\"\n< refused any\n")
	if got := string(new(Options).request(&c, u, nonce)); got != "/echo swan.example:9000 "+nonce {
		t.Errorf("%q", got)
	}
}

func TestCheckResponse(t *testing.T) {
	ask := "GET / HTTP/1.1\r\nSec-WebSocket-Key: " + nonce + "\r\nSec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Extensions: {offer}\r\n\r\n"
	well := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WEBSOCKET\r\nConnection: keep-alive, upgrade\r\nSec-WebSocket-Accept: " + answer + "\r\n"
	tests := []struct {
		name       string
		offer      string // "": permessage-deflate
		response   string
		everything bool
		kind       openingKind
		fault      string
	}{
		{"right", "", well, true, openingDone, ""},
		{"protocol", "", well + "Sec-WebSocket-Protocol: b\r\n", true, openingDone, ""},
		{"extension", "", well + "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n", true, openingDone, ""},
		{"refused", "", "HTTP/1.1 404 Not Found\r\n", true, openingRefused, "404 Not Found"},
		{"no HTTP", "", "swan\r\n", true, openingBroken, "not one of HTTP"},
		{"no status", "", "HTTP/1.1 10x y\r\n", true, openingBroken, "not one of HTTP"},
		{"HTTP/1.0", "", strings.Replace(well, "1.1", "1.0", 1), true, openingBroken, "instead of HTTP/1.1"},
		{"header without a colon", "", well + "swan\r\n", true, openingBroken, "no name and colon"},
		{"header with a zero", "", well + "a: b\x00\r\n", true, openingBroken, "an octet that must not be there"},
		{"no upgrade", "", strings.Replace(well, "Upgrade:", "X:", 1), true, openingBroken, "there is no header Upgrade"},
		{"two upgrades", "", well + "Upgrade: websocket\r\n", true, openingBroken, "Upgrade is there 2 times"},
		{"other upgrade", "", strings.Replace(well, "WEBSOCKET", "h2c", 1), true, openingBroken, `Upgrade is "h2c"`},
		{"no connection", "", strings.Replace(well, ", upgrade", "", 1), true, openingBroken, "Connection does not say Upgrade"},
		{"no accept", "", strings.Replace(well, "-Accept", "-X", 1), true, openingBroken, "there is no header Sec-WebSocket-Accept"},
		{"wrong accept", "", strings.Replace(well, "s3p", "S3p", 1), true, openingBroken, "instead of"},
		{"body", "", well + "Content-Length: 5\r\n", true, openingBroken, "has no body"},
		{"body, elsewhere", "", well + "Content-Length: 5\r\n", false, openingDone, ""},
		{"other protocol", "", well + "Sec-WebSocket-Protocol: c\r\n", true, openingBroken, "not asked for"},
		{"two protocols", "", well + "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n", true, openingBroken, "not asked for"},
		{"two extension lines", "", well + "Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Extensions: permessage-deflate\r\n", true, openingBroken, "there twice"},
		{"extension twice", "", well + "Sec-WebSocket-Extensions: permessage-deflate, permessage-deflate\r\n", true, openingBroken, "there twice"},
		{"other extension", "", well + "Sec-WebSocket-Extensions: swan\r\n", true, openingBroken, "not offered"},
		{"no extension", "", well + "Sec-WebSocket-Extensions: a b\r\n", true, openingBroken, "§9.1"},
		{"extension with a value", "", well + "Sec-WebSocket-Extensions: a=b\r\n", true, openingBroken, "gives an extension a value"},
		{"unknown parameter", "", well + "Sec-WebSocket-Extensions: permessage-deflate; a\r\n", true, openingBroken, "unknown parameter"},
		{"parameter twice", "", well + "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; server_no_context_takeover\r\n", true, openingBroken, "twice"},
		{"bad bits", "", well + "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=16\r\n", true, openingBroken, `value "16"`},
		{"open bits", "", well + "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n", true, openingBroken, `value ""`},
		{"value of a flag", "", well + "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover=1\r\n", true, openingBroken, `value "1"`},
		{"bits not offered", "", well + "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=9\r\n", true, openingBroken, "not offered"},
		{"bits not offered, elsewhere", "", well + "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=9\r\n", false, openingDone, ""},
		{"more bits", "permessage-deflate; client_max_window_bits=9", well + "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=10\r\n", true, openingBroken, "more than was offered"},
		{"more bits of the server", "permessage-deflate; server_max_window_bits=9", well + "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10\r\n", true, openingBroken, "is not granted"},
		{"takeover", "permessage-deflate; server_no_context_takeover", well + "Sec-WebSocket-Extensions: permessage-deflate\r\n", true, openingBroken, "is not granted"},
		{"second offer", "permessage-deflate; server_no_context_takeover, x, permessage-deflate; a, permessage-deflate; client_max_window_bits",
			well + "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=\"10\"\r\n", true, openingDone, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			offer := tt.offer
			if offer == "" {
				offer = "permessage-deflate"
			}
			request, err := parseHead([]byte(strings.Replace(ask, "{offer}", offer, 1)))
			if err != nil {
				t.Fatal(err)
			}
			out, agreed := checkResponse(request, "", []byte(tt.response+"\r\n"), tt.everything)
			if out.kind != tt.kind || tt.fault == "" && out.fault != "" || !strings.Contains(out.fault, tt.fault) {
				t.Errorf("%+v, want %d, %q", out, tt.kind, tt.fault)
			}
			if tt.kind == openingDone && strings.Contains(tt.response, "Extensions") != (agreed.deflate != nil) {
				t.Errorf("agreed: %v", agreed.deflate)
			}
		})
	}
}

func TestCheckRequest(t *testing.T) {
	well := "GET /x HTTP/1.1\r\nHost: swan.example:9000\r\nUpgrade: h2c, WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " + nonce + "\r\nSec-WebSocket-Version: 13\r\n"
	tests := []struct{ name, from, to, host, port, fault string }{
		{name: "right", port: "9000"},
		{name: "through a proxy", port: "1234"},
		{name: "host", host: "SWAN.example:9000"},
		{name: "other host", host: "other.example", fault: `instead of "other.example"`},
		{name: "no port", from: ":9000", to: "", port: "9000", fault: "the port is 9000"},
		{name: "usual port", from: ":9000", to: "", port: "80"},
		{name: "IPv6", from: "swan.example:9000", to: "[::1]:9000", port: "9000"},
		{name: "IPv6 without a port", from: "swan.example:9000", to: "[::1]", port: "9000", fault: "the port is 9000"},
		{name: "POST", from: "GET", to: "POST", fault: "instead of GET"},
		{name: "HTTP/1.0", from: "1.1", to: "1.0", fault: "instead of GET"},
		{name: "URL", from: " /x", to: " ws://x/", fault: "instead of GET"},
		{name: "no host", from: "Host", to: "X", fault: "there is no header Host"},
		{name: "no upgrade", from: "WebSocket", to: "x", fault: "Upgrade does not"},
		{name: "no connection", from: "Connection: Upgrade", to: "Connection: close", fault: "Connection does not"},
		{name: "no key", from: "Sec-WebSocket-Key", to: "X", fault: "there is no header Sec-WebSocket-Key"},
		{name: "short key", from: nonce, to: "c3dhbg==", fault: "16 octets"},
		{name: "no version", from: "Sec-WebSocket-Version", to: "X", fault: "there is no header Sec-WebSocket-Version"},
		{name: "version", from: ": 13", to: ": 12", fault: `"12" instead of 13`},
		{name: "version 8", from: ": 13", to: ": 8"},
		{name: "two extension lines", from: "Host", to: "Sec-WebSocket-Extensions: a\r\nSec-WebSocket-Extensions: b\r\nHost", fault: "there twice"},
		{name: "bad extensions", from: "Host", to: "Sec-WebSocket-Extensions: a b\r\nHost", fault: "§9.1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, err := parseHead([]byte(strings.Replace(well, tt.from, tt.to, 1) + "\r\n"))
			if err != nil {
				t.Fatal(err)
			}
			err = checkRequest(h, tt.host, tt.port)
			if (err == nil) != (tt.fault == "") || err != nil && !strings.Contains(err.Error(), tt.fault) {
				t.Errorf("%v, want %q", err, tt.fault)
			}
		})
	}
}

// The rules of section 13 of the original, and ours.
func TestResponse_Accepts_Offers(t *testing.T) {
	tests := []struct{ name, accept, offers, want string }{
		{"any", "any", "permessage-deflate", "permessage-deflate"},
		{"not mirrored", "any", "permessage-deflate; client_no_context_takeover; client_max_window_bits=10", "permessage-deflate"},
		{"of the server", "any", "permessage-deflate; server_max_window_bits=10; server_no_context_takeover", "permessage-deflate; server_no_context_takeover; server_max_window_bits=10"},
		{"flag", "client_no_context_takeover", "permessage-deflate", "permessage-deflate; client_no_context_takeover"},
		{"bits", "client_max_window_bits=9", "permessage-deflate, permessage-deflate; client_max_window_bits; server_no_context_takeover",
			"permessage-deflate; server_no_context_takeover; client_max_window_bits=9"},
		{"bits not offered", "client_max_window_bits=9", "permessage-deflate", ""},
		{"by turns", "client_max_window_bits=9\ndeflate accept any", "permessage-deflate", "permessage-deflate"},
		{"all", "server_no_context_takeover; server_max_window_bits=11; client_no_context_takeover; client_max_window_bits=12", "permessage-deflate; client_max_window_bits",
			"permessage-deflate; server_no_context_takeover; server_max_window_bits=11; client_no_context_takeover; client_max_window_bits=12"},
		{"others", "any", "x, y; z=\"a,b;\\\"c\", permessage-deflate", ""},
		{"none", "any", "x", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := parse(t, strings.Replace(good, "  close", "  for client\n  deflate accept "+tt.accept+"\n  close", 1))
			request, _ := parseHead([]byte("GET / HTTP/1.1\r\nSec-WebSocket-Extensions: " + tt.offers + "\r\nSec-WebSocket-Protocol: x, b\r\n\r\n"))
			b, agreed, err := (&Options{Protocols: []string{"a", "b"}}).response(&c, request)
			if tt.name == "others" {
				if err == nil { // a quoted value must be a token
					t.Error("no error")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			h, _ := parseHead(b)
			if got := h.get("Sec-WebSocket-Extensions"); got != tt.want || h.get("Sec-WebSocket-Protocol") != "b" {
				t.Errorf("%q, want %q", got, tt.want)
			}
			if agreed.deflate != nil && agreed.deflate.String() != tt.want || agreed.deflate == nil && tt.want != "" {
				t.Errorf("agreed on %v", agreed.deflate)
			}
		})
	}
}

func TestResponse_Refuses_BadOffers(t *testing.T) {
	c := parse(t, strings.Replace(good, "  close", "  for client\n  deflate accept any\n  close", 1))
	for _, offer := range []string{"permessage-deflate; swan", "permessage-deflate; server_max_window_bits", "a b", "permessage-deflate; server_max_window_bits=08"} {
		request, _ := parseHead([]byte("GET / HTTP/1.1\r\nSec-WebSocket-Extensions: " + offer + "\r\n\r\n"))
		if _, _, err := new(Options).response(&c, request); err == nil {
			t.Errorf("%s: no error", offer)
		}
	}
}

func TestUnquote(t *testing.T) {
	for s, want := range map[string]string{`a`: `a`, `"a"`: `a`, `"a\"b\\"`: `a"b\`, `"`: `"`, `""`: ``, `"1\0"`: `10`} {
		if got := unquote(s); got != want {
			t.Errorf("%s: %q, want %q", s, got, want)
		}
	}
}
