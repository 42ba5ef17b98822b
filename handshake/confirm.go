package handshake

import (
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Agreement is what a server has accepted of an [Offer].
type Agreement struct {
	Subprotocol string      // one of those offered, or "" for none
	Extensions  []Extension // some of those offered, by name, in the order they apply
}

// CheckResponse judges a server's answer to o by §4.1. It does not touch the
// body. Whether the parameters of an extension answer those offered is for the
// extension to judge.
//
// The error is an [*Error]; with a status other than 101 the response is one of
// HTTP, and the caller's to handle. If o is that of [NewConnect], and has no Key, the
// answer is to have come by HTTP/2, with a status of 2xx.
func CheckResponse(resp *http.Response, o Offer) (Agreement, error) {
	check := checkSwitched
	if o.Key == "" {
		check = checkConnected
	}
	if err := check(resp, o); err != nil {
		return Agreement{}, err
	}
	name, err := agreedSubprotocol(resp.Header[fieldProtocol], o.Subprotocols)
	if err != nil {
		return Agreement{}, err
	}
	list, err := agreedExtensions(resp.Header[fieldExtensions], o.Extensions)
	if err != nil {
		return Agreement{}, err
	}
	return Agreement{name, list}, nil
}

func checkSwitched(resp *http.Response, o Offer) error {
	if err := checkStatusLine(resp); err != nil {
		return err
	}
	if err := checkSwitch(resp.Header); err != nil {
		return err
	}
	// "[...] a value other than the base64-encoded SHA-1 of [...] but ignoring
	// any leading and trailing whitespace, the client MUST _Fail [...]"
	lines := resp.Header[fieldAccept]
	if want := AcceptKey(o.Key); len(lines) != 1 || trim(lines[0]) != want {
		return refuse(0, "4.1", "Sec-WebSocket-Accept: %s, want %q, once", found(lines), want)
	}
	return nil
}

func checkStatusLine(resp *http.Response) error {
	const section = "4.1"
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return refuse(0, section, "status: found %d %s, want 101 Switching Protocols", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	if resp.ProtoMajor != 1 || resp.ProtoMinor < 1 {
		return refuse(0, section, "found HTTP/%d.%d, want HTTP/1.1", resp.ProtoMajor, resp.ProtoMinor)
	}
	// A 101 has no body (RFC 9110 §15.2): who counts one would take frames for it.
	sized := slices.ContainsFunc(resp.Header["Content-Length"], func(v string) bool { return trim(v) != "0" })
	if sized || resp.ContentLength > 0 || len(resp.TransferEncoding) > 0 || resp.Header["Transfer-Encoding"] != nil {
		return refuse(0, "RFC 9110 §15.2", "Content-Length or Transfer-Encoding: found a body, want none after 101")
	}
	for name := range resp.Header { // net/http takes blanks in them
		if !httpguts.ValidHeaderFieldName(name) {
			return refuse(0, "RFC 9110 §5.1", "header name: found %.128q, want a token", name)
		}
	}
	return nil
}

func checkSwitch(h http.Header) error {
	if lines := h["Upgrade"]; len(lines) != 1 || !isKeyword(trim(lines[0]), "websocket") {
		return refuse(0, "4.1", "Upgrade: %s, want websocket, once", found(lines))
	}
	lines := h["Connection"]
	if upgrade, bad := listHas(lines, "upgrade", isToken); !upgrade || bad != "" {
		return refuse(0, "4.1", "Connection: %s, want Upgrade", found(lines))
	}
	return nil
}

// agreedSubprotocol wants one "that was present in the client's handshake", or
// no line at all.
func agreedSubprotocol(lines, offered []string) (string, error) {
	if len(lines) == 0 {
		return "", nil
	}
	name := trim(lines[0])
	if len(lines) > 1 || !slices.Contains(offered, name) {
		return "", refuse(0, "4.1", "Sec-WebSocket-Protocol: %s, want one of those offered: %.128q", found(lines), strings.Join(offered, ", "))
	}
	return name, nil
}

func agreedExtensions(lines []string, offered []Extension) ([]Extension, error) {
	const field = "Sec-WebSocket-Extensions"
	if len(lines) > 1 {
		return nil, refuse(0, "11.3.2", "%s: %s, want one", field, found(lines))
	}
	list, err := parseExtensions(lines)
	if err != nil {
		return nil, refuse(0, "9.1", "%s: %v", field, err)
	}
	for i, e := range list {
		named := func(other Extension) bool { return other.Name == e.Name }
		if !slices.ContainsFunc(offered, named) {
			return nil, refuse(0, "4.1", "%s: found %.128q, which was not offered", field, e.Name)
		}
		if slices.ContainsFunc(list[:i], named) {
			return nil, refuse(0, "9.1", "%s: found %.128q twice, want each once", field, e.Name)
		}
	}
	return list, nil
}
