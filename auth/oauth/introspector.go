package oauth

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/swan-ws/websocket/auth/internal/claims"
	"github.com/swan-ws/websocket/auth/internal/fetch"
	"github.com/swan-ws/websocket/auth/internal/gate"
	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/server"
)

// What the zero Introspector stands for.
const (
	DefaultCacheFor  = time.Minute
	DefaultMaxCached = 10_000
)

const (
	maxToken    = 16 << 10        // bytes of a token
	maxAnswer   = 64 << 10        // bytes of what is said about it
	maxAsked    = 64              // questions at a time
	cacheNoFor  = 5 * time.Second // a token may become valid
	maxCachedNo = 1000            // of those that are not
)

// An Introspector asks the authorization server whose a token is, and remembers for
// a while what it said. It is not to be changed while it is in use.
type Introspector struct {
	// URL is the introspection endpoint.
	URL string
	// Auth says who is asking, as the endpoint wants it: Credentials, client.Bearer,
	// or client.BearerFrom with a grant. nil: Params does, or Client by its
	// certificate.
	Auth client.Auth
	// TokenTypeHint is sent along, if it is not empty: access_token.
	TokenTypeHint string
	// Params are sent along too, such as client_id and client_secret.
	Params url.Values

	// Claims must be in what is said of the token, with these values, such as iss and
	// aud; nil is any value. A list has each of its elements.
	Claims map[string]any
	// NameClaim is what becomes Principal.Name. "": sub.
	NameClaim string
	// ScopeClaim is what becomes Principal.Scopes. "": scope.
	ScopeClaim string
	// Principal, if set, makes the principal of what is said of a token that is
	// active, as encoding/json decodes it. An error refuses the token; one that is a
	// *server.Rejection is the final word. It is asked each time.
	Principal func(ctx context.Context, claims map[string]any) (*server.Principal, error)

	// CacheFor is how long the answer for an active token is good, and so how long
	// one that is revoked may still be used. It is never good after the token's exp.
	// 0: DefaultCacheFor. Negative: not at all, and that for other tokens neither,
	// which is otherwise good for 5 seconds.
	CacheFor time.Duration
	// MaxCached is how many tokens are remembered; the oldest are forgotten. 0:
	// DefaultMaxCached.
	MaxCached int
	// Timeout is how long an answer may take. 0: 10 seconds.
	Timeout time.Duration
	// Client asks, without following redirects. nil: http.DefaultClient.
	Client *http.Client
	// InsecureHTTP sends tokens over plain HTTP, where everybody on the way can read
	// and answer.
	InsecureHTTP bool

	gate    gate.Gate
	once    sync.Once
	yes, no *memory
}

// Credentials are a client.Auth for Introspector.Auth: the client's id and secret as
// RFC 6749 §2.3.1 wants them, which is not quite Basic.
func Credentials(id, secret string) client.Auth {
	return func(context.Context) (string, error) {
		pair := url.QueryEscape(id) + ":" + url.QueryEscape(secret)
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(pair)), nil
	}
}

// Validate says what is wrong with the Introspector, if anything is. Verify refuses
// every token with 500 then.
func (i *Introspector) Validate() error {
	if err := fetch.CheckURL(i.URL, i.InsecureHTTP); err != nil {
		return fmt.Errorf("websocket: oauth.Introspector: %w", err)
	}
	for _, own := range []string{"token", "token_type_hint"} {
		if i.Params.Has(own) {
			return fmt.Errorf("websocket: oauth.Introspector: Params has %q, which is not for it", own)
		}
	}
	return nil
}

