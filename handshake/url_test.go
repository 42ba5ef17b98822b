package handshake_test

import (
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/swan-ws/websocket/handshake"
)

// R2, R3, R4, R17, R18, R118
func TestParseURL(t *testing.T) {
	ws := func(host, name, addr, uri string) handshake.Target {
		return handshake.Target{Host: host, ServerName: name, Addr: addr, RequestURI: uri}
	}
	wss := func(host, name, addr, uri string) handshake.Target {
		return handshake.Target{Secure: true, Host: host, ServerName: name, Addr: addr, RequestURI: uri}
	}
	const bücher = "xn--bcher-kva.example"
	tests := []struct {
		name, raw string
		want      handshake.Target
	}{
		{"shortest", "ws://h", ws("h", "h", "h:80", "/")},
		{"secure", "wss://h", wss("h", "h", "h:443", "/")},
		{"scheme in capitals", "WS://h/a", ws("h", "h", "h:80", "/a")},
		{"scheme in both", "wSs://h/a", wss("h", "h", "h:443", "/a")},
		{"host in capitals", "ws://Example.COM/A", ws("example.com", "example.com", "example.com:80", "/A")},
		{"default port", "ws://h:80/", ws("h", "h", "h:80", "/")},
		{"default port, secure", "wss://h:443/", wss("h", "h", "h:443", "/")},
		{"empty port", "ws://h:/", ws("h", "h", "h:80", "/")},
		{"other port", "ws://h:8080/", ws("h:8080", "h", "h:8080", "/")},
		{"default port of the other", "ws://h:443/", ws("h:443", "h", "h:443", "/")},
		{"port that ends like the default", "ws://h:8080", ws("h:8080", "h", "h:8080", "/")},
		{"zeros before the port", "ws://h:00081", ws("h:81", "h", "h:81", "/")},
		{"highest port", "wss://h:65535", wss("h:65535", "h", "h:65535", "/")},
		{"query without a path", "ws://h?q=1", ws("h", "h", "h:80", "/?q=1")},
		{"empty query", "ws://h/a?", ws("h", "h", "h:80", "/a")},
		{"query of a question mark", "ws://h/a??", ws("h", "h", "h:80", "/a??")},
		{"path and query", "ws://h/a/b?c=d&e=/?", ws("h", "h", "h:80", "/a/b?c=d&e=/?")},
		{"escaped number sign", "ws://h/a%23b?c=%23", ws("h", "h", "h:80", "/a%23b?c=%23")},
		{"escapes stay as they are", "ws://h/%7e%C3%A4%2F", ws("h", "h", "h:80", "/%7e%C3%A4%2F")},
		{"dots stay as they are", "ws://h/a/../b", ws("h", "h", "h:80", "/a/../b")},
		{"two slashes", "ws://h//evil.example", ws("h", "h", "h:80", "//evil.example")},
		{"at sign in the path", "ws://h/@a", ws("h", "h", "h:80", "/@a")},
		{"all that needs no escape", "ws://h/-._~!$&'()*+,;=:@/?", ws("h", "h", "h:80", "/-._~!$&'()*+,;=:@/")},
		{"all that does", "ws://h/\"<>[\\]^`{|}?\"[]", ws("h", "h", "h:80", "/%22%3C%3E%5B%5C%5D%5E%60%7B%7C%7D?%22%5B%5D")},
		{"IPv4", "ws://127.0.0.1:8080", ws("127.0.0.1:8080", "127.0.0.1", "127.0.0.1:8080", "/")},
		{"IPv6", "ws://[::1]/", ws("[::1]", "::1", "[::1]:80", "/")},
		{"IPv6 with a port", "wss://[2001:DB8:0:0::1]:8443", wss("[2001:db8::1]:8443", "2001:db8::1", "[2001:db8::1]:8443", "/")},
		{"underscore", "ws://my_service:1", ws("my_service:1", "my_service", "my_service:1", "/")},
		{"trailing dot", "wss://example.com./", wss("example.com.", "example.com", "example.com.:443", "/")},
		{"international", "ws://bücher.example/ä?ö", ws(bücher, bücher, bücher+":80", "/%C3%A4?%C3%B6")},
		{"international, capitals, port", "wss://BÜCHER.example:1", wss(bücher+":1", bücher, bücher+":1", "/")},
		{"full-width digits", "ws://１２７.0.0.1", ws("127.0.0.1", "127.0.0.1", "127.0.0.1:80", "/")},
		{"ideographic stop", "ws://a。b", ws("a.b", "a.b", "a.b:80", "/")},
		{"beyond the first plane", "ws://h/\U0001F9A2", ws("h", "h", "h:80", "/%F0%9F%A6%A2")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := handshake.ParseURL(tt.raw)
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Errorf("ParseURL(%q): %v (-want +got):\n%s", tt.raw, err, diff)
			}
		})
	}
}

