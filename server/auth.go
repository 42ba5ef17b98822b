package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
)

// A Principal is who a request or a connection is from: a person, a program, a
// device. It is shared by all who ask for it, and not to be changed.
type Principal struct {
	Name   string
	Scopes []string // what they may do, in words of the service's own
	Claims any      // what else is known: of a token, a certificate, a session
}

// Has reports whether scope is among the Scopes. A nil Principal has none.
func (p *Principal) Has(scope string) bool { return p != nil && slices.Contains(p.Scopes, scope) }

type principalKey struct{}

// PrincipalOf returns who Authenticate found out: of a request, from its Context(),
// and of a connection accepted from it, from the *conn.Conn. nil: nobody has asked.
func PrincipalOf(from interface{ Value(key any) any }) *Principal {
	p, _ := from.Value(principalKey{}).(*Principal)
	return p
}

// An Authenticator finds out who has sent a request. An error says that it cannot
// tell. That of Basic and Bearer is a *Rejection with 401 and the challenge to be
// sent; a *Rejection with another status is the final word.
type Authenticator func(r *http.Request) (*Principal, error)

// Authenticate lets requests through to next whose sender is known in one of the
// ways, which are tried in turn; PrincipalOf then says who it is. Others are
// refused: with 401 and the challenges of all ways (RFC 9110 §11.6.1), or with 403
// if there is none. next is a Service, an Upgrade, or any other handler.
//
// The peer learns nothing more; the reason goes to the log, as information.
func Authenticate(next http.Handler, ways ...Authenticator) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := identify(r, ways)
		if err != nil {
			turnAway(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), principalKey{}, p)))
	})
}

func identify(r *http.Request, ways []Authenticator) (*Principal, error) {
	rejection := &Rejection{Status: http.StatusForbidden, Header: http.Header{}}
	var reasons []string
	for _, way := range ways {
		p, err := way(r)
		switch {
		case err == nil && p != nil:
			return p, nil
		case err == nil:
			continue
		}
		reasons = append(reasons, err.Error())
		if e, ok := errors.AsType[*Rejection](err); ok {
			if e.Status != http.StatusUnauthorized {
				return nil, err
			}
			for name, values := range e.Header {
				name = http.CanonicalHeaderKey(name)
				rejection.Header[name] = append(rejection.Header[name], values...)
			}
			rejection.Body = e.Body
		}
	}
	if len(rejection.Header["Www-Authenticate"]) > 0 { // which a 401 must have
		rejection.Status = http.StatusUnauthorized
	}
	return nil, &reason{rejection, cmp.Or(strings.Join(reasons, "; "), "nobody knows who this is")}
}

// A reason is for the log what its Rejection is for the peer.
type reason struct {
	*Rejection
	why string
}

func (e *reason) Error() string { return e.why }
func (e *reason) Unwrap() error { return e.Rejection }

// Authorize lets requests through to next on which may returns nil. Others are
// refused with what its error says if that is a *Rejection, otherwise with 403. It
// belongs inside of Authenticate:
//
//	server.Authenticate(server.Authorize(service, server.AnyScope("chat")), ways...)
//
// For a Service alone, Options.Check does the same.
func Authorize(next http.Handler, may func(*http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := may(r); err != nil {
			turnAway(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// AnyScope is for Authorize and Options.Check: it refuses, with 403, who has none
// of the scopes.
func AnyScope(scopes ...string) func(*http.Request) error {
	return func(r *http.Request) error {
		p := PrincipalOf(r.Context())
		if p == nil {
			return errors.New("it is not known who this is: is the handler inside of Authenticate?")
		}
		if !slices.ContainsFunc(scopes, p.Has) {
			return fmt.Errorf("has none of the scopes %q", scopes)
		}
		return nil
	}
}

// Basic is the way of RFC 7617: a name and a password with each request, which is
// for TLS only. realm says to people what they are for. login returns who they are
// of; any error of its but a *Rejection means that they are wrong. Users.Login is
// one.
func Basic(realm string, login func(ctx context.Context, name, password string) (*Principal, error)) Authenticator {
	challenge := "Basic realm=" + quotedString(realm) + `, charset="UTF-8"`
	return func(r *http.Request) (*Principal, error) {
		name, password, ok := r.BasicAuth()
		if !ok || len(r.Header["Authorization"]) > 1 {
			return nil, unauthorized(challenge, "no name and password")
		}
		p, err := login(r.Context(), name, password)
		return verdict(p, err, challenge)
	}
}

// Bearer is the way of RFC 6750: a token with each request, which is for TLS only.
// verify returns whose it is; any error of its but a *Rejection means that it is
// not valid.
func Bearer(realm string, verify func(ctx context.Context, token string) (*Principal, error)) Authenticator {
	challenge := "Bearer realm=" + quotedString(realm)
	return func(r *http.Request) (*Principal, error) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		token = strings.TrimSpace(token)
		if !strings.EqualFold(scheme, "Bearer") || token == "" || len(r.Header["Authorization"]) > 1 {
			// §3.1: without a token there is no error to speak of.
			return nil, unauthorized(challenge, "no token")
		}
		p, err := verify(r.Context(), token)
		return verdict(p, err, challenge+`, error="invalid_token"`)
	}
}

// ClientCertificate is an Authenticator for mutual TLS: the principal has the
// common name of the certificate's subject, or all of the subject if it has none,
// and the *x509.Certificate as its Claims. One that TLS has not verified does not
// count.
func ClientCertificate(r *http.Request) (*Principal, error) {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		return nil, errors.New("no verified client certificate")
	}
	cert := r.TLS.VerifiedChains[0][0]
	name := cert.Subject.CommonName
	if name == "" {
		name = cert.Subject.String()
	}
	return &Principal{Name: name, Claims: cert}, nil
}

// verdict makes errors that are about the credentials say so to the peer.
func verdict(p *Principal, err error, challenge string) (*Principal, error) {
	if err == nil && p == nil {
		err = errors.New("unknown")
	}
	if err == nil {
		return p, nil
	}
	if _, ok := errors.AsType[*Rejection](err); ok {
		return nil, err
	}
	return nil, unauthorized(challenge, err.Error())
}

func unauthorized(challenge, why string) error {
	return &reason{&Rejection{Status: http.StatusUnauthorized, Header: http.Header{"Www-Authenticate": {challenge}}}, why}
}

// quotedString is one of RFC 9110 §5.6.4.
func quotedString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r < ' ' || r == 0x7f:
			continue
		case r == '"' || r == '\\':
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String() + `"`
}

func turnAway(w http.ResponseWriter, r *http.Request, err error) {
	refuse(w, r, observerOf(r, nil), err)
	loggerOf(r).Info("websocket: request refused", "remote", r.RemoteAddr, "path", r.URL.Path, "error", err)
}

type loggerKey struct{}

func withLogger(ctx context.Context, log *slog.Logger) context.Context {
	return context.WithValue(ctx, loggerKey{}, log)
}

// loggerOf returns the Logger of the Server that the request came to.
func loggerOf(r *http.Request) *slog.Logger {
	if log, ok := r.Context().Value(loggerKey{}).(*slog.Logger); ok {
		return log
	}
	return slog.Default()
}
