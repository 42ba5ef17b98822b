package handshake

import (
	"net/http"
	"strings"
)

// fieldProtocolPseudo is where readers of HTTP/2 in Go put the pseudo-header field.
const fieldProtocolPseudo = ":protocol"

// parseConnect judges the opening handshake over HTTP/2 (RFC 8441 §5), of which the
// reader has seen to what is HTTP/2's: no Connection, no Upgrade, a :path.
func parseConnect(r *http.Request) (req Request, err error) {
	const section = "RFC 8441 §5"
	switch lines := r.Header[fieldProtocolPseudo]; {
	case len(lines) == 0:
		return req, refuse(http.StatusMethodNotAllowed, "RFC 8441 §4", "CONNECT asks for a tunnel, want one with :protocol")
	case len(lines) != 1 || lines[0] != "websocket":
		return req, refuse(http.StatusNotImplemented, section, ":protocol: %s, want websocket", found(lines))
	case !strings.HasPrefix(r.RequestURI, "/") || strings.Contains(r.RequestURI, "#"):
		return req, refuse(http.StatusBadRequest, section, ":path: found %.128q, want one that begins with / and has no fragment", r.RequestURI)
	case r.ContentLength != -1 || r.Header["Content-Length"] != nil:
		return req, refuse(http.StatusBadRequest, section, "found a body, or the end of the stream, want a stream for frames")
	}
	if err := checkHost(r); err != nil {
		return req, err
	}
	if lines := r.Header[fieldVersion]; len(lines) != 1 || trim(lines[0]) != Version {
		e := refuse(http.StatusBadRequest, "4.4", "Sec-WebSocket-Version: %s, want 13", found(lines))
		e.Header = http.Header{fieldVersion: {Version}}
		return req, e
	}
	return parseOffers(r.Header)
}

// ResponseHeader returns the fields of the response that opens a connection over
// HTTP/2 (RFC 8441 §5), whose status is 200. resp.Key is "". Otherwise it is
// [AppendResponse].
func ResponseHeader(resp Response) (http.Header, error) {
	if err := checkAgreed(resp); err != nil {
		return nil, err
	}
	h := resp.Header.Clone()
	if h == nil {
		h = http.Header{}
	}
	if resp.Subprotocol != "" {
		h.Set(fieldProtocol, resp.Subprotocol)
	}
	if len(resp.Extensions) > 0 {
		h.Set(fieldExtensions, string(AppendExtensions(nil, resp.Extensions)))
	}
	return h, nil
}

// NewConnect returns a client's opening handshake over HTTP/2 (RFC 8441 §5), for an
// http.RoundTripper that can send it: one that takes the field ":protocol" of a
// CONNECT, as the Transport of golang.org/x/net/http2 does. Give it a context, and the
// frames to send for its Body. o has no Key; [CheckResponse] judges the answer to it.
// The error is that of [AppendRequest].
func NewConnect(o Offer) (*http.Request, error) {
	if o.Key != "" {
		return nil, refuse(0, "RFC 8441 §5", "Key: found %.128q, want none over HTTP/2", o.Key)
	}
	host, err := checkOffer(o)
	if err != nil {
		return nil, err
	}
	h := http.Header{}
	for name, values := range o.Header {
		if !isKeyword(name, "Host") {
			h[name] = values
		}
	}
	h[fieldProtocolPseudo] = []string{"websocket"}
	h.Set(fieldVersion, Version)
	if len(o.Subprotocols) > 0 {
		h.Set(fieldProtocol, strings.Join(o.Subprotocols, ", "))
	}
	if len(o.Extensions) > 0 {
		h.Set(fieldExtensions, string(AppendExtensions(nil, o.Extensions)))
	}
	return &http.Request{
		Method: http.MethodConnect, URL: o.Target.HTTPURL(), Host: host, Header: h, ContentLength: -1,
		Proto: "HTTP/2.0", ProtoMajor: 2,
	}, nil
}

// checkConnected judges the answer to a NewConnect. "Any 2xx (Successful) response
// indicates that [...]" (RFC 9110 §9.3.6).
func checkConnected(resp *http.Response, _ Offer) error {
	switch {
	case resp.ProtoMajor != 2:
		return refuse(0, "RFC 8441 §5", "found HTTP/%d.%d, want HTTP/2", resp.ProtoMajor, resp.ProtoMinor)
	case resp.StatusCode/100 != 2:
		return refuse(0, "RFC 8441 §5", "status: found %d %s, want 200 OK", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	return nil
}
