package oauth_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/auth/internal/authtest"
	"github.com/swan-ws/websocket/auth/jwt"
	"github.com/swan-ws/websocket/auth/oauth"
	wsclient "github.com/swan-ws/websocket/client"
)

type source = func(context.Context) (string, error)

func app(s *authServer) *oauth.Client {
	return &oauth.Client{TokenURL: s.URL + "/token", ID: clientID, Secret: clientSecret, HTTP: s.Client()}
}

func TestClient_GetsATokenForEachGrant(t *testing.T) {
	s := newAuthServer(t)
	assertion := &jwt.Issuer{Key: assertionSecret, Issuer: "clock", Subject: "clock", Audience: []string{s.URL + "/token"}}
	s.refresh["first"] = user
	for _, tt := range []struct {
		name  string
		grant func(c *oauth.Client) source
		who   string
		sent  url.Values
	}{
		{"client credentials", (*oauth.Client).ClientCredentials, clientID, url.Values{"grant_type": {"client_credentials"}}},
		{
			"password", func(c *oauth.Client) source { return c.Password(user, password) }, user,
			url.Values{"grant_type": {"password"}, "username": {user}, "password": {password}},
		},
		{
			"refresh token", func(c *oauth.Client) source { return c.RefreshToken("first") }, user,
			url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"first"}},
		},
		{
			"assertion", func(c *oauth.Client) source { return c.Assertion(assertion.Token) }, "clock",
			url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}},
		},
	} {
		c := app(s)
		c.Scopes, c.Params = []string{"chat", "admin"}, url.Values{"resource": {"https://chat.test"}}
		next := tt.grant(c)
		token, err := next(t.Context())
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if s.tokens[token]["sub"] != tt.who || s.tokens[token]["scope"] != "chat admin" {
			t.Errorf("%s: got a token of %v", tt.name, s.tokens[token])
		}
		if again, err := next(t.Context()); again != token || err != nil {
			t.Errorf("%s: another token, %v", tt.name, err)
		}
		sent := s.asked()
		if len(sent) != 1 {
			t.Errorf("%s: asked %d times", tt.name, len(sent))
		}
		sent[0].Del("assertion")
		tt.sent.Set("scope", "chat admin")
		tt.sent.Set("resource", "https://chat.test")
		if sent[0].Encode() != tt.sent.Encode() {
			t.Errorf("%s: sent %v, want %v", tt.name, sent[0], tt.sent)
		}
	}
}

func TestClient_SaysWhoItIs(t *testing.T) {
	s := newAuthServer(t)
	for _, tt := range []struct {
		name string
		set  func(c *oauth.Client)
		sent url.Values
		good bool
	}{
		{"in the header", func(*oauth.Client) {}, url.Values{}, true},
		{"in the body", func(c *oauth.Client) { c.SecretInBody = true }, url.Values{"client_id": {clientID}, "client_secret": {clientSecret}}, true},
		{"without a secret", func(c *oauth.Client) { c.ID, c.Secret = public, "" }, url.Values{"client_id": {public}}, true},
		{"with a wrong secret", func(c *oauth.Client) { c.Secret = "wrong" }, url.Values{}, false},
		{"not", func(c *oauth.Client) { c.ID, c.Secret = "", "" }, url.Values{}, false},
	} {
		c := app(s)
		tt.set(c)
		_, err := c.ClientCredentials()(t.Context())
		if (err == nil) != tt.good {
			t.Errorf("%s: %v", tt.name, err)
		}
		tt.sent.Set("grant_type", "client_credentials")
		if sent := s.asked(); len(sent) != 1 || sent[0].Encode() != tt.sent.Encode() {
			t.Errorf("%s: sent %v, want %v", tt.name, sent, tt.sent)
		}
	}
}

// tokens is a token endpoint without a network that gives t1, t2 and so on.
type tokens struct {
	mu    sync.Mutex
	asked []url.Values
	with  string // what else it says
}

func (e *tokens) client(c oauth.Client) *oauth.Client {
	c.TokenURL, c.ID, c.Secret = "https://issuer.test/token", "app", "secret"
	c.HTTP = authtest.Client(func(r *http.Request) (int, string, error) {
		e.mu.Lock()
		defer e.mu.Unlock()
		r.ParseForm()
		e.asked = append(e.asked, r.PostForm)
		return 200, `{"access_token": "t` + strings.Repeat("1", len(e.asked)) + `"` + e.with + `}`, nil
	})
	return &c
}

