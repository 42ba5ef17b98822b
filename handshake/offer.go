package handshake

import (
	"net/http"
	"strings"

	"github.com/swan-ws/websocket/subprotocol"
)

// Offer is what a client asks a server for.
type Offer struct {
	Target       Target      // from [ParseURL]
	Key          string      // from [NewKey], a new one for each connection; "" over HTTP/2
	Subprotocols []string    // in order of preference; none twice
	Extensions   []Extension // in order of preference; one name may come several times
	Header       http.Header // further fields, such as Origin, Cookie or Authorization
}

// AppendRequest appends the whole opening handshake of a client, from its
// request line to its empty line, and returns the extended buffer (§4.1). On an
// error, which is an [*Error] without a status, it returns dst as it was.
//
// Header must not hold what the handshake writes itself: Upgrade, Connection,
// Content-Length, Transfer-Encoding and Sec-WebSocket-*. One Host in it takes
// the place of the target's; its other fields follow in the order of their names.
func AppendRequest(dst []byte, o Offer) ([]byte, error) {
	host, err := checkOffer(o)
	if err != nil {
		return dst, err
	}
	if !ValidKey(o.Key) {
		return dst, refuse(0, "4.1", "Key: found %.128q, want the base64 of 16 bytes, as NewKey makes it", o.Key)
	}
	dst = append(dst, "GET "...)
	dst = append(dst, o.Target.RequestURI...)
	dst = append(dst, " HTTP/1.1\r\n"...)
	dst = appendField(dst, "Host", host)
	dst = append(dst, "Upgrade: websocket\r\nConnection: Upgrade\r\n"...)
	dst = appendField(dst, "Sec-WebSocket-Key", o.Key)
	dst = appendField(dst, "Sec-WebSocket-Version", Version)
	if len(o.Subprotocols) > 0 {
		dst = appendField(dst, "Sec-WebSocket-Protocol", strings.Join(o.Subprotocols, ", "))
	}
	dst = appendExtensionsField(dst, o.Extensions)
	dst = appendHeader(dst, o.Header, "Host")
	return append(dst, "\r\n"...), nil
}

// checkOffer lets nothing pass that could break out of its line, and returns
// the host to name.
func checkOffer(o Offer) (host string, err error) {
	const section = "4.1"
	if uri := o.Target.RequestURI; !validResource(uri) {
		return "", refuse(0, section, "Target: resource name %.128q does not come from ParseURL", uri)
	}
	if host, err = chooseHost(o); err != nil {
		return "", err
	}
	if err := subprotocol.Check(o.Subprotocols); err != nil {
		return "", refuse(0, section, "Subprotocols: %v", err)
	}
	if err := checkExtensions(0, o.Extensions); err != nil {
		return "", err
	}
	return host, checkHeader(0, section, o.Header)
}

// validResource holds for what resourceName returns.
func validResource(uri string) bool {
	escaped, wrong := escape(uri)
	return strings.HasPrefix(uri, "/") && wrong == "" && escaped == uri
}

// chooseHost also sees to the two fields that a request has at most once.
func chooseHost(o Offer) (string, error) {
	host := o.Target.Host
	for name, values := range o.Header {
		isHost := isKeyword(name, "Host")
		if (isHost || isKeyword(name, "Origin")) && len(values) > 1 {
			return "", refuse(0, "4.1", "Header: %s has %d values, want one", name, len(values))
		}
		if isHost && len(values) == 1 {
			host = values[0]
		}
	}
	if _, wrong := parseAuthority(host); wrong != "" {
		return "", refuse(0, "4.1", "Host: found %.128q, want host or host:port: %s", host, wrong)
	}
	return host, nil
}
