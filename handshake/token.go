package handshake

import (
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// The header fields of the handshake, under the keys net/http files them.
const (
	fieldAccept     = "Sec-Websocket-Accept"
	fieldExtensions = "Sec-Websocket-Extensions"
	fieldKey        = "Sec-Websocket-Key"
	fieldProtocol   = "Sec-Websocket-Protocol"
	fieldVersion    = "Sec-Websocket-Version"
)

func isToken(s string) bool { return httpguts.ValidHeaderFieldName(s) }

func isTokenByte(c byte) bool { return httpguts.IsTokenRune(rune(c)) }

// trim removes optional whitespace, the only one that may surround a value.
func trim(s string) string {
	for s != "" && isSpace(s[0]) {
		s = s[1:]
	}
	for s != "" && isSpace(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' }

// isKeyword compares without regard to ASCII case. Equal length keeps out the
// non-ASCII letters that Unicode folds to ASCII ones, such as the Kelvin sign.
func isKeyword(s, ascii string) bool {
	return len(s) == len(ascii) && strings.EqualFold(s, ascii)
}

// listHas reports whether the comma-separated list in lines has the element
// want, in any case, and the first element that is not valid.
func listHas(lines []string, want string, valid func(string) bool) (has bool, bad string) {
	for _, line := range lines {
		for element := range strings.SplitSeq(line, ",") {
			element = trim(element)
			switch {
			case element == "": // the #rule of RFC 2616 §2.1 skips it
			case !valid(element):
				return false, element
			case isKeyword(element, want):
				has = true
			}
		}
	}
	return has, ""
}

// isProduct is the element of Upgrade: a name, perhaps with a version
// (RFC 9110 §7.8).
func isProduct(s string) bool {
	name, version, versioned := strings.Cut(s, "/")
	return isToken(name) && (!versioned || isToken(version))
}

// owned tells for a field that the handshake writes itself how the caller sets
// it instead; "" leaves the field to the caller.
func owned(name string) string {
	switch canonical := textproto.CanonicalMIMEHeaderKey(name); canonical {
	case fieldProtocol:
		return "set Subprotocol or Subprotocols instead"
	case fieldExtensions:
		return "set Extensions instead"
	case fieldKey, fieldAccept:
		return "set Key instead"
	case "Upgrade", "Connection", fieldVersion:
		return "the handshake writes it"
	case "Content-Length", "Transfer-Encoding":
		return "the handshake has no body"
	default:
		if strings.HasPrefix(canonical, "Sec-Websocket-") {
			return "the prefix belongs to the handshake"
		}
		return ""
	}
}

// checkHeader refuses extra fields that would break or contradict the message
// they are written into.
func checkHeader(status int, section string, h http.Header) error {
	for name, values := range h {
		if !isToken(name) {
			return refuse(status, section, "Header: name %.128q is not a token", name)
		}
		if instead := owned(name); instead != "" {
			return refuse(status, section, "Header: %s is not yours to set: %s", name, instead)
		}
		for _, value := range values {
			if !httpguts.ValidHeaderFieldValue(value) {
				return refuse(status, section, "Header: value %.128q of %s has a control character", value, name)
			}
		}
	}
	return nil
}

// appendHeader writes h sorted by name, so that equal headers are equal bytes,
// except for the fields named in but.
func appendHeader(dst []byte, h http.Header, but string) []byte {
	var room [16]string
	names := room[:0]
	for name := range h {
		if !isKeyword(name, but) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range h[name] {
			dst = appendField(dst, name, value)
		}
	}
	return dst
}

func appendField(dst []byte, name, value string) []byte {
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	dst = append(dst, value...)
	return append(dst, "\r\n"...)
}
