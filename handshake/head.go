package handshake

import (
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// maxFields is how many lines a Head reads. Browsers send about fifteen.
const maxFields = 64

// A Head is the head of a handshake's request, read without net/http: for servers
// that listen themselves, and leave to net/http what a Head cannot read. The zero
// value is ready. It may be used for one request after another; then it allocates
// nothing, and the Request before is no longer valid.
type Head struct {
	// Request is what Parse has made. Its context is left alone; RemoteAddr and TLS
	// are for the caller to set.
	Request http.Request

	url   url.URL
	lines []string
}

// Parse makes the Request of text, a whole head from its request line to its empty
// line, and reports whether it could. It reads what clients send who want a WebSocket
// connection, to the same result as net/http. What is wrong with a head, or merely
// unusual, is not for it to say: it returns false, and another reader may try. Nor
// does it judge the handshake: see [ParseRequest].
//
// The Request shares memory with text.
func (h *Head) Parse(text string) bool {
	line, fields, _ := strings.Cut(text, "\r\n")
	target, get := strings.CutPrefix(line, "GET ")
	target, http11 := strings.CutSuffix(target, " HTTP/1.1")
	if !get || !http11 || !h.parseTarget(target) {
		return false
	}
	header := h.Request.Header
	if header == nil {
		header = make(http.Header, 8)
	}
	clear(header)
	h.Request = *(&http.Request{
		Method: http.MethodGet,
		URL:    &h.url,
		Proto:  "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:     header,
		Body:       http.NoBody,
		RequestURI: target,
	}).WithContext(h.Request.Context())
	return h.parseFields(fields) && h.isPlain()
}

// parseTarget takes origin-form (RFC 9112 §3.2.1) in visible ASCII.
func (h *Head) parseTarget(target string) bool {
	if target == "" || target[0] != '/' {
		return false
	}
	plain := true
	path, query, asked := strings.Cut(target, "?")
	for i := range len(path) {
		plain = plain && (path[i] == '/' || isUnreserved(path[i]))
	}
	for i := range len(target) {
		if target[i] <= ' ' || target[i] >= 0x7f {
			return false
		}
	}
	if plain && (!asked || query != "") {
		h.url = url.URL{Path: path, RawQuery: query}
		return true
	}
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return false
	}
	h.url = *u
	return true
}

// isUnreserved reports whether c stands for itself in every URI (RFC 3986 §2.3).
func isUnreserved(c byte) bool {
	return isHostRune(rune(c)) || c == '.' || c == '~'
}

func (h *Head) parseFields(text string) bool {
	count := strings.Count(text, "\n")
	if count > maxFields {
		return false
	}
	h.lines = slices.Grow(h.lines[:0], count) // so that it stays where it is
	for {
		line, rest, ended := strings.Cut(text, "\r\n")
		if line == "" {
			return ended && rest == ""
		}
		name, value, found := strings.Cut(line, ":")
		if !found || !isToken(name) || !httpguts.ValidHeaderFieldValue(value) {
			return false
		}
		h.lines = append(h.lines, trim(value))
		n := len(h.lines)
		if !h.add(fieldName(name), h.lines[n-1:n:n]) {
			return false
		}
		text = rest
	}
}

// add files one line. Those that net/http would have more to do for than to file them
// are not for a Head.
func (h *Head) add(name string, line []string) bool {
	r := &h.Request
	switch name {
	case "Content-Length", "Transfer-Encoding", "Trailer", "Expect":
		return false
	case "Host":
		again := r.Host != ""
		r.Host = line[0]
		return !again && r.Host != "" && httpguts.ValidHostHeader(r.Host)
	}
	if before := r.Header[name]; before != nil {
		line = append(before, line...)
	}
	r.Header[name] = line
	return true
}

// fieldName returns the key that net/http files a field under.
func fieldName(name string) string {
	switch name {
	case "Sec-WebSocket-Key":
		return fieldKey
	case "Sec-WebSocket-Version":
		return fieldVersion
	case "Sec-WebSocket-Extensions":
		return fieldExtensions
	case "Sec-WebSocket-Protocol":
		return fieldProtocol
	}
	return textproto.CanonicalMIMEHeaderKey(name)
}

// isPlain reports whether the request asks for a WebSocket connection and nothing else.
func (h *Head) isPlain() bool {
	header := h.Request.Header
	if header["Pragma"] != nil && header["Cache-Control"] == nil { // which net/http adds
		return false
	}
	upgrade := header["Upgrade"]
	return h.Request.Host != "" && len(upgrade) == 1 && isKeyword(upgrade[0], "websocket") &&
		!httpguts.HeaderValuesContainsToken(header["Connection"], "close")
}
