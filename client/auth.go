package client

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// An Auth returns the value of the request's Authorization header. It is called for
// every attempt to connect, also for those of Retry and Keep, and its time is part
// of Options.HandshakeTimeout, which ctx is bound to. An error means that nothing is
// sent. The value goes to the first host only, if redirects are followed.
//
// Without TLS everybody on the way can read it: use it with wss.
type Auth func(ctx context.Context) (value string, err error)

// Basic is the Auth of a user with a password (RFC 7617).
func Basic(user, password string) Auth {
	return func(context.Context) (string, error) {
		if strings.Contains(user, ":") || strings.ContainsFunc(user+password, isControl) {
			return "", errCredentials
		}
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password)), nil
	}
}

// Bearer is the Auth of whoever has token (RFC 6750).
func Bearer(token string) Auth {
	return BearerFrom(func(context.Context) (string, error) { return token, nil })
}

// BearerFrom is Bearer with a token that is asked for whenever it is needed, so that
// none has expired. source may keep one for as long as it is good.
func BearerFrom(source func(ctx context.Context) (token string, err error)) Auth {
	return func(ctx context.Context) (string, error) {
		token, err := source(ctx)
		if err != nil {
			return "", err
		}
		if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return "", errToken
		}
		return "Bearer " + token, nil
	}
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// An AuthError says that Options.Auth failed. Nothing has been sent.
type AuthError struct{ Err error }

// Error returns what went wrong.
func (e *AuthError) Error() string { return fmt.Sprintf("Options.Auth: %v", e.Err) }

// Unwrap returns e.Err.
func (e *AuthError) Unwrap() error { return e.Err }

var (
	errCredentials = errors.New("a user with a colon, or a control character in user or password: Basic cannot send them (RFC 7617 §2)")
	errToken       = errors.New("the token is empty, or has characters that none has (RFC 6750 §2.1)")
	errValue       = errors.New("it returned no value, or one with a control character")
)

// withAuth returns the header for the first host.
func (d dialer) withAuth(ctx context.Context) (http.Header, error) {
	if d.Auth == nil {
		return d.Header, nil
	}
	value, err := d.Auth(ctx)
	if err != nil {
		return nil, &AuthError{blame(ctx, err)}
	}
	if value == "" || !httpguts.ValidHeaderFieldValue(value) { // do not quote it
		return nil, &AuthError{errValue}
	}
	h := d.Header.Clone()
	if h == nil {
		h = http.Header{}
	}
	h.Set("Authorization", value)
	return h, nil
}
