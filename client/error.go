package client

import (
	"errors"
	"fmt"
	"net/http"
)

// maxErrorBody is how much of a refusing response's body is kept.
const maxErrorBody = 4 << 10

// maxErrorText is how much of an error that may quote the peer at length is shown.
const maxErrorText = 512

// A HandshakeError says that a request was sent, and no WebSocket connection came
// of it. Retryable knows whether trying again may help.
type HandshakeError struct {
	// Status, Header and Body are those of the response: the code such as 403,
	// all of the header, the first 4 KiB of the body. Status is 101, over HTTP/2 one
	// of 2xx, if the answer broke a rule, 0 if there was none: what came was no
	// whole response, or nothing.
	Status int
	Header http.Header
	Body   []byte
	// Err is a *handshake.Error that says which rule was broken, or what went
	// wrong in reading.
	Err error

	authorized bool // the request had an Authorization
	opened     bool // the status was right
}

// Error returns the status, or the fault if the status was right.
func (e *HandshakeError) Error() string {
	if e.Status == 0 || e.opened {
		return fmt.Sprintf("handshake failed: %.*v", maxErrorText, e.Err)
	}
	s := fmt.Sprintf("server refused with %d %s", e.Status, http.StatusText(e.Status))
	if len(e.Body) > 0 {
		s += fmt.Sprintf(": %.128q", e.Body)
	}
	if e.Status == http.StatusUnauthorized {
		s += fmt.Sprintf(" (it wants %.128q, and %s)", e.Header.Get("WWW-Authenticate"), e.advice())
	}
	return s
}

func (e *HandshakeError) advice() string {
	if e.authorized {
		return "did not take the Authorization it got: see Options.Auth"
	}
	return "got no Authorization: set Options.Auth"
}

// Unwrap returns e.Err.
func (e *HandshakeError) Unwrap() error { return e.Err }

// proxyError is the answer of a proxy that opened no tunnel.
type proxyError struct{ status int }

func (e *proxyError) Error() string {
	s := fmt.Sprintf("CONNECT refused with %d %s", e.status, http.StatusText(e.status))
	if e.status == http.StatusProxyAuthRequired {
		s += ": give the proxy's URL a user and a password that it knows"
	}
	return s
}

var (
	errTooLarge  = errors.New("response header is too long: raise Options.MaxHandshakeBytes if that is meant")
	errInterim   = errors.New("too many interim responses before the final one")
	errDowngrade = errors.New("redirect from wss to ws: it would give up TLS")
)