func TestClient_RenewsInTime(t *testing.T) {
	for _, tt := range []struct {
		name string
		with string
		c    oauth.Client
		good time.Duration
	}{
		{"ten seconds early", `, "expires_in": 600`, oauth.Client{}, 590 * time.Second},
		{"at its end", `, "expires_in": 600`, oauth.Client{Early: -1}, 600 * time.Second},
		{"a minute early", `, "expires_in": "600"`, oauth.Client{Early: time.Minute}, 540 * time.Second},
		{"after an hour, if nothing is said", ``, oauth.Client{Early: -1}, time.Hour},
		{"after a day, if nothing is said", ``, oauth.Client{Early: -1, Lifetime: 24 * time.Hour}, 24 * time.Hour},
		{"each time, if it is too short", `, "expires_in": 5`, oauth.Client{}, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			e := &tokens{with: tt.with}
			next := e.client(tt.c).ClientCredentials()
			want := func(when, token string) {
				t.Helper()
				if got, err := next(t.Context()); got != token || err != nil {
					t.Errorf("%s, %s: %q, %v", tt.name, when, got, err)
				}
			}
			want("at first", "t1")
			if tt.good > 0 {
				<-time.After(tt.good - time.Nanosecond)
				want("just before", "t1")
				<-time.After(time.Nanosecond)
			}
			want("then", "t11")
		})
	}
}

func TestClient_AsksOnceForAll(t *testing.T) {
	e := &tokens{}
	next := e.client(oauth.Client{}).ClientCredentials()
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if token, err := next(t.Context()); token != "t1" || err != nil {
				t.Errorf("%q, %v", token, err)
			}
		})
	}
	all.Wait()
	if len(e.asked) != 1 {
		t.Errorf("asked %d times", len(e.asked))
	}
}

// A context that ends is the end for its caller, and for nobody else.
func TestClient_GivesUpWithItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		c := &oauth.Client{TokenURL: "https://issuer.test/token", HTTP: authtest.Client(func(r *http.Request) (int, string, error) {
			if time.Since(start) < 2*time.Second {
				return authtest.Hang(r)
			}
			return 200, `{"access_token": "t"}`, nil
		})}
		next := c.ClientCredentials()
		var all sync.WaitGroup
		for n, patience := range []time.Duration{time.Second, time.Second, 2 * time.Second, time.Minute} {
			<-time.After(time.Millisecond) // so that it is clear who is first
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				begin := time.Now()
				token, err := next(ctx)
				took := time.Since(begin)
				if gaveUp := errors.Is(err, context.DeadlineExceeded); gaveUp != (n < 3) || gaveUp && took != patience || !gaveUp && token != "t" {
					t.Errorf("caller %d: %q, %v after %v", n, token, err, took)
				}
			})
		}
		all.Wait()
	})
}

// A refresh token is used up, and so is kept up with; when it is not taken any more,
// the password is.
func TestClient_KeepsUpWithRefreshTokens(t *testing.T) {
	s := newAuthServer(t)
	s.lifetime = time.Second // less than Early: none is used twice
	var told []string
	c := app(s)
	c.OnRefreshToken = func(token string) { told = append(told, token) }
	next := c.Password(user, password)
	grants := func() (names []string) {
		for range 3 {
			if _, err := next(t.Context()); err != nil {
				t.Error(err)
			}
		}
		for _, form := range s.asked() {
			names = append(names, form.Get("grant_type"))
			if shown := form.Get("refresh_token"); shown != "" && !slices.Contains(told, shown) {
				t.Errorf("showed %q, which was not told", shown)
			}
		}
		return names
	}
	if got := grants(); !slices.Equal(got, []string{"password", "refresh_token", "refresh_token"}) || len(told) != 3 {
		t.Errorf("%q", got)
	}
	s.revoke()
	if got := grants(); !slices.Equal(got, []string{"refresh_token", "password", "refresh_token", "refresh_token"}) {
		t.Errorf("%q", got)
	}

	s.revoke()
	s.fail(503) // which is no reason to show the password
	if _, err := next(t.Context()); err == nil || len(s.asked()) != 1 {
		t.Errorf("%v", err)
	}
	s.fail(0)

	last := c.RefreshToken("used up")
	_, err := last(t.Context())
	if e, ok := errors.AsType[*oauth.Error](err); !ok || e.Code != "invalid_grant" {
		t.Errorf("%v", err)
	}
}

