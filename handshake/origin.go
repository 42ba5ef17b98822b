package handshake

import (
	"net/http"
	"strings"
)

// CheckOrigin refuses a request that a browser sends for a page of another site
// (§10.2). It lets pass what has no Origin, which is not from a browser, and
// what has the scheme http or https, and the host and port of the request
// itself; over TLS only https, as http pages are anyone's on the way. Without
// TLS it takes both, for a proxy may have ended it.
//
// Beyond that it lets pass what matches one of patterns, which are
//
//	[scheme://]host[:port]
//
// A host that begins with "*." stands for all names below the rest, but not for
// the rest itself. A port of "*" stands for all; without one only the default
// port of the Origin's scheme matches. A pattern without a scheme takes http and
// https, over TLS only https; one with a scheme takes that one alone. The
// pattern "null" takes the Origin null, which any page can make itself.
//
// The error is an [*Error] with status 403, or 500 if a pattern is malformed:
// see [CheckPatterns].
func CheckOrigin(r *http.Request, patterns []string) error {
	lines := r.Header["Origin"]
	if len(lines) == 0 {
		return nil
	}
	o, wrong := parseOrigin(trim(lines[0]))
	if len(lines) > 1 {
		wrong = "want one"
	}
	if wrong != "" {
		return refuse(http.StatusForbidden, "10.2", "Origin: %s: %s", found(lines), wrong)
	}
	if host, wrong := parseAuthority(r.Host); wrong == "" && o.isWeb(r.TLS != nil) && o.same(host, o.scheme) {
		return nil
	}
	for _, text := range patterns {
		p, wrong := parsePattern(text)
		if wrong != "" {
			return badPattern(text, wrong)
		}
		if p.matches(o, r.TLS != nil) {
			return nil
		}
	}
	return refuse(http.StatusForbidden, "10.2", "Origin: %s, want the site of Host %.128q or one of the allowed origins", found(lines), r.Host)
}

// CheckPatterns reports the first of patterns that [CheckOrigin] cannot use. A
// server calls it once, when it starts.
func CheckPatterns(patterns []string) error {
	for _, text := range patterns {
		if _, wrong := parsePattern(text); wrong != "" {
			return badPattern(text, wrong)
		}
	}
	return nil
}

func badPattern(text, wrong string) error {
	return refuse(http.StatusInternalServerError, "10.2", "origin pattern %.128q: %s", text, wrong)
}

// origin is what a browser writes in Origin: RFC 6454 §6.2. The zero value
// stands for null.
type origin struct {
	scheme string
	authority
}

func parseOrigin(s string) (o origin, wrong string) {
	if s == "null" {
		return o, ""
	}
	scheme, host, ok := strings.Cut(s, "://")
	if !ok || !isScheme(scheme) {
		return o, "want scheme://host[:port]"
	}
	o.scheme = scheme
	o.authority, wrong = parseAuthority(host)
	return o, wrong
}

// isWeb reports whether o is an origin of the web that may reach a server with
// or without TLS.
func (o origin) isWeb(tls bool) bool {
	return isKeyword(o.scheme, "https") || isKeyword(o.scheme, "http") && !tls
}

// isScheme is scheme of RFC 3986 §3.1.
func isScheme(s string) bool {
	for i, r := range s {
		letter := 'a' <= r|0x20 && r|0x20 <= 'z'
		if !letter && (i == 0 || !('0' <= r && r <= '9' || r == '+' || r == '-' || r == '.')) {
			return false
		}
	}
	return s != ""
}

// pattern is an origin with holes. The zero value stands for null.
type pattern struct {
	origin       // without a scheme: http or https
	below   bool // host is only the end of the names that match
	anyPort bool
}

func parsePattern(s string) (p pattern, wrong string) {
	if s == "null" {
		return p, ""
	}
	scheme, host, ok := strings.Cut(s, "://")
	switch {
	case !ok:
		scheme, host = "", s
	case !isScheme(scheme):
		return p, "want [scheme://]host[:port]"
	case isKeyword(scheme, "ws") || isKeyword(scheme, "wss"):
		return p, "no Origin has the scheme ws or wss: want that of the page, http or https"
	}
	p.scheme = scheme
	host, p.anyPort = strings.CutSuffix(host, ":*")
	host, p.below = strings.CutPrefix(host, "*.")
	if p.authority, wrong = parseAuthority(host); wrong != "" {
		return p, "want [scheme://]host[:port], international names in their xn-- form: " + wrong
	}
	if p.below && (host[0] == '[' || endsInNumber(p.host)) {
		return p, "there are no names below an IP address"
	}
	return p, ""
}

func (p pattern) matches(o origin, tls bool) bool {
	switch {
	case p == pattern{}:
		return o == origin{}
	case p.scheme == "" && !o.isWeb(tls):
		return false
	case p.scheme != "" && !isKeyword(o.scheme, p.scheme):
		return false
	case !p.anyPort && p.portFor(o.scheme) != o.portFor(o.scheme):
		return false
	case p.below:
		dot := len(o.host) - len(p.host) - 1
		return dot > 0 && o.host[dot] == '.' && strings.EqualFold(o.host[dot+1:], p.host)
	}
	return strings.EqualFold(o.host, p.host)
}
