package handshake

import (
	"net/http"
	"strings"

	"github.com/swan-ws/websocket/subprotocol"
)

// Request is what a client asks for in its opening handshake.
type Request struct {
	Key          string      // valid, as it came: input of the Accept; "" over HTTP/2
	Origin       string      // of the page that asks; "" if it is not a browser (§4.2.1 item 7)
	Subprotocols []string    // in the client's order; none twice
	Extensions   []Extension // in the client's order; one name may come several times
}

// ParseRequest judges a client's opening handshake as net/http has read it, by
// §4.2.1. It does not touch the body, nor judge the Origin: see [CheckOrigin].
//
// The error is an [*Error] with the status to answer: 405 if the method is not
// GET, 426 if the client asks for no websocket or another version of it, 505 if
// it came by HTTP/2 or later, and 400 for all else, HTTP/1.0 included, whose
// Upgrade "a server MUST ignore" (RFC 9110 §7.8).
//
// Over HTTP/2 it is CONNECT that opens a connection (RFC 8441 §5); 501 if that asks
// for another protocol.
//
// An absolute request-target must name the Host. Readers that put its authority
// in the place of the Host, as net/http does, have decided that already.
func ParseRequest(r *http.Request) (Request, error) {
	if r.ProtoMajor == 2 && r.Method == http.MethodConnect {
		return parseConnect(r)
	}
	if err := checkRequestLine(r); err != nil {
		return Request{}, err
	}
	if err := checkHost(r); err != nil {
		return Request{}, err
	}
	if err := checkBody(r); err != nil {
		return Request{}, err
	}
	if err := checkUpgrade(r.Header); err != nil {
		return Request{}, err
	}
	// The version goes before the key, which is the version's to define.
	if err := checkVersion(r.Header[fieldVersion]); err != nil {
		return Request{}, err
	}
	lines := r.Header[fieldKey]
	if len(lines) != 1 || !ValidKey(trim(lines[0])) {
		return Request{}, refuse(http.StatusBadRequest, "4.2.1", "Sec-WebSocket-Key: %s, want the base64 of 16 bytes, once", found(lines))
	}
	req, err := parseOffers(r.Header)
	if err != nil {
		return Request{}, err
	}
	req.Key = trim(lines[0])
	return req, nil
}

func checkRequestLine(r *http.Request) error {
	switch {
	case r.ProtoMajor > 1:
		return refuse(http.StatusHTTPVersionNotSupported, "RFC 8441 §4",
			"HTTP/%d has no Upgrade: want the handshake over HTTP/1.1, or a CONNECT over HTTP/2", r.ProtoMajor)
	case !r.ProtoAtLeast(1, 1):
		return refuse(http.StatusBadRequest, "4.2.1",
			"HTTP/%d.%d has no Upgrade: want HTTP/1.1, also from a proxy on the way", r.ProtoMajor, r.ProtoMinor)
	case r.Method != http.MethodGet:
		e := refuse(http.StatusMethodNotAllowed, "4.2.1", "method: found %.128q, want GET", r.Method)
		e.Header = http.Header{"Allow": {http.MethodGet}}
		return e
	case strings.Contains(r.RequestURI, "#"): // "MUST NOT be used on these URIs"
		return refuse(http.StatusBadRequest, "3", "request target: found %.128q, want one without a fragment", r.RequestURI)
	}
	return nil
}

