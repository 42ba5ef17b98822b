package handshake_test

import (
	"crypto/tls"
	"net/http"
	"testing"

	"github.com/swan-ws/websocket/handshake"
)

// from is a request to host that a page of origin makes.
func from(origin, host string, secure bool) *http.Request {
	r := &http.Request{Host: host, Header: http.Header{"Origin": {origin}}}
	if secure {
		r.TLS = &tls.ConnectionState{}
	}
	return r
}

// R58: without patterns only the same site passes.
func TestCheckOrigin_Default_IsTheSameSite(t *testing.T) {
	const plain, secure = false, true
	tests := []struct {
		name, origin, host string
		tls                bool
		ok                 bool
	}{
		{"same", "http://example.com", "example.com", plain, true},
		{"same, secure", "https://example.com", "example.com", secure, true},
		{"TLS ends at a proxy", "https://example.com", "example.com", plain, true},
		{"page without TLS, server with", "http://example.com", "example.com", secure, false},
		{"page without TLS on the port of TLS", "http://example.com:443", "example.com:443", secure, false},
		{"case", "HTTPS://Example.COM", "eXample.com", secure, true},
		{"same port", "http://example.com:8080", "example.com:8080", plain, true},
		{"port only in Origin", "http://example.com:8080", "example.com", plain, false},
		{"port only in Host", "http://example.com", "example.com:8080", plain, false},
		{"default port in Origin", "http://example.com:80", "example.com", plain, true},
		{"default port in Host", "https://example.com", "example.com:443", secure, true},
		{"default port of the other scheme", "http://example.com", "example.com:443", plain, false},
		{"zeros before the port", "https://example.com:00443", "example.com", secure, true},
		{"other host", "https://evil.example", "example.com", secure, false},
		{"host below", "https://a.example.com", "example.com", secure, false},
		{"host above", "https://example.com", "a.example.com", secure, false},
		{"host with a longer end", "https://example.com.evil", "example.com", secure, false},
		{"host with a longer start", "https://evilexample.com", "example.com", secure, false},
		{"dot after Origin", "https://example.com.", "example.com", secure, false},
		{"dot after Host", "https://example.com", "example.com.", secure, false},
		{"dot after both", "https://example.com.", "example.com.", secure, true},
		{"IPv4", "http://127.0.0.1:1", "127.0.0.1:1", plain, true},
		{"IPv4 in another spelling", "http://127.1", "127.0.0.1", plain, false},
		{"IPv6", "http://[::1]:1", "[::1]:1", plain, true},
		{"IPv6 in another spelling", "http://[0:0::1]", "[::1]:80", plain, true},
		{"IPv6 without brackets", "http://::1", "[::1]", plain, false},
		{"IPv6 with a zone", "http://[::1%25lo]", "[::1]", plain, false},
		{"punycode", "https://xn--bcher-kva.example", "xn--bcher-kva.example", secure, true},
		{"Unicode", "https://bücher.example", "xn--bcher-kva.example", secure, false},
		{"Kelvin sign", "https://\u212a.example", "k.example", secure, false},
		{"null", "null", "example.com", secure, false},
		{"null in capitals", "NULL", "example.com", secure, false},
		{"null for a host", "null", "null", plain, false},
		{"empty", "", "example.com", secure, false},
		{"empty, no host", "", "", secure, false},
		{"no scheme", "example.com", "example.com", secure, false},
		{"empty scheme", "://example.com", "example.com", secure, false},
		{"scheme of digits", "1://example.com", "example.com", secure, false},
		{"scheme with a space", "ht tp://example.com", "example.com", secure, false},
		{"scheme of extensions", "chrome-extension://abcdef", "abcdef", secure, false},
		{"scheme of sockets", "wss://example.com", "example.com", secure, false},
		{"opaque", "data:text/html,x", "example.com", secure, false},
		{"file", "file://", "example.com", secure, false},
		{"slash", "https://example.com/", "example.com", secure, false},
		{"path", "https://example.com/a", "example.com", secure, false},
		{"query", "https://example.com?a", "example.com", secure, false},
		{"fragment", "https://example.com#a", "example.com", secure, false},
		{"userinfo", "https://example.com@evil.example", "example.com", secure, false},
		{"userinfo with a port", "https://example.com:443@evil.example", "example.com", secure, false},
		{"backslash", `https://example.com\.evil.example`, "example.com", secure, false},
		{"list", "https://example.com https://evil.example", "example.com", secure, false},
		{"bad port", "https://example.com:99999", "example.com:99999", secure, false},
		{"star", "https://*", "example.com", secure, false},
		{"bad Host", "https://example.com", "example.com/", secure, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := handshake.CheckOrigin(from(tt.origin, tt.host, tt.tls), nil)
			if !tt.ok {
				wantError(t, err, 403, "10.2", "Origin: found ")
			} else if err != nil {
				t.Errorf("CheckOrigin(%q at %q): %v", tt.origin, tt.host, err)
			}
		})
	}
}

// R42
func TestCheckOrigin_Accepts_NoOrigin(t *testing.T) {
	if err := handshake.CheckOrigin(&http.Request{Host: "example.com"}, []string{"other.example"}); err != nil {
		t.Errorf("CheckOrigin: %v", err)
	}
}