// R1, R5
func TestParseURL_Rejects(t *testing.T) {
	const (
		host     = "the host"
		schemes  = "want the scheme ws or wss"
		noHost   = "the host is empty"
		brackets = "brackets must hold an IPv6 address"
		port     = "the port must be a number from 1 to 65535"
		escape   = "write %25 for the sign itself"
		control  = "space or control character"
		fragment = "escape # as %23"
		userinfo = "send an Authorization header"
		form     = "want ws://host or wss://host"
		number   = "must be an IPv4 address"
		unnamed  = "no host name has the character"
	)
	tests := []struct{ raw, text string }{
		{"", form}, {"h", form}, {"/", form}, {"//h/", form}, {"h:80/", form},
		{"ws:", form}, {"ws:h", form}, {"ws:/h", form}, {"ws//h", form},
		{"://h", schemes}, {"wsx://h", schemes}, {"ftp://h", schemes}, {"w\u017f://h", schemes}, {"file:///h", schemes},
		{"http://h", "want the scheme ws instead of http"}, {"HTTPS://h", "want the scheme wss instead of https"},
		{"ws://", noHost}, {"ws:///a", noHost}, {"ws://?q", noHost}, {"ws://:80", noHost}, {"ws://.", noHost},
		{"ws://h/#x", fragment}, {"ws://h#", fragment}, {"ws://h/?q#x", fragment}, {"ws://h/a#b%23", fragment},
		{"ws://user@h/", userinfo}, {"ws://user:pass@h/", userinfo}, {"ws://@h/", userinfo}, {"ws://h:80@evil.example/", userinfo},
		{"ws://h:0", port}, {"ws://h:65536", port}, {"ws://h:99999", port}, {"ws://h:-1", port}, {"ws://h:+1", port},
		{"ws://h:a", port}, {"ws://h:8080a", port}, {"ws://h:80:80", port}, {"ws://h:000080", port}, {"ws://::1", noHost}, {"ws://h:１", port},
		{"ws://[::1", brackets}, {"ws://[", brackets}, {"ws://[]", brackets}, {"ws://[h]", brackets}, {"ws://[1.2.3.4]", brackets},
		{"ws://[::1%25.example.com]/", brackets}, {"ws://[fe80::1%25eth0]/", brackets}, {"ws://[fe80::1%eth0]/", brackets}, {"ws://[v1.a]", brackets},
		{"ws://[::1]a", "only a port may follow"}, {"ws://[::1].example.com", "only a port may follow"}, {"ws://[::1]:x", port}, {"ws://[bü]", "not a domain name"},
		{"ws://h/%", escape}, {"ws://h/%2", escape}, {"ws://h/%zz", escape}, {"ws://h/%2g", escape}, {"ws://h/?%", escape}, {"ws://h/%%20", escape},
		{"ws://h%41/", unnamed}, {"ws://%zz/", unnamed}, {"ws://a,b/", unnamed}, {"ws://a\\b/", unnamed}, {"ws://a!b", unnamed}, {"ws://*.a", unnamed},
		{" ws://h", control}, {"ws://h ", control}, {"ws://h/a b", control}, {"ws://h/\r\nX:1", control}, {"ws://h/\x00", control},
		{"ws://h/\t", control}, {"ws://h\x7f/", control}, {"ws://a b/", control}, {"\nws://h", control},
		{"ws://h/\xff", "not valid UTF-8"}, {"ws://\xc3/", "not valid UTF-8"},
		{"ws://a..b", host}, {"ws://.a", host}, {"ws://..", host}, {"ws://" + strings.Repeat("a", 64), host}, {"ws://" + strings.Repeat("a.", 127) + "a", host},
		{"ws://256.1.1.1", number}, {"ws://1.2.3", number}, {"ws://1.2.3.4.5", number}, {"ws://2130706433", number}, {"ws://0x7f000001", number}, {"ws://127.0.0.0x1", number},
		{"ws://a／b.example", "not a domain name"}, {"ws://\u00ad", noHost}, {"ws://-ü-", "not a domain name"}, {"ws://ü" + strings.Repeat("a", 64), host}, {"ws://" + strings.Repeat("ü", 8<<10), "longer than any"},
	}
	if len(tests) < 40 {
		t.Errorf("%d URLs, want 40 at least", len(tests))
	}
	for _, tt := range tests {
		t.Run(tt.raw, func(t *testing.T) {
			got, err := handshake.ParseURL(tt.raw)
			wantError(t, err, 0, "3", tt.text)
			if got != (handshake.Target{}) {
				t.Errorf("ParseURL(%q) = %+v beside its error", tt.raw, got)
			}
		})
	}
}

