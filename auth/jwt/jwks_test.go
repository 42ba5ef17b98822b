package jwt_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/auth/internal/authtest"
	"github.com/swan-ws/websocket/auth/jwt"
)

// jwks are the keys of a set at an issuer that has no network.
func jwks(t testing.TB, set string) jwt.Keys {
	t.Helper()
	return remote(func(*http.Request) (int, string, error) { return 200, set, nil })
}

func remote(f authtest.RoundTrip) jwt.Keys {
	return must(jwt.JWKS("https://issuer.test/keys", &jwt.JWKSOptions{Client: authtest.Client(f)}))
}

// An issuer publishes keys, and counts who asks for them.
type keyServer struct {
	mu    sync.Mutex
	set   string
	err   error
	asked int
}

func (i *keyServer) answer(*http.Request) (int, string, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.asked++
	return 200, i.set, i.err
}

func (i *keyServer) publish(set string, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.set, i.err = set, err
}

func (i *keyServer) count() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.asked
}

// want fails unless the token gets that status, and the issuer has been asked so
// often.
func (i *keyServer) want(t *testing.T, v *jwt.Verifier, id string, status, asked int) {
	t.Helper()
	_, err := v.Verify(t.Context(), signed(id))
	synctest.Wait()
	if got := authtest.Status(err); got != status || i.count() != asked {
		t.Errorf("a token of key %q: %d (%v) after %d questions, want %d after %d", id, got, err, i.count(), status, asked)
	}
}

func TestJWKS_FetchesKeysOnceForAll(t *testing.T) {
	var asked atomic.Int32
	body := set(rsaJWK("a", &rsaKey().PublicKey))
	ts := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		fmt.Fprint(w, body)
	}))
	defer ts.Close()
	v := verifier(must(jwt.JWKS(ts.URL+"/keys", &jwt.JWKSOptions{Client: ts.Client()})))
	token := signed("a")
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if _, err := v.Verify(t.Context(), token); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// A key that is new is found at once, ten seconds after the last question or later;
// one that is gone, when the set is fetched again.
func TestJWKS_FollowsAChangeOfKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &keyServer{set: set(rsaJWK("a", &rsaKey().PublicKey))}
		v := verifier(remote(i.answer))
		i.want(t, v, "a", 101, 1)
		i.publish(set(rsaJWK("b", &rsaKey().PublicKey)), nil)
		i.want(t, v, "b", 401, 1)
		<-time.After(10 * time.Second)
		i.want(t, v, "b", 101, 2)
		i.want(t, v, "a", 401, 2)
	})
}

func TestJWKS_FetchesAgainWhatIsOld_WithoutWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &keyServer{set: set(rsaJWK("a", &rsaKey().PublicKey))}
		v := verifier(remote(i.answer))
		i.want(t, v, "a", 101, 1)
		i.publish(set(rsaJWK("b", &rsaKey().PublicKey)), nil)
		<-time.After(jwt.DefaultRefresh - time.Second)
		i.want(t, v, "a", 101, 1)
		<-time.After(time.Second)
		i.want(t, v, "a", 101, 2) // with the old keys, while the new ones come
		i.want(t, v, "a", 401, 2)
		i.want(t, v, "b", 101, 2)
	})
}

// Whatever is made up, the issuer is asked once in ten seconds at the most.
func TestJWKS_UnknownKeys_AreNoStampede(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &keyServer{set: set(rsaJWK("a", &rsaKey().PublicKey))}
		v := verifier(remote(i.answer))
		token := func(n int) string {
			return forge(claims{"alg": "RS256", "typ": "JWT", "kid": fmt.Sprint(n)}, good(nil), hs256(secret))
		}
		for second := range 60 {
			for n := range 20 {
				if _, err := v.Verify(t.Context(), token(20*second+n)); authtest.Status(err) != 401 {
					t.Fatal(err)
				}
			}
			<-time.After(time.Second)
		}
		if n := i.count(); n != 6 {
			t.Errorf("asked %d times in a minute", n)
		}
		i.want(t, v, "a", 101, 6)
	})
}

func TestJWKS_KeepsItsKeysForADay_WhileTheIssuerIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &keyServer{set: set(rsaJWK("a", &rsaKey().PublicKey))}
		v := verifier(remote(i.answer))
		i.want(t, v, "a", 101, 1)
		i.publish("", errors.New("no route"))
		<-time.After(23 * time.Hour)
		i.want(t, v, "a", 101, 2)
		i.want(t, v, "b", 503, 2) // which may exist by now
		<-time.After(time.Hour)
		i.want(t, v, "a", 503, 3)
		i.publish(set(rsaJWK("a", &rsaKey().PublicKey)), nil)
		i.want(t, v, "a", 503, 3)
		<-time.After(10 * time.Second)
		i.want(t, v, "a", 101, 4)
	})
}

func TestJWKS_GivesUpOnASlowIssuer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := verifier(remote(authtest.Hang))
		for _, tt := range []struct {
			name string
			ctx  time.Duration
			want time.Duration
		}{{"its own time", time.Minute, 10 * time.Second}, {"the caller's", 3 * time.Second, 3 * time.Second}} {
			ctx, cancel := context.WithTimeout(t.Context(), tt.ctx)
			start := time.Now()
			_, err := v.Verify(ctx, signed("a"))
			cancel()
			if authtest.Status(err) != 503 || !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != tt.want {
				t.Errorf("%s: %v after %v", tt.name, err, time.Since(start))
			}
			<-time.After(time.Minute)
		}
	})
}

