package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"

	"github.com/swan-ws/websocket"
	"github.com/swan-ws/websocket/handshake"
)

// explain says why there is no connection, and what to try next.
func explain(err error, std stdio) int {
	if refusal, ok := errors.AsType[*websocket.HandshakeError](err); ok {
		return std.fail(exitRefused, refusalHint(refusal), "%s", refusalText(refusal))
	}
	if _, ok := errors.AsType[*handshake.Error](err); ok { // nothing has been sent
		return std.fail(exitUsage, "ws help connect", "%v", withoutPrefix(err))
	}
	return std.fail(exitConnect, networkHint(err), "%v", withoutPrefix(err))
}

// maxBody is how many lines of a refusal's body are shown.
const maxBody = 12

// refusalText is the status and the body, or what was wrong with the answer.
func refusalText(e *websocket.HandshakeError) string {
	if e.Status == 0 || e.Status == http.StatusSwitchingProtocols {
		return withoutPrefix(e)
	}
	text := fmt.Sprintf("the server refused with %d %s", e.Status, http.StatusText(e.Status))
	if strings.HasPrefix(e.Header.Get("Content-Type"), "text/html") {
		return text + ", and a page for browsers"
	}
	n := 0
	for line := range strings.Lines(strings.TrimSpace(string(e.Body))) {
		if n++; n > maxBody {
			return text + "\n  | ..."
		}
		text += "\n  | " + string(appendPrintable(nil, strings.TrimRight(line, "\r\n")))
	}
	return text
}

func refusalHint(e *websocket.HandshakeError) string {
	switch {
	case e.Status == 0:
		return "is it a WebSocket server? If it wants TLS, a URL with wss://"
	case e.Status == http.StatusSwitchingProtocols:
		return "another server or subprotocol (-s): this answer breaks the rules"
	case e.Status/100 == 3:
		return "ws connect with the address it points to: " + string(appendPrintable(nil, e.Header.Get("Location")))
	case e.Status == http.StatusUnauthorized:
		return "-H 'Authorization: Bearer TOKEN', or a cookie with -H 'Cookie: NAME=VALUE'"
	case e.Status == http.StatusForbidden:
		return "-o https://SITE, an origin that the server allows, or -H 'Authorization: Bearer TOKEN'"
	case e.Status == http.StatusNotFound, e.Status == http.StatusOK, e.Status == http.StatusMethodNotAllowed:
		return "another path: there is no WebSocket at this one"
	case e.Status/100 == 5:
		return "again later, or see the server's log"
	}
	return "the server's documentation: it may want other headers (-H), subprotocols (-s) or an origin (-o)"
}

func networkHint(err error) string {
	var unknown x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var dns *net.DNSError
	switch {
	case errors.As(err, &unknown):
		return "-ca FILE with the certificate of who signed it; for a test, -k"
	case errors.As(err, &hostname):
		return "the name that the certificate is for, in the URL"
	case errors.As(err, &invalid):
		return "a new certificate on the server, or the right time on this machine; for a test, -k"
	case errors.As(err, &record):
		return "a URL with ws://: the server speaks no TLS on this port"
	case errors.As(err, &alert):
		return "the server's log: it did not like something about the TLS handshake"
	case strings.Contains(err.Error(), `": proxy `):
		return "another -proxy, or none: look at HTTP_PROXY, HTTPS_PROXY and NO_PROXY"
	case errors.As(err, &dns):
		return "another spelling of the host, or check that this machine is online"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "another port, or start the server: nobody listens there (ws serve does on localhost:8080)"
	case errors.Is(err, context.DeadlineExceeded):
		return "another host or port: nobody answered, a firewall may be in between"
	}
	return "the same again, and if it stays, another URL"
}

// closeHint says what to do about an end that was not wanted.
func closeHint(err error) string {
	_, ours := errors.AsType[*websocket.ProtocolError](err)
	switch websocket.CloseStatus(err) {
	case websocket.CloseTooBig:
		if ours {
			return "-max-message -1, which takes messages of any length"
		}
		return "shorter messages, or a higher limit in the server (ws serve -max-message)"
	case websocket.CloseAbnormal:
		return "again: the server, a proxy or the network ended it without a word"
	case websocket.CloseInternalError:
		return "the server's log"
	case websocket.CloseServiceRestart, websocket.CloseTryAgainLater:
		return "again later"
	}
	return ""
}
