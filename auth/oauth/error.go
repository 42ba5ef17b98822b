package oauth

import (
	"errors"
	"fmt"

	"golang.org/x/oauth2"
)

// An Error is what the token endpoint answered instead of a token (RFC 6749 §5.2).
type Error struct {
	Status      int    // of the HTTP response
	Code        string // such as invalid_grant; may be empty
	Description string // for a developer; may be empty
}

// What to do about a code.
var advice = map[string]string{
	"invalid_client":         "check ID, Secret and SecretInBody",
	"invalid_grant":          "what was shown is wrong, used up or expired: password, refresh token or assertion",
	"unauthorized_client":    "the server does not let this client use the grant",
	"unsupported_grant_type": "the server does not know the grant",
	"invalid_scope":          "check Scopes",
}

// Error returns what was answered, cut, and what to do about it.
func (e *Error) Error() string {
	s := fmt.Sprintf("oauth: the token endpoint answers %d", e.Status)
	if e.Code != "" {
		s += fmt.Sprintf(" %.64q", e.Code)
	}
	if e.Description != "" {
		s += fmt.Sprintf(" (%.256q)", e.Description)
	}
	if todo, ok := advice[e.Code]; ok {
		s += ": " + todo
	}
	return s
}

// A passing error is one that client.Retryable takes for one of the network: the
// server is there, but does not feel well.
type passing struct{ err *Error }

func (e passing) Error() string   { return e.err.Error() }
func (e passing) Unwrap() error   { return e.err }
func (e passing) Timeout() bool   { return false }
func (e passing) Temporary() bool { return true }

// explain makes an Error of what the other package has for it.
func explain(err error) error {
	r, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		return err
	}
	e := &Error{Status: r.Response.StatusCode, Code: r.ErrorCode, Description: r.ErrorDescription}
	if e.Status >= 500 || e.Status == 429 {
		return passing{e}
	}
	return e
}