func TestJWKS_TakesNothingForASet_ThatIsNone(t *testing.T) {
	usable := rsaJWK("a", &rsaKey().PublicKey)
	with := func(change claims) string { k := rsaJWK("a", &rsaKey().PublicKey); copyTo(k, change); return set(k) }
	for _, tt := range []struct {
		name   string
		status int
		body   string
		want   int
	}{
		{"a set", 200, set(usable), 101},
		{"a set with others in it", 200, set(claims{"kty": "oct", "k": "AAAA"}, claims{"kty": "new"}, claims{"kty": 7}, claims{}, usable), 101},
		{"an empty set", 200, set(), 503},
		{"a set of none", 200, `{"keys": []}`, 401},
		{"nothing", 200, "", 503},
		{"no JSON", 200, "<html>", 503},
		{"cut off", 200, set(usable)[:100], 503},
		{"no keys", 200, `{}`, 503},
		{"a list", 200, `[]`, 503},
		{"an error", 500, set(usable), 503},
		{"a redirect", 302, set(usable), 503},
		{"no content", 204, set(usable), 503},
		{"huge", 200, set(usable) + strings.Repeat(" ", 1<<20), 503},
		{"as many as there may be", 200, set(slices.Repeat([]claims{usable}, 64)...), 101},
		{"many", 200, set(slices.Repeat([]claims{usable}, 65)...), 503},
		{"a secret", 200, set(claims{"kty": "oct", "kid": "a", "k": "dGhpcnR5LXR3byBieXRlcyBhcmUganVzdCBlbm91Z2g"}), 503},
		{"for encryption", 200, with(claims{"use": "enc"}), 503},
		{"for signing", 200, with(claims{"key_ops": []string{"sign"}}), 503},
		{"for verifying", 200, with(claims{"key_ops": []string{"verify"}}), 101},
		{"for another algorithm", 200, with(claims{"alg": "PS256"}), 401},
		{"for an algorithm of another kind", 200, with(claims{"alg": "HS256"}), 401},
		{"an even exponent", 200, with(claims{"e": "AQAA"}), 503},
		{"an exponent of 1", 200, with(claims{"e": "AQ"}), 503},
		{"an exponent that is too long", 200, with(claims{"e": "AQAAAAE"}), 503},
		{"no exponent", 200, with(claims{"e": nil}), 503},
		{"no modulus", 200, with(claims{"n": nil}), 503},
		{"an even modulus", 200, with(claims{"n": strings.Repeat("gAAA", 86)}), 401},
		{"a short modulus", 200, set(rsaJWK("a", &shortKey().PublicKey)), 503},
		{"a modulus that is too long", 200, with(claims{"n": strings.Repeat("____", 400)}), 503},
		{"padding", 200, with(claims{"e": "AQAB===="}), 503},
	} {
		v := verifier(remote(func(*http.Request) (int, string, error) { return tt.status, tt.body, nil }))
		_, err := v.Verify(t.Context(), signed("a"))
		if got := authtest.Status(err); got != tt.want {
			t.Errorf("%s: %d, %v, want %d", tt.name, got, err, tt.want)
		}
		if err != nil && len(err.Error()) > 400 {
			t.Errorf("%s: the error has %d bytes", tt.name, len(err.Error()))
		}
	}
}

func copyTo(m, change claims) {
	for name, value := range change {
		m[name] = value
	}
}

// shortKey is a key that nobody should take. The library that makes it would not
// either, without being told.
var shortKey = sync.OnceValue(func() *rsa.PrivateKey {
	key := must(rsa.GenerateKey(rand.Reader, 2048))
	key.N = key.Primes[0] // which is enough to be looked at
	return key
})

func TestJWKS_WantsAnIssuerThatProvesWhoItIs(t *testing.T) {
	for url, want := range map[string]string{
		"http://issuer.test/keys": "InsecureHTTP",
		"issuer.test/keys":        "want https://",
		"file:///etc/keys":        "want https://",
		"":                        "want https://",
		"https://%":               "invalid URL",
	} {
		if _, err := jwt.JWKS(url, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", url, err)
		}
	}
	if _, err := jwt.JWKS("http://localhost/keys", &jwt.JWKSOptions{InsecureHTTP: true}); err != nil {
		t.Error(err)
	}
	if _, err := jwt.JWKS("https://issuer.test/keys", nil); err != nil {
		t.Error(err)
	}
}

// Who has the keys somewhere else must not hear of the secrets in a URL.
func TestJWKS_FollowsNoRedirect(t *testing.T) {
	var elsewhere atomic.Bool
	ts := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/elsewhere" {
			elsewhere.Store(true)
		}
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	}))
	defer ts.Close()
	v := verifier(must(jwt.JWKS(ts.URL, &jwt.JWKSOptions{Client: ts.Client()})))
	if _, err := v.Verify(t.Context(), signed("a")); authtest.Status(err) != 503 || elsewhere.Load() {
		t.Errorf("%v", err)
	}
}