// checkHost wants "A |Host| header field containing the server's authority",
// which a request-target that has an authority of its own must not contradict.
func checkHost(r *http.Request) error {
	const status, section = http.StatusBadRequest, "4.2.1"
	host, wrong := parseAuthority(r.Host)
	if wrong != "" {
		return refuse(status, section, "Host: found %.128q, want host or host:port: %s", r.Host, wrong)
	}
	// net/http moves the line to r.Host; other readers may leave it.
	if lines := r.Header["Host"]; len(lines) > 1 || len(lines) == 1 && lines[0] != r.Host {
		return refuse(status, "RFC 9112 §3.2", "Host: %s, want %.128q, once", found(lines), r.Host)
	}
	if r.URL == nil || r.URL.Host == "" {
		return nil
	}
	if r.URL.Scheme != "http" && r.URL.Scheme != "https" {
		return refuse(status, section, "request-target: found the scheme %.128q, want http or https", r.URL.Scheme)
	}
	target, wrong := parseAuthority(r.URL.Host)
	if wrong != "" || !target.same(host, r.URL.Scheme) {
		return refuse(status, "RFC 9112 §3.2.2", "request-target: found the host %.128q, want that of Host, %.128q", r.URL.Host, r.Host)
	}
	return nil
}

// checkBody refuses bytes that would be a body to one reader and frames to
// another. They are left unread.
func checkBody(r *http.Request) error {
	if r.ContentLength != 0 || len(r.TransferEncoding) > 0 || r.Header["Transfer-Encoding"] != nil {
		return refuse(http.StatusBadRequest, "4.1", "Content-Length or Transfer-Encoding: found a body, want none in a handshake")
	}
	return nil
}

func checkUpgrade(h http.Header) error {
	const section = "4.2.1"
	lines := h["Upgrade"]
	upgrade, bad := listHas(lines, "websocket", isProduct)
	if bad != "" {
		return refuse(http.StatusBadRequest, section, "Upgrade: found %.128q, want a list with websocket", bad)
	}
	if !upgrade {
		e := refuse(http.StatusUpgradeRequired, section, "Upgrade: %s, want websocket", found(lines))
		e.Header = upgradeHeader()
		return e
	}
	lines = h["Connection"]
	if upgrade, bad = listHas(lines, "upgrade", isToken); bad != "" {
		return refuse(http.StatusBadRequest, section, "Connection: found %.128q, want a list with Upgrade", bad)
	}
	if !upgrade {
		return refuse(http.StatusBadRequest, section, "Connection: %s, want Upgrade: a proxy on the way may have removed it", found(lines))
	}
	return nil
}

// checkVersion has every refusal carry "a |Sec-WebSocket-Version| header field
// indicating the version(s) the server is capable of understanding" (§4.2.2).
func checkVersion(lines []string) error {
	if len(lines) == 1 && trim(lines[0]) == Version {
		return nil
	}
	e := refuse(http.StatusBadRequest, "4.2.1", "Sec-WebSocket-Version: %s, want 13", found(lines))
	e.Header = http.Header{}
	if len(lines) == 1 {
		e.Status, e.Section, e.Header = http.StatusUpgradeRequired, "4.4", upgradeHeader()
	}
	e.Header[fieldVersion] = []string{Version}
	return e
}

// upgradeHeader goes with 426: "The server MUST send an Upgrade header field in
// a 426 response" (RFC 9110 §15.5.22), and Connection with that (§7.8).
func upgradeHeader() http.Header {
	return http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}}
}

// parseOffers reads what is the same over all versions of HTTP.
func parseOffers(h http.Header) (req Request, err error) {
	const status, section = http.StatusBadRequest, "4.2.1"
	if lines := h["Origin"]; len(lines) > 1 || len(lines) == 1 && trim(lines[0]) == "" {
		return req, refuse(status, section, "Origin: %s, want one origin or no such header", found(lines))
	} else if len(lines) == 1 {
		req.Origin = trim(lines[0])
	}
	if req.Subprotocols, err = subprotocol.Parse(h[fieldProtocol]); err != nil {
		return Request{}, refuse(status, section, "Sec-WebSocket-Protocol: %v", err)
	}
	if req.Extensions, err = parseExtensions(h[fieldExtensions]); err != nil {
		return Request{}, refuse(status, "9.1", "Sec-WebSocket-Extensions: %v", err)
	}
	return req, nil
}
