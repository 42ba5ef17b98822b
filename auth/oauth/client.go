package oauth

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/swan-ws/websocket/auth/internal/fetch"
)

// What the zero Client stands for.
const (
	DefaultLifetime = time.Hour
	DefaultEarly    = 10 * time.Second
)

// A Client is a program that an authorization server knows. Its methods are the ways
// to get a token there; what they return is for client.BearerFrom. It asks the server
// when a token is wanted and the one at hand expires, under the context of whoever
// wants it; others wait for the same answer. It is not to be changed while it is in
// use.
type Client struct {
	// TokenURL is the token endpoint.
	TokenURL string
	// ID and Secret are those that the server has given to the program. They are sent
	// in the header; without a Secret, the ID in the body.
	ID, Secret string
	// SecretInBody sends them in the body, for servers that do not take the header.
	SecretInBody bool
	// Scopes are asked for. nil: those that the server gives by itself.
	Scopes []string
	// Params are sent along, such as audience or resource.
	Params url.Values

	// Lifetime is how long a token is good if the server does not say. 0:
	// DefaultLifetime.
	Lifetime time.Duration
	// Early is how long before its end a token is not used any more. 0: DefaultEarly.
	// Negative: it is, to its end.
	Early time.Duration
	// OnRefreshToken, if set, is told of each refresh token that comes with a token,
	// and takes the place of the one before: keep it, if it is to outlive the program.
	OnRefreshToken func(token string)

	// HTTP asks, without following redirects. nil: http.DefaultClient.
	HTTP *http.Client
	// InsecureHTTP sends secrets and tokens over plain HTTP, where everybody on the
	// way can read them.
	InsecureHTTP bool
}

// ClientCredentials is the grant of a program that acts for itself (RFC 6749 §4.4).
func (c *Client) ClientCredentials() func(ctx context.Context) (string, error) {
	return c.source("", func(context.Context) (url.Values, error) {
		return url.Values{"grant_type": {"client_credentials"}}, nil
	})
}

// Password is the grant of a user whose password the program has (RFC 6749 §4.3). It
// is for servers that have no other.
func (c *Client) Password(user, password string) func(ctx context.Context) (string, error) {
	return c.source("", func(context.Context) (url.Values, error) {
		return url.Values{"grant_type": {"password"}, "username": {user}, "password": {password}}, nil
	})
}

// RefreshToken is the grant of who has got a token before, and the refresh token that
// came with it (RFC 6749 §6). A server may send another one each time, after which
// the one before is worth nothing: see OnRefreshToken.
func (c *Client) RefreshToken(token string) func(ctx context.Context) (string, error) {
	return c.source(token, nil)
}

// Assertion is the grant of who can show a token of another kind, which says who they
// are (RFC 7523 §2.1). assertion is asked for one each time: jwt.Issuer.Token, with
// the token endpoint as its Audience.
func (c *Client) Assertion(assertion func(ctx context.Context) (string, error)) func(ctx context.Context) (string, error) {
	return c.source("", func(ctx context.Context) (url.Values, error) {
		token, err := assertion(ctx)
		if err != nil {
			return nil, err
		}
		return url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {token}}, nil
	})
}

func (c *Client) source(refresh string, grant func(context.Context) (url.Values, error)) func(context.Context) (string, error) {
	s := &source{Client: c, grant: grant, refresh: refresh, busy: make(chan struct{}, 1)}
	return s.token
}

// A source is a token and how to get the next one.
type source struct {
	*Client
	grant func(context.Context) (url.Values, error) // nil: there is but the refresh token

	busy    chan struct{} // held by the one who looks
	refresh string        // the refresh token; "": there is none
	current string
	until   time.Time // when the current token is not used any more
}

func (s *source) token(ctx context.Context) (string, error) {
	select {
	case s.busy <- struct{}{}:
		defer func() { <-s.busy }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if time.Now().Before(s.until) {
		return s.current, nil
	}
	t, err := s.renew(ctx)
	if err != nil {
		return "", err
	}
	if t.Expiry.IsZero() {
		t.Expiry = time.Now().Add(cmp.Or(s.Lifetime, DefaultLifetime))
	}
	s.current = t.AccessToken
	s.until = t.Expiry.Add(-max(0, cmp.Or(s.Early, DefaultEarly)))
	if t.RefreshToken != "" && t.RefreshToken != s.refresh {
		s.refresh = t.RefreshToken
		if s.OnRefreshToken != nil {
			s.OnRefreshToken(s.refresh)
		}
	}
	return s.current, nil
}

// renew shows the refresh token, if there is one, and otherwise, or if it is not
// taken, what the grant is about.
func (s *source) renew(ctx context.Context) (*oauth2.Token, error) {
	if s.refresh != "" || s.grant == nil {
		t, err := s.ask(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {s.refresh}})
		if e, ok := errors.AsType[*Error](err); s.grant == nil || !ok || e.Code != "invalid_grant" {
			return t, err
		}
	}
	form, err := s.grant(ctx)
	if err != nil {
		return nil, err
	}
	s.refresh = ""
	return s.ask(ctx, form)
}

// ask gets a token for what the form shows.
func (c *Client) ask(ctx context.Context, form url.Values) (*oauth2.Token, error) {
	if err := fetch.CheckURL(c.TokenURL, c.InsecureHTTP); err != nil {
		return nil, err
	}
	for name := range c.Params {
		if form.Has(name) {
			return nil, errors.New("oauth: Params has " + name + ", which the grant sets")
		}
	}
	maps.Copy(form, c.Params)
	config := clientcredentials.Config{ // which sends any grant
		ClientID: c.ID, ClientSecret: c.Secret, TokenURL: c.TokenURL, Scopes: c.Scopes,
		EndpointParams: form, AuthStyle: oauth2.AuthStyleInHeader,
	}
	if c.SecretInBody || c.Secret == "" {
		config.AuthStyle = oauth2.AuthStyleInParams
	}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, fetch.Client(c.HTTP))
	t, err := config.Token(ctx)
	if err != nil {
		return nil, explain(err)
	}
	if !strings.EqualFold(t.Type(), "Bearer") { // RFC 6749 §7.1
		return nil, errors.New("oauth: the token endpoint issues tokens that are no Bearer tokens")
	}
	return t, nil
}
