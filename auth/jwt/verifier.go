package jwt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	gojwt "github.com/golang-jwt/jwt/v5"

	"github.com/swan-ws/websocket/auth/internal/claims"
	"github.com/swan-ws/websocket/auth/internal/gate"
	"github.com/swan-ws/websocket/server"
)

// MaxToken is how long a token may be, in bytes.
const MaxToken = 16 << 10

// A Verifier tells whose a token is. It wants a signature of one of the Keys, the
// Issuer, one of the Audience, and the time until which the token is valid; what it
// does not know it refuses. It is not to be changed while it is in use.
type Verifier struct {
	// Keys are those of who may sign: JWKS, LoadKeys, Secret, or your own.
	Keys Keys
	// Issuer is who the token must be from: its iss.
	Issuer string
	// Audience is whom the token may be for: one of these must be in its aud.
	Audience []string
	// InsecureAnyIssuer takes tokens of whoever has one of the Keys, Issuer empty.
	InsecureAnyIssuer bool
	// InsecureAnyAudience takes tokens that are for another service, Audience empty:
	// that service can then be anybody here.
	InsecureAnyAudience bool

	// Algorithms, if set, are the only ones, such as RS256. Each key has its own in
	// any case: no token chooses how it is verified.
	Algorithms []string
	// Types are those that a token may have, its header's typ; "" is one without.
	// nil: JWT and at+jwt (RFC 9068).
	Types []string
	// Skew is how far apart the clocks of issuer and server may be. 0: not at all.
	Skew time.Duration
	// Claims must be in the token with these values; nil is any value. A list in the
	// token has each of its elements.
	Claims map[string]any

	// NameClaim is the claim that becomes Principal.Name. "": sub.
	NameClaim string
	// ScopeClaim is the claim that becomes Principal.Scopes: words with spaces
	// between, or a list. "": scope.
	ScopeClaim string
	// Principal, if set, makes the principal of the claims of a token that is valid,
	// as encoding/json decodes them. An error refuses the token; one that is a
	// *server.Rejection is the final word.
	Principal func(ctx context.Context, claims map[string]any) (*server.Principal, error)
}

// Validate says what is wrong with the Verifier, if anything is. Verify refuses
// every token with 500 then.
func (v *Verifier) Validate() error {
	switch {
	case v.Keys == nil:
		return errors.New("websocket: jwt.Verifier has no Keys: set JWKS, LoadKeys or Secret")
	case (v.Issuer == "") != v.InsecureAnyIssuer:
		return errors.New("websocket: jwt.Verifier needs an Issuer, or InsecureAnyIssuer, and not both")
	case (len(v.Audience) == 0) != v.InsecureAnyAudience || slices.Contains(v.Audience, ""):
		return errors.New("websocket: jwt.Verifier needs an Audience, or InsecureAnyAudience, and not both")
	case v.Skew < 0:
		return errors.New("websocket: jwt.Verifier has a negative Skew")
	}
	for _, name := range v.Algorithms {
		if !slices.Contains(allAlgorithms, name) {
			return fmt.Errorf("websocket: jwt.Verifier has the algorithm %q: want some of %q", name, allAlgorithms)
		}
	}
	return nil
}

// Verify is for server.Bearer. The Principal has the token's claims as its Claims, a
// map[string]any. A token that cannot be verified now, because its key cannot be
// had, is refused with 503.
func (v *Verifier) Verify(ctx context.Context, token string) (*server.Principal, error) {
	if err := v.Validate(); err != nil {
		return nil, gate.Misconfigured(err)
	}
	if len(token) > MaxToken {
		return nil, fmt.Errorf("the token has %d bytes, more than %d", len(token), MaxToken)
	}
	said := gojwt.MapClaims{}
	find := func(t *gojwt.Token) (any, error) { return v.keysFor(ctx, t.Header) }
	if _, err := v.parser().ParseWithClaims(token, said, find); err != nil {
		return nil, err
	}
	if err := claims.Match(said, v.Claims); err != nil {
		return nil, err
	}
	if v.Principal != nil {
		return v.Principal(ctx, said)
	}
	return claims.Principal(said, v.NameClaim, v.ScopeClaim)
}

// parser checks the signature with the keys of keysFor, and then the claims.
func (v *Verifier) parser() *gojwt.Parser {
	algorithms := v.Algorithms
	if algorithms == nil {
		algorithms = allAlgorithms
	}
	o := []gojwt.ParserOption{
		gojwt.WithValidMethods(algorithms),
		gojwt.WithStrictDecoding(),
		gojwt.WithExpirationRequired(),
		gojwt.WithIssuedAt(),
		gojwt.WithLeeway(v.Skew),
	}
	if v.Issuer != "" {
		o = append(o, gojwt.WithIssuer(v.Issuer))
	}
	if len(v.Audience) > 0 {
		o = append(o, gojwt.WithAudience(v.Audience...))
	}
	return gojwt.NewParser(o...)
}

var errHeader = errors.New("the token's header is not one of a signed token")

// keysFor returns the keys that may have signed a token with this header.
func (v *Verifier) keysFor(ctx context.Context, header map[string]any) (any, error) {
	id, hasID := header["kid"].(string)
	algorithm, _ := header["alg"].(string)
	if _, named := header["kid"]; named != hasID {
		return nil, errHeader
	}
	if _, critical := header["crit"]; critical { // RFC 7515 §4.1.11: we understand no extension
		return nil, errHeader
	}
	if err := v.checkType(header["typ"]); err != nil {
		return nil, err
	}
	found, err := v.Keys(ctx, id)
	if err != nil {
		return nil, gate.Unavailable(err)
	}
	var set gojwt.VerificationKeySet
	for _, k := range found {
		if k.fits(id, algorithm, time.Now()) {
			set.Keys = append(set.Keys, k.Value)
		}
	}
	if len(set.Keys) == 0 {
		return nil, fmt.Errorf("there is no key %.64q for %s", id, algorithm)
	}
	return set, nil
}

// checkType keeps tokens for other purposes out (RFC 8725 §3.11).
func (v *Verifier) checkType(header any) error {
	typ, _ := header.(string)
	if header != nil && typ == "" {
		return errHeader
	}
	types := v.Types
	if types == nil {
		types = []string{"JWT", "at+jwt"}
	}
	if !slices.ContainsFunc(types, func(t string) bool { return strings.EqualFold(bare(t), bare(typ)) }) {
		return fmt.Errorf("the token's type is %.64q: see Types", typ)
	}
	return nil
}

// bare is the type as RFC 7515 §4.1.9 would like it written.
func bare(mediaType string) string {
	const prefix = "application/"
	if len(mediaType) > len(prefix) && strings.EqualFold(mediaType[:len(prefix)], prefix) {
		return mediaType[len(prefix):]
	}
	return mediaType
}
