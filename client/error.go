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
// of it. With a Status below 500 other than 101 and 429, trying again will hardly
// help; with a Status of 0 it may.
type HandshakeError struct {
	// Status, Header and Body are those of the response: the code such as 403,
	// all of the header, the first 4 KiB of the body. Status is 101 if the answer
	// broke a rule, 0 if there was none: what came was no whole response, or
	// nothing.
	Status int
	Header http.Header
	Body   []byte
	// Err is a *handshake.Error that says which rule was broken, or what went
	// wrong in reading.
	Err error
}

// Error returns the status, or the fault if the status was right.
func (e *HandshakeError) Error() string {
	if e.Status == 0 || e.Status == http.StatusSwitchingProtocols {
		return fmt.Sprintf("handshake failed: %.*v", maxErrorText, e.Err)
	}
	s := fmt.Sprintf("server refused with %d %s", e.Status, http.StatusText(e.Status))
	if len(e.Body) > 0 {
		s += fmt.Sprintf(": %.128q", e.Body)
	}
	return s
}

// Unwrap returns e.Err.
func (e *HandshakeError) Unwrap() error { return e.Err }

var (
	errTooLarge  = errors.New("response header is too long: raise Options.MaxHandshakeBytes if that is meant")
	errInterim   = errors.New("too many interim responses before the final one")
	errDowngrade = errors.New("redirect from wss to ws: it would give up TLS")
)
