package handshake

import (
	"net/netip"
	"strconv"
	"strings"
)

// authority is host[:port] taken apart: of a URL, a Host header or an Origin.
type authority struct {
	host string // ASCII, without brackets; an IPv6 address in its canonical form
	port string // "" if none was given; no leading zero
}

// parseAuthority accepts what can be dialed: a DNS name, an IPv4 address or an
// IPv6 address in brackets, and a port from 1 to 65535. The grammar of RFC 3986
// §3.2.2 has more (percent-escapes, zones, IPvFuture), which serves nobody but
// those who want two readers to see two hosts.
//
// It returns what is wrong, or "".
func parseAuthority(s string) (a authority, wrong string) {
	var rest string
	if inside, ok := strings.CutPrefix(s, "["); ok {
		inside, after, closed := strings.Cut(inside, "]")
		ip, err := netip.ParseAddr(inside)
		if !closed || err != nil || !ip.Is6() || ip.Zone() != "" {
			return a, "brackets must hold an IPv6 address without a zone"
		}
		a.host, rest = ip.String(), after
	} else {
		end := strings.IndexByte(s, ':')
		if end < 0 {
			end = len(s)
		}
		a.host, rest = s[:end], s[end:]
		if wrong := nameFault(a.host); wrong != "" {
			return a, wrong
		}
	}
	if rest == "" || rest == ":" { // an empty port is the default one (RFC 3986 §3.2.3)
		return a, ""
	}
	port, ok := strings.CutPrefix(rest, ":")
	if !ok {
		return a, "only a port may follow the brackets"
	}
	if a.port, ok = canonicalPort(port); !ok {
		return a, "the port must be a number from 1 to 65535"
	}
	return a, ""
}

// nameFault says what keeps name from being a DNS name or an IPv4 address, or "".
// Underscores are accepted, since names with them are in use.
func nameFault(name string) string {
	const maxName, maxLabel = 253, 63
	labels := strings.TrimSuffix(name, ".")
	if labels == "" {
		return "the host is empty"
	}
	if len(labels) > maxName {
		return "the host is longer than 253 bytes"
	}
	for label := range strings.SplitSeq(labels, ".") {
		if label == "" || len(label) > maxLabel {
			return "each label of the host must have 1 to 63 bytes"
		}
		for _, r := range label {
			if !isHostRune(r) {
				return "no host name has the character " + strconv.QuoteRune(r)
			}
		}
	}
	// Some resolvers take 127.1, 2130706433 or 0x7f000001 for an address.
	if endsInNumber(name) {
		if ip, err := netip.ParseAddr(name); err != nil || !ip.Is4() {
			return "a host that ends in a number must be an IPv4 address"
		}
	}
	return ""
}

func isHostRune(r rune) bool {
	return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || r == '-' || r == '_'
}

func endsInNumber(name string) bool {
	labels := strings.TrimSuffix(name, ".")
	last := labels[strings.LastIndexByte(labels, '.')+1:]
	hex := len(last) > 1 && last[0] == '0' && last[1]|0x20 == 'x'
	if hex {
		last = last[2:]
	}
	for _, r := range last {
		if !('0' <= r && r <= '9' || hex && 'a' <= r|0x20 && r|0x20 <= 'f') {
			return false
		}
	}
	return true
}

func canonicalPort(s string) (string, bool) {
	const digits = 5
	if n, err := strconv.ParseUint(s, 10, 16); err != nil || n == 0 || len(s) > digits {
		return "", false
	}
	return strings.TrimLeft(s, "0"), true
}

// defaultPort returns "" for a scheme that has none.
func defaultPort(scheme string) string {
	switch strings.ToLower(scheme) {
	case "ws", "http":
		return "80"
	case "wss", "https":
		return "443"
	}
	return ""
}

// portFor is the port that a names when it is reached by scheme.
func (a authority) portFor(scheme string) string {
	if a.port != "" {
		return a.port
	}
	return defaultPort(scheme)
}

// same reports whether a and b are one place when both are reached by scheme.
func (a authority) same(b authority, scheme string) bool {
	return strings.EqualFold(a.host, b.host) && a.portFor(scheme) == b.portFor(scheme)
}
