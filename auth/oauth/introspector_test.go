package oauth_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/auth/internal/authtest"
	"github.com/swan-ws/websocket/auth/oauth"
	wsclient "github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/server"
)

// introspector asks s.
func introspector(s *authServer) *oauth.Introspector {
	return &oauth.Introspector{URL: s.URL + "/introspect", Auth: oauth.Credentials(clientID, clientSecret), Client: s.Client()}
}

// saying is an introspector without a network.
func saying(f authtest.RoundTrip) *oauth.Introspector {
	return &oauth.Introspector{URL: "https://issuer.test/introspect", Client: authtest.Client(f)}
}

func TestIntrospector_TellsWhoseATokenIs(t *testing.T) {
	s := newAuthServer(t)
	for _, tt := range []struct {
		name   string
		about  fields
		set    func(i *oauth.Introspector)
		who    string
		scopes []string
	}{
		{name: "of a user", about: fields{"sub": "ada", "scope": "chat admin"}, who: "ada", scopes: []string{"chat", "admin"}},
		{name: "of a type that is not said", about: fields{"sub": "ada", "token_type": nil}, who: "ada"},
		{name: "without an end", about: fields{"sub": "ada", "exp": nil}, who: "ada"},
		{name: "for ever", about: fields{"sub": "ada", "exp": 1e300}, who: "ada"},
		{name: "that has begun", about: fields{"sub": "ada", "nbf": 1}, who: "ada"},
		{
			name: "with other names", about: fields{"username": "ada", "roles": []string{"admin"}},
			set: func(i *oauth.Introspector) { i.NameClaim, i.ScopeClaim = "username", "roles" },
			who: "ada", scopes: []string{"admin"},
		},
		{
			name: "for us", about: fields{"sub": "ada", "aud": []string{"mail", "chat"}, "iss": "https://issuer.test"},
			set: func(i *oauth.Introspector) { i.Claims = fields{"aud": "chat", "iss": "https://issuer.test"} },
			who: "ada",
		},
		{
			name: "by a function", about: fields{"client_id": "clock"},
			set: func(i *oauth.Introspector) {
				i.Principal = func(_ context.Context, said map[string]any) (*server.Principal, error) {
					return &server.Principal{Name: said["client_id"].(string)}, nil
				}
			},
			who: "clock",
		},
	} {
		i := introspector(s)
		if tt.set != nil {
			tt.set(i)
		}
		token := s.issue(tt.about)
		for _, when := range []string{"asked", "remembered"} {
			p, err := i.Verify(t.Context(), token)
			if err != nil || p.Name != tt.who || !slices.Equal(p.Scopes, tt.scopes) {
				t.Errorf("%s, %s: %+v, %v", tt.name, when, p, err)
			}
		}
		if n := len(s.asked()); n != 1 {
			t.Errorf("%s: asked %d times", tt.name, n)
		}
	}
}

