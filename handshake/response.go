package handshake

import (
	"net/http"

	"github.com/swan-ws/websocket/subprotocol"
)

// Response is what a server answers to a handshake that it accepts.
type Response struct {
	Key         string      // the client's; "" over HTTP/2
	Subprotocol string      // one that the client offered, or "" for none
	Extensions  []Extension // some that the client offered, in the order they apply
	Header      http.Header // further fields, such as Set-Cookie
}

// AppendResponse appends the whole 101 response, from its status line to its
// empty line, and returns the extended buffer (§4.2.2 item 5). On an error,
// which is an [*Error] with status 500, it returns dst as it was.
//
// Header must not hold what the handshake writes itself: Upgrade, Connection,
// Content-Length, Transfer-Encoding and Sec-WebSocket-*. Its fields follow in
// the order of their names.
func AppendResponse(dst []byte, resp Response) ([]byte, error) {
	if !ValidKey(resp.Key) {
		return dst, refuse(http.StatusInternalServerError, "4.2.2", "Key: found %.128q, want the client's Sec-WebSocket-Key", resp.Key)
	}
	if err := checkAgreed(resp); err != nil {
		return dst, err
	}
	dst = append(dst, "HTTP/1.1 101 Switching Protocols\r\n"+
		"Upgrade: websocket\r\n"+
		"Connection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: "...)
	dst = append(appendAccept(dst, resp.Key), "\r\n"...)
	// "If the server does not agree to one of the suggested subprotocols, it
	// MUST NOT send back a |Sec-WebSocket-Protocol| header field."
	if resp.Subprotocol != "" {
		dst = appendField(dst, "Sec-WebSocket-Protocol", resp.Subprotocol)
	}
	dst = appendExtensionsField(dst, resp.Extensions)
	dst = appendHeader(dst, resp.Header, "")
	return append(dst, "\r\n"...), nil
}

// checkAgreed lets nothing pass that could break out of its line.
func checkAgreed(resp Response) error {
	const status, section = http.StatusInternalServerError, "4.2.2"
	if resp.Subprotocol != "" && !subprotocol.Valid(resp.Subprotocol) {
		return refuse(status, section, "Subprotocol: found %.128q, want a token or nothing", resp.Subprotocol)
	}
	if err := checkExtensions(status, resp.Extensions); err != nil {
		return err
	}
	return checkHeader(status, section, resp.Header)
}

// appendExtensionsField writes one line, for in a response the field "MUST NOT
// appear more than once" (§11.3.2), or none.
func appendExtensionsField(dst []byte, list []Extension) []byte {
	if len(list) == 0 {
		return dst
	}
	dst = append(dst, "Sec-WebSocket-Extensions: "...)
	return append(AppendExtensions(dst, list), "\r\n"...)
}