// A refresh token that was not taken is not shown again.
func TestClient_ForgetsARefreshTokenThatIsUsedUp(t *testing.T) {
	var grants []string
	c := &oauth.Client{TokenURL: "https://issuer.test/token", Early: time.Hour, HTTP: authtest.Client(func(r *http.Request) (int, string, error) {
		r.ParseForm()
		grants = append(grants, r.PostForm.Get("grant_type"))
		switch len(grants) {
		case 1:
			return 200, `{"access_token": "t", "refresh_token": "r"}`, nil
		case 2:
			return 400, `{"error": "invalid_grant"}`, nil
		}
		return 200, `{"access_token": "t"}`, nil
	})}
	next := c.Password(user, password)
	for range 3 {
		if _, err := next(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if want := []string{"password", "refresh_token", "password", "password"}; !slices.Equal(grants, want) {
		t.Errorf("%q, want %q", grants, want)
	}
}

// Secrets are for one server: a redirect is an answer like any other.
func TestClient_FollowsNoRedirect(t *testing.T) {
	var asked []string
	ts := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	defer ts.Close()
	c := &oauth.Client{TokenURL: ts.URL + "/token", HTTP: ts.Client()}
	_, err := c.Password(user, password)(t.Context())
	if e, ok := errors.AsType[*oauth.Error](err); !ok || e.Status != 307 || len(asked) != 1 {
		t.Errorf("asked %q: %v", asked, err)
	}
}

func TestClient_SaysWhatToDo(t *testing.T) {
	json := func(body string) authtest.RoundTrip {
		return func(*http.Request) (int, string, error) { return 400, body, nil }
	}
	long := strings.Repeat("x", 1000) + "\x1b"
	for _, tt := range []struct {
		name   string
		answer authtest.RoundTrip
		c      oauth.Client
		want   string
	}{
		{"invalid_client", json(`{"error": "invalid_client"}`), oauth.Client{}, "check ID, Secret"},
		{"invalid_scope", json(`{"error": "invalid_scope", "error_description": "no\u001b"}`), oauth.Client{}, `("no\x1b"): check Scopes`},
		{"long", json(`{"error": "` + long[:1000] + `", "error_description": "` + long[:1000] + `"}`), oauth.Client{}, "answers 400"},
		{"no JSON", func(*http.Request) (int, string, error) { return 200, long, nil }, oauth.Client{}, "invalid character"},
		{"no JSON, with an error", func(*http.Request) (int, string, error) { return 500, long, nil }, oauth.Client{}, "answers 500"},
		{"no token", func(*http.Request) (int, string, error) { return 200, "{}", nil }, oauth.Client{}, "missing access_token"},
		{"another kind of token", func(*http.Request) (int, string, error) {
			return 200, `{"access_token": "t", "token_type": "DPoP"}`, nil
		}, oauth.Client{}, "no Bearer tokens"},
		{"a redirect", func(*http.Request) (int, string, error) { return 302, "", nil }, oauth.Client{}, "answers 302"},
		{"plain HTTP", nil, oauth.Client{TokenURL: "http://issuer.test/token"}, "InsecureHTTP"},
		{"Params that the grant sets", nil, oauth.Client{Params: url.Values{"grant_type": {"password"}}}, "Params has grant_type"},
		{"Params that are Scopes", nil, oauth.Client{Scopes: []string{"a"}, Params: url.Values{"scope": {"b"}}}, "scope"},
	} {
		c := tt.c
		if c.TokenURL == "" {
			c.TokenURL = "https://issuer.test/token"
		}
		c.HTTP = authtest.Client(tt.answer)
		token, err := c.ClientCredentials()(t.Context())
		if err == nil || !strings.Contains(err.Error(), tt.want) || len(err.Error()) > 600 || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%s: %q, %v", tt.name, token, err)
		}
	}
	failing := (&oauth.Client{TokenURL: "https://issuer.test/token"}).Assertion(func(context.Context) (string, error) { return "", errors.New("no key") })
	if _, err := failing(t.Context()); err == nil || err.Error() != "no key" {
		t.Errorf("%v", err)
	}
}

// What may pass is tried again by a client that keeps its connection.
func TestClient_ErrorsThatMayPass_AreRetryable(t *testing.T) {
	for status, want := range map[int]bool{400: false, 401: false, 403: false, 429: true, 500: true, 503: true} {
		c := &oauth.Client{TokenURL: "https://issuer.test/token", HTTP: authtest.Client(func(*http.Request) (int, string, error) {
			return status, "{}", nil
		})}
		_, _, err := wsclient.Dial(t.Context(), "ws://chat.test", &wsclient.Options{Auth: wsclient.BearerFrom(c.ClientCredentials())})
		e, ok := errors.AsType[*oauth.Error](err)
		if !ok || e.Status != status || wsclient.Retryable(err) != want {
			t.Errorf("%d: %v, retryable: %v", status, err, wsclient.Retryable(err))
		}
	}
}