// Verify is for server.Bearer. The Principal has what is said of the token as its
// Claims, a map[string]any. When the server does not answer, or with something else,
// the token is refused with 503.
func (i *Introspector) Verify(ctx context.Context, token string) (*server.Principal, error) {
	if err := i.Validate(); err != nil {
		return nil, gate.Misconfigured(err)
	}
	if len(token) > maxToken {
		return nil, fmt.Errorf("the token has %d bytes, more than %d", len(token), maxToken)
	}
	i.once.Do(func() {
		i.yes, i.no = newMemory(cmp.Or(i.MaxCached, DefaultMaxCached)), newMemory(maxCachedNo)
	})
	said, err := i.know(ctx, token)
	if err != nil {
		return nil, err
	}
	if i.Principal != nil {
		return i.Principal(ctx, said)
	}
	return claims.Principal(said, i.NameClaim, i.ScopeClaim)
}

// know returns what was said of a token lately, or asks.
func (i *Introspector) know(ctx context.Context, token string) (map[string]any, error) {
	i.once.Do(func() {
		i.yes, i.no = newMemory(cmp.Or(i.MaxCached, DefaultMaxCached)), newMemory(maxCachedNo)
	})
	key := sha256.Sum256([]byte(token))
	for _, m := range []*memory{i.yes, i.no} {
		if v, ok := m.get(key); ok {
			return v.said, v.err
		}
	}
	said, err := i.ask(ctx, token)
	if err != nil {
		return nil, gate.Unavailable(err)
	}
	good, err := valid(said)
	if err == nil {
		err = claims.Match(said, i.Claims)
	}
	switch {
	case i.CacheFor < 0:
	case err == nil:
		i.yes.put(key, verdict{said: said}, min(good, cmp.Or(i.CacheFor, DefaultCacheFor)))
	default:
		i.no.put(key, verdict{err: err}, cacheNoFor)
	}
	return said, err
}

// valid returns for how long the token is (RFC 7662 §2.2).
func valid(said map[string]any) (time.Duration, error) {
	if active, _ := said["active"].(bool); !active {
		return 0, errors.New("the token is not active")
	}
	// Others are worth nothing without a proof that comes with the request (RFC 9449).
	if kind, ok := said["token_type"].(string); ok && !strings.EqualFold(kind, "Bearer") {
		return 0, fmt.Errorf("the token's type is %.64q, not Bearer", kind)
	}
	now := float64(time.Now().UnixNano()) / 1e9
	nbf, begins := said["nbf"].(float64)
	exp, ends := said["exp"].(float64)
	switch {
	case begins && now < nbf:
		return 0, errors.New("the token is not valid yet")
	case !ends:
		return math.MaxInt64, nil
	case exp <= now:
		return 0, errors.New("the token has expired")
	}
	return time.Duration(min(exp-now, 1e9) * 1e9), nil
}

// ask asks the server.
func (i *Introspector) ask(ctx context.Context, token string) (said map[string]any, err error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(i.Timeout, fetch.Timeout))
	defer cancel()
	leave, err := i.gate.Enter(ctx, maxAsked)
	if err != nil {
		return nil, err
	}
	defer leave()
	form := url.Values{"token": {token}}
	if i.TokenTypeHint != "" {
		form.Set("token_type_hint", i.TokenTypeHint)
	}
	maps.Copy(form, i.Params)
	r, err := http.NewRequest(http.MethodPost, i.URL, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if i.Auth != nil {
		value, err := i.Auth(ctx)
		if err != nil {
			return nil, fmt.Errorf("oauth.Introspector: Auth: %w", err)
		}
		r.Header.Set("Authorization", value)
	}
	text, err := fetch.Body(ctx, i.Client, r, maxAnswer)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &said); err != nil {
		return nil, fmt.Errorf("%s: %w", r.URL.Redacted(), err)
	}
	if _, ok := said["active"].(bool); !ok {
		return nil, fmt.Errorf("%s does not say whether the token is active: is it the introspection endpoint?", r.URL.Redacted())
	}
	for _, name := range []string{"exp", "nbf"} {
		if _, number := said[name].(float64); said[name] != nil && !number {
			return nil, fmt.Errorf("%s has an %q that is no time", r.URL.Redacted(), name)
		}
	}
	return said, nil
}