func TestCheckOrigin_Rejects_TwoOrigins(t *testing.T) {
	r := from("https://example.com", "example.com", true)
	r.Header.Add("Origin", "https://example.com")
	wantError(t, handshake.CheckOrigin(r, []string{"example.com"}), 403, "10.2", "Origin: found 2 lines")
}

// R58
func TestCheckOrigin_Patterns(t *testing.T) {
	const plain, secure = false, true
	tests := []struct {
		pattern, origin string
		tls             bool
		ok              bool
	}{
		{"example.com", "https://example.com", secure, true},
		{"example.com", "https://EXAMPLE.com:443", secure, true},
		{"example.com", "http://example.com", plain, true},
		{"example.com", "http://example.com", secure, false},
		{"example.com", "https://example.com:8443", secure, false},
		{"example.com", "https://a.example.com", secure, false},
		{"example.com", "https://example.com.evil.example", secure, false},
		{"example.com", "https://example.com.", secure, false},
		{"example.com", "capacitor://example.com", secure, false},
		{"example.com", "null", secure, false},
		{"Example.COM:8443", "https://example.com:8443", secure, true},
		{"example.com:8443", "https://example.com", secure, false},
		{"example.com:443", "https://example.com", secure, true},
		{"example.com:*", "https://example.com", secure, true},
		{"example.com:*", "http://example.com:1", plain, true},
		{"example.com:*", "http://other.example:1", plain, false},
		{"https://example.com", "https://example.com", secure, true},
		{"HTTPS://example.com", "https://example.com", plain, true},
		{"https://example.com", "http://example.com", plain, false},
		{"https://example.com", "http://example.com:443", plain, false},
		{"http://example.com", "http://example.com", secure, true},
		{"http://example.com", "https://example.com", secure, false},
		{"http://example.com:*", "http://example.com:3000", secure, true},
		{"*.example.com.", "https://a.example.com.", secure, true},
		{"*.example.com", "https://a.example.com", secure, true},
		{"*.example.com", "https://a.b.EXAMPLE.com", secure, true},
		{"*.example.com", "https://example.com", secure, false},
		{"*.example.com", "https://evilexample.com", secure, false},
		{"*.example.com", "https://a.example.com.evil", secure, false},
		{"*.example.com", "https://a.example.com:8443", secure, false},
		{"*.example.com", "https://.example.com", secure, false},
		{"https://*.example.com:*", "https://a.example.com:8443", secure, true},
		{"https://*.example.com:*", "http://a.example.com:8443", plain, false},
		{"*.localhost:*", "http://a.localhost:3000", plain, true},
		{"127.0.0.1:*", "http://127.0.0.1:3000", plain, true},
		{"[::1]:*", "http://[0:0::1]:3000", plain, true},
		{"http://[::1]", "http://[::1]", plain, true},
		{"xn--bcher-kva.example", "https://xn--bcher-kva.example", secure, true},
		{"chrome-extension://abcdef", "chrome-extension://abcdef", secure, true},
		{"chrome-extension://abcdef", "chrome-extension://other", secure, false},
		{"capacitor://localhost", "capacitor://localhost", plain, true},
		{"null", "null", secure, true},
		{"null", "https://null", secure, false},
		{"null", "https://example.com", secure, false},
	}
	for _, tt := range tests {
		t.Run(tt.pattern+" for "+tt.origin, func(t *testing.T) {
			err := handshake.CheckOrigin(from(tt.origin, "server.example", tt.tls), []string{"first.example", tt.pattern})
			if !tt.ok {
				wantError(t, err, 403, "10.2", "Origin: found ")
			} else if err != nil {
				t.Errorf("CheckOrigin: %v", err)
			}
		})
	}
}

func TestCheckPatterns_Reports_WhatCouldNeverMatch(t *testing.T) {
	for _, pattern := range []string{
		"", "*", "*:*", "*.", "*.*.a", "a.*.b", "a*", "https://", "https://*", "://a", "1://a", "ht tp://a", "wss://a", "WS://a",
		"a/", "https://a/path", "a?b", "user@a", "a:0", "a:99999", "a:b", "a:*:1", "::1", "[::1", "*.1.2.3.4", "*.1.2.3.4.", "*.[::1]", "bücher.example", "a b", "NULL ", "a,b",
	} {
		t.Run(pattern, func(t *testing.T) {
			patterns := []string{"good.example", pattern}
			wantError(t, handshake.CheckPatterns(patterns), 500, "10.2", "origin pattern ")
			wantError(t, handshake.CheckOrigin(from("https://evil.example", "a.example", true), patterns), 500, "10.2", "origin pattern ")
		})
	}
	if err := handshake.CheckPatterns([]string{"null", "a", "*.a", "https://a:*"}); err != nil {
		t.Errorf("CheckPatterns: %v", err)
	}
}

func BenchmarkCheckOrigin(b *testing.B) {
	r := from("https://app.example.com", "api.example.com", true)
	patterns := []string{"https://example.com", "https://*.example.com"}
	b.ReportAllocs()
	for b.Loop() {
		if err := handshake.CheckOrigin(r, patterns); err != nil {
			b.Fatal(err)
		}
	}
}
