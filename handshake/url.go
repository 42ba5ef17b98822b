package handshake

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Target is a ws or wss URL, taken apart into what a client needs (§3).
type Target struct {
	Secure     bool   // the scheme is wss: TLS comes first
	Host       string // the Host header: ASCII, brackets around IPv6, no default port
	ServerName string // what the TLS certificate must name: no port, no brackets
	Addr       string // host:port to dial
	RequestURI string // the resource name: path and query, never empty
}

// HTTPURL returns t as cookie jars, proxies and HTTP/2 know it: "https" for "wss", "http"
// for "ws" (RFC 8441 §5).
func (t Target) HTTPURL() *url.URL {
	u := &url.URL{Scheme: "http", Host: t.Host}
	if t.Secure {
		u.Scheme = "https"
	}
	u.Path, u.RawQuery, _ = strings.Cut(t.RequestURI, "?")
	if path, err := url.PathUnescape(u.Path); err == nil {
		u.Path, u.RawPath = path, u.Path
	}
	return u
}

// ParseURL takes a ws or wss URL apart. An international host name becomes
// ASCII by IDNA, and what may not stand in a path or query becomes
// percent-encoded UTF-8 (§11.1). Escapes are kept as they are.
//
// A fragment, userinfo, an incomplete escape, whitespace, control characters
// and a host that cannot be dialed are errors: "If any of the components are
// invalid, the client MUST _Fail the WebSocket Connection_" (§4.1 item 1).
func ParseURL(raw string) (Target, error) {
	t, wrong := parseURL(raw)
	if wrong != "" {
		return Target{}, refuse(0, "3", "URL %.128q: %s", RedactURL(raw), wrong)
	}
	return t, nil
}

// RedactURL returns raw without what may be secret in it, for logs and errors:
// userinfo, query and fragment.
func RedactURL(raw string) string {
	if end := strings.IndexAny(raw, "?#"); end >= 0 {
		raw = raw[:end]
	}
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok {
		return raw
	}
	host, path := rest, ""
	if end := strings.IndexByte(rest, '/'); end >= 0 {
		host, path = rest[:end], rest[end:]
	}
	return scheme + "://" + host[strings.LastIndexByte(host, '@')+1:] + path
}

func parseURL(raw string) (t Target, wrong string) {
	if wrong = textFault(raw); wrong != "" {
		return t, wrong
	}
	scheme, rest, ok := strings.Cut(raw, "://")
	scheme = strings.ToLower(scheme)
	switch {
	case !ok:
		return t, "want ws://host or wss://host"
	case scheme == "http":
		return t, "want the scheme ws instead of http"
	case scheme == "https":
		return t, "want the scheme wss instead of https"
	case scheme != "ws" && scheme != "wss":
		return t, "want the scheme ws or wss"
	}
	// "Fragment identifiers [...] MUST NOT be used on these URIs."
	if strings.Contains(rest, "#") {
		return t, "a WebSocket URL has no fragment: escape # as %23"
	}
	host, resource := rest, ""
	if end := strings.IndexAny(rest, "/?"); end >= 0 {
		host, resource = rest[:end], rest[end:]
	}
	if strings.Contains(host, "@") {
		return t, "a WebSocket URL has no userinfo: send an Authorization header"
	}
	a, wrong := parseIDN(host)
	if wrong != "" {
		return t, wrong
	}
	if t.RequestURI, wrong = resourceName(resource); wrong != "" {
		return t, wrong
	}
	t.Secure = scheme == "wss"
	t.ServerName = strings.TrimSuffix(a.host, ".") // RFC 6066 §3
	t.Addr = net.JoinHostPort(a.host, a.portFor(scheme))
	t.Host = t.Addr
	if a.portFor(scheme) == defaultPort(scheme) {
		t.Host = strings.TrimSuffix(t.Addr, ":"+defaultPort(scheme))
	}
	return t, ""
}

// textFault finds what no part of a URL may hold.
func textFault(raw string) string {
	if !utf8.ValidString(raw) {
		return "not valid UTF-8"
	}
	for i := range len(raw) {
		if c := raw[i]; c <= ' ' || c == 0x7F {
			return "has a space or control character: percent-encode it"
		}
	}
	return ""
}

// maxIDN bounds the time of IDNA, which is quadratic: 253 characters of UTF-8.
const maxIDN = 253 * utf8.UTFMax

// parseIDN is parseAuthority for a host that may be written in Unicode. Only
// then IDNA comes in, since it would refuse the underscores in use.
func parseIDN(s string) (authority, string) {
	host, port, hasPort := strings.Cut(s, ":")
	if strings.IndexFunc(host, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0 {
		if len(host) > maxIDN {
			return authority{}, "the host is longer than any international name"
		}
		ascii, err := idna.Lookup.ToASCII(host)
		if err != nil {
			return authority{}, fmt.Sprintf("the host is not a domain name: %.128s", err)
		}
		if s = ascii; hasPort {
			s += ":" + port
		}
	}
	return parseAuthority(strings.ToLower(s))
}

// resourceName is, by §3, "/" if the path is empty, the path, and "?" with the
// query if that is not empty.
func resourceName(s string) (name, wrong string) {
	path, query, _ := strings.Cut(s, "?")
	if path == "" {
		path = "/"
	}
	if query != "" {
		path += "?" + query
	}
	return escape(path)
}

// escape percent-encodes what neither the path nor the query of RFC 3986 §3.3
// and §3.4 may hold. Escapes that are there already must be whole.
func escape(s string) (escaped, wrong string) {
	const digits = "0123456789ABCDEF"
	dst := make([]byte, 0, len(s))
	for i := range len(s) {
		switch c := s[i]; {
		case c == '%' && (i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2])):
			return "", "% must be followed by two hexadecimal digits: write %25 for the sign itself"
		case c == '%' || isResourceByte(c):
			dst = append(dst, c)
		default:
			dst = append(dst, '%', digits[c>>4], digits[c&0xF])
		}
	}
	return string(dst), ""
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

// isResourceByte knows pchar, "/" and "?" without the percent sign.
func isResourceByte(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("-._~!$&'()*+,;=:@/?", c) >= 0
}