// What ParseURL lets through, a server must understand in the same way.
func FuzzParseURL(f *testing.F) {
	f.Add("wss://bücher.example:8443/ä?ö=%23")
	f.Fuzz(func(t *testing.T, raw string) {
		target, err := handshake.ParseURL(raw)
		if err != nil {
			wantError(t, err, 0, "3", "")
			return
		}
		out, err := handshake.AppendRequest(nil, handshake.Offer{Target: target, Key: sampleKey})
		if err != nil {
			t.Fatalf("AppendRequest(%+v): %v", target, err)
		}
		r := mustReadRequest(t, strings.ReplaceAll(string(out), "\r\n", "\n"))
		if _, err := handshake.ParseRequest(r); err != nil {
			t.Fatalf("the request to %q is refused: %v", raw, err)
		}
		if r.Host != target.Host || r.RequestURI != target.RequestURI {
			t.Fatalf("%q asks for %q at %q, want %+v", raw, r.RequestURI, r.Host, target)
		}
		host, port, err := net.SplitHostPort(target.Addr)
		if err != nil || strings.TrimSuffix(host, ".") != target.ServerName || port == "" {
			t.Fatalf("%q is dialed at %q, want %q", raw, target.Addr, target.ServerName)
		}
		scheme := map[bool]string{false: "ws://", true: "wss://"}[target.Secure]
		again, err := handshake.ParseURL(scheme + target.Host + target.RequestURI)
		if diff := cmp.Diff(target, again); err != nil || diff != "" {
			t.Fatalf("%q taken apart, joined and taken apart: %v (-first +again):\n%s", raw, err, diff)
		}
	})
}

func TestRedactURL_HidesWhatMayBeSecret(t *testing.T) {
	for raw, want := range map[string]string{
		"ws://h/path":                      "ws://h/path",
		"wss://user:pw@h:81/a@b?token=s#x": "wss://h:81/a@b",
		"ws://user@with@h?q":               "ws://h",
		"ws://h#secret":                    "ws://h",
		"no URL?token=s":                   "no URL",
	} {
		if got := handshake.RedactURL(raw); got != want {
			t.Errorf("%q: got %q, want %q", raw, got, want)
		}
	}
	if _, err := handshake.ParseURL("ws://u:pw@h/?token=secret"); strings.Contains(err.Error(), "pw") || strings.Contains(err.Error(), "secret") {
		t.Errorf("the error tells: %v", err)
	}
}