func TestIntrospector_Rejects_WhatIsNotGood(t *testing.T) {
	s := newAuthServer(t)
	now := time.Now().Unix()
	for name, about := range map[string]fields{
		"not active":      {"active": false, "sub": "ada"},
		"expired":         {"sub": "ada", "exp": now - 1},
		"not valid yet":   {"sub": "ada", "nbf": now + 60},
		"of another type": {"sub": "ada", "token_type": "DPoP"},
		"for another":     {"sub": "ada", "aud": "mail"},
		"for nobody":      {"sub": "ada", "aud": nil},
		"nobody's":        {"username": "ada"},
	} {
		i := introspector(s)
		i.Claims = fields{"aud": "chat"}
		if _, for_ := about["aud"]; !for_ {
			about["aud"] = "chat"
		}
		if p, err := i.Verify(t.Context(), s.issue(about)); authtest.Status(err) != 401 {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	if _, err := introspector(s).Verify(t.Context(), "made up"); authtest.Status(err) != 401 {
		t.Errorf("made up: %v", err)
	}
	s.asked()
	if _, err := introspector(s).Verify(t.Context(), strings.Repeat("x", 16<<10+1)); authtest.Status(err) != 401 || len(s.asked()) != 0 {
		t.Errorf("too long: %v", err)
	}
}

func TestIntrospector_SaysWhoIsAsking(t *testing.T) {
	s := newAuthServer(t)
	token := s.issue(fields{"sub": "ada"})
	asking := s.issue(fields{"sub": "chat", "scope": "introspect"})
	for _, tt := range []struct {
		name   string
		auth   wsclient.Auth
		params url.Values
		want   int
	}{
		{"with credentials", oauth.Credentials(clientID, clientSecret), nil, 101},
		{"with a token", wsclient.Bearer(asking), nil, 101},
		{"with a grant", wsclient.BearerFrom((&oauth.Client{TokenURL: s.URL + "/token", ID: clientID, Secret: clientSecret, Scopes: []string{"introspect"}, HTTP: s.Client()}).ClientCredentials()), nil, 101},
		{"in the body", nil, url.Values{"client_id": {clientID}, "client_secret": {clientSecret}}, 101},
		{"with the wrong secret", oauth.Credentials(clientID, "x"), nil, 503},
		{"with a token that does not let it", wsclient.Bearer(token), nil, 503},
		{"not", nil, nil, 503},
		{"not, for want of a token", wsclient.BearerFrom(func(context.Context) (string, error) { return "", errors.New("none") }), nil, 503},
	} {
		i := introspector(s)
		i.Auth, i.Params = tt.auth, tt.params
		if _, err := i.Verify(t.Context(), token); authtest.Status(err) != tt.want {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestIntrospector_SendsWhatItIsTold(t *testing.T) {
	s := newAuthServer(t)
	i := introspector(s)
	i.TokenTypeHint, i.Params = "access_token", url.Values{"resource": {"chat"}}
	token := s.issue(fields{"sub": "ada"})
	if _, err := i.Verify(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	want := url.Values{"token": {token}, "token_type_hint": {"access_token"}, "resource": {"chat"}}
	if got := s.asked(); len(got) != 1 || got[0].Encode() != want.Encode() {
		t.Errorf("got %v, want %v", got, want)
	}
	i.Params = url.Values{"token": {"mine"}}
	if _, err := i.Verify(t.Context(), token); authtest.Status(err) != 500 {
		t.Errorf("a token in Params: %v", err)
	}
	i.Params, i.URL = nil, strings.Replace(i.URL, "https", "http", 1)
	if _, err := i.Verify(t.Context(), token); authtest.Status(err) != 500 {
		t.Errorf("over plain HTTP: %v", err)
	}
}

// Whatever is wrong with the server, it is not the token.
func TestIntrospector_WithoutAnAnswer_IsNo401(t *testing.T) {
	good := `{"active": true, "sub": "ada"}`
	for _, tt := range []struct {
		name   string
		status int
		body   string
		want   int
	}{
		{"an answer", 200, good, 101},
		{"an error", 500, good, 503},
		{"too many questions", 429, good, 503},
		{"not found", 404, good, 503},
		{"a redirect", 307, good, 503},
		{"nothing", 200, "", 503},
		{"no JSON", 200, "<html>", 503},
		{"cut off", 200, good[:20], 503},
		{"a list", 200, "[" + good + "]", 503},
		{"null", 200, "null", 503},
		{"nothing of being active", 200, `{"sub": "ada"}`, 503},
		{"active in letters", 200, `{"active": "true", "sub": "ada"}`, 503},
		{"an end in letters", 200, `{"active": true, "sub": "ada", "exp": "1"}`, 503},
		{"a beginning in letters", 200, `{"active": true, "sub": "ada", "nbf": "1"}`, 503},
		{"huge", 200, good + strings.Repeat(" ", 64<<10), 503},
	} {
		i := saying(func(*http.Request) (int, string, error) { return tt.status, tt.body, nil })
		_, err := i.Verify(t.Context(), "token-of-ada")
		if authtest.Status(err) != tt.want {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err != nil && (len(err.Error()) > 300 || strings.Contains(err.Error(), "token-of-ada")) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestIntrospector_GivesUpOnASlowServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct {
			name               string
			timeout, ctx, want time.Duration
		}{
			{"its own time", 0, time.Minute, 10 * time.Second},
			{"a time of ours", time.Second, time.Minute, time.Second},
			{"the caller's", time.Minute, 3 * time.Second, 3 * time.Second},
		} {
			i := saying(authtest.Hang)
			i.Timeout = tt.timeout
			ctx, cancel := context.WithTimeout(t.Context(), tt.ctx)
			start := time.Now()
			_, err := i.Verify(ctx, "token")
			cancel()
			if authtest.Status(err) != 503 || !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != tt.want {
				t.Errorf("%s: %v after %v", tt.name, err, time.Since(start))
			}
		}
	})
}

// However many tokens are made up, only so many questions are open at a time.
func TestIntrospector_AsksOnlySoMuchAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var open atomic.Int32
		i := saying(func(r *http.Request) (int, string, error) {
			open.Add(1)
			return authtest.Hang(r)
		})
		var all sync.WaitGroup
		for n := range 1000 {
			all.Go(func() {
				if _, err := i.Verify(t.Context(), strings.Repeat("x", n+1)); authtest.Status(err) != 503 {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if n := open.Load(); n != 64 {
			t.Errorf("%d questions are open", n)
		}
		all.Wait()
	})
}

func TestIntrospector_RemembersForAWhile(t *testing.T) {
	for _, tt := range []struct {
		name  string
		about string
		set   func(i *oauth.Introspector)
		keep  time.Duration
	}{
		{"a good token", `{"active": true, "sub": "ada"}`, func(*oauth.Introspector) {}, oauth.DefaultCacheFor},
		{"for so long", `{"active": true, "sub": "ada"}`, func(i *oauth.Introspector) { i.CacheFor = time.Hour }, time.Hour},
		// A test's clock begins with the year 2000.
		{"not after its end", `{"active": true, "sub": "ada", "exp": 946684830}`, func(*oauth.Introspector) {}, 30 * time.Second},
		{"another one briefly", `{"active": false}`, func(*oauth.Introspector) {}, 5 * time.Second},
		{"another one as briefly", `{"active": false}`, func(i *oauth.Introspector) { i.CacheFor = time.Hour }, 5 * time.Second},
		{"not at all", `{"active": true, "sub": "ada"}`, func(i *oauth.Introspector) { i.CacheFor = -1 }, 0},
		{"others neither", `{"active": false}`, func(i *oauth.Introspector) { i.CacheFor = -1 }, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			asked := 0
			i := saying(func(*http.Request) (int, string, error) {
				asked++
				return 200, tt.about, nil
			})
			tt.set(i)
			want := func(when string, n int) {
				t.Helper()
				if i.Verify(t.Context(), "token"); asked != n {
					t.Errorf("%s, %s: asked %d times, want %d", tt.name, when, asked, n)
				}
			}
			want("at first", 1)
			if tt.keep > 0 {
				<-time.After(tt.keep - time.Nanosecond)
				want("just before", 1)
				<-time.After(time.Nanosecond)
			}
			want("then", 2)
		})
	}
}

// Many may ask about a token at once; it is remembered once.
func TestIntrospector_RemembersWhatManyAskedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := make(map[string]int)
		var mu sync.Mutex
		i := saying(func(r *http.Request) (int, string, error) {
			<-time.After(time.Second)
			mu.Lock()
			defer mu.Unlock()
			r.ParseForm()
			asked[r.PostForm.Get("token")]++
			return 200, `{"active": true, "sub": "ada"}`, nil
		})
		i.MaxCached = 2
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() { i.Verify(t.Context(), "one") })
		}
		all.Wait()
		for _, token := range []string{"two", "one", "two"} {
			if _, err := i.Verify(t.Context(), token); err != nil {
				t.Error(err)
			}
		}
		if asked["one"] != 10 || asked["two"] != 1 {
			t.Errorf("asked %v", asked)
		}
	})
}

// Tokens that are made up do not push out those that are good.
func TestIntrospector_RemembersOnlySoMany(t *testing.T) {
	asked := map[string]int{}
	i := saying(func(r *http.Request) (int, string, error) {
		r.ParseForm()
		token := r.PostForm.Get("token")
		asked[token]++
		if strings.HasPrefix(token, "good") {
			return 200, `{"active": true, "sub": "ada"}`, nil
		}
		return 200, `{"active": false}`, nil
	})
	i.MaxCached = 2
	for _, token := range []string{"good1", "good2"} {
		i.Verify(t.Context(), token)
	}
	for n := range 2000 {
		i.Verify(t.Context(), strings.Repeat("x", n+1))
	}
	for _, token := range []string{"good1", "good2", "good3", "good3", "good2", "good1", strings.Repeat("x", 2000), "x"} {
		i.Verify(t.Context(), token)
	}
	for token, want := range map[string]int{"good1": 2, "good2": 1, "good3": 1, strings.Repeat("x", 2000): 1, "x": 2} {
		if asked[token] != want {
			t.Errorf("asked %d times for %.10q, want %d", asked[token], token, want)
		}
	}
}

// What is remembered is what was said, not what the function made of it.
func TestIntrospector_AsksItsFunctionEachTime(t *testing.T) {
	i := saying(func(*http.Request) (int, string, error) { return 200, `{"active": true, "sub": "ada"}`, nil })
	answers := []error{nil, &server.Rejection{Status: 403}, errors.New("no"), nil}
	i.Principal = func(context.Context, map[string]any) (*server.Principal, error) {
		err := answers[0]
		answers = answers[1:]
		return &server.Principal{Name: "ada"}, err
	}
	for n, want := range []int{101, 403, 401, 101} {
		if _, err := i.Verify(t.Context(), "token"); authtest.Status(err) != want {
			t.Errorf("time %d: %v", n, err)
		}
	}
}
