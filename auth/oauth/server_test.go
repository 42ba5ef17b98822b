package oauth_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/swan-ws/websocket/auth/jwt"
	"github.com/swan-ws/websocket/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

type fields = map[string]any

// What the authorization server knows. The client's id and secret have letters that
// RFC 6749 §2.3.1 wants escaped.
const (
	clientID, clientSecret = "app:1", "s/cr+t %"
	public                 = "public" // a client without a secret
	user, password         = "ada", "swan:lake"
)

var assertionSecret = []byte("thirty-two bytes are just enough")

// An authServer is an authorization server as RFC 6749, 7523 and 7662 have it.
type authServer struct {
	*httptest.Server
	lifetime time.Duration // of tokens; 0: it does not say

	mu       sync.Mutex
	tokens   map[string]fields // that it issued, with what it says of them
	refresh  map[string]string // whose its refresh tokens are
	requests []url.Values      // that it got
	broken   int               // the status that it answers, if it is not 0
}

func newAuthServer(t testing.TB) *authServer {
	s := &authServer{lifetime: time.Hour, tokens: map[string]fields{}, refresh: map[string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", s.token)
	mux.HandleFunc("POST /introspect", s.introspect)
	s.Server = httptest.NewTLSServer(mux)
	t.Cleanup(s.Close)
	return s
}

// asked returns the requests since the last time.
func (s *authServer) asked() []url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() { s.requests = nil }()
	return s.requests
}

// fail makes the server answer so, 0 that it is well again.
func (s *authServer) fail(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = status
}

// revoke takes back all tokens.
func (s *authServer) revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
	clear(s.refresh)
}

// issue makes a token that is known with these fields.
func (s *authServer) issue(about fields) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	token := rand.Text()
	known := fields{"active": true, "token_type": "Bearer", "exp": time.Now().Add(time.Hour).Unix()}
	maps.Copy(known, about)
	s.tokens[token] = known
	return token
}

func answer(w http.ResponseWriter, status int, body fields) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store") // RFC 6749 §5.1
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

// note keeps the request, and reports whether the server is well.
func (s *authServer) note(w http.ResponseWriter, r *http.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := r.ParseForm(); err != nil || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		answer(w, 400, fields{"error": "invalid_request"})
		return false
	}
	for _, values := range r.PostForm {
		if len(values) > 1 { // §3.2
			answer(w, 400, fields{"error": "invalid_request", "error_description": "a parameter twice"})
			return false
		}
	}
	s.requests = append(s.requests, r.PostForm)
	if s.broken != 0 {
		w.WriteHeader(s.broken)
		fmt.Fprint(w, strings.Repeat("broken \x1b ", 1000))
		return false
	}
	return true
}

// client returns which client sent the request, "" if it does not prove it.
func client(r *http.Request) string {
	id, secret, header := r.BasicAuth()
	if header == r.PostForm.Has("client_id") { // §2.3: one way, not two
		return ""
	}
	if header {
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
	} else {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	if id == public && secret == "" || id == clientID && secret == clientSecret {
		return id
	}
	return ""
}

func (s *authServer) token(w http.ResponseWriter, r *http.Request) {
	if !s.note(w, r) {
		return
	}
	id := client(r)
	if id == "" {
		w.Header().Set("WWW-Authenticate", `Basic realm="tokens"`)
		answer(w, 401, fields{"error": "invalid_client", "error_description": "who\u001b is it?"})
		return
	}
	var who string
	switch form := r.PostForm; form.Get("grant_type") {
	case "client_credentials":
		who = id
	case "password":
		if form.Get("username") == user && form.Get("password") == password {
			who = user
		}
	case "refresh_token":
		s.mu.Lock()
		who = s.refresh[form.Get("refresh_token")]
		delete(s.refresh, form.Get("refresh_token")) // RFC 9700 §2.2.2: each is good once
		s.mu.Unlock()
	case "urn:ietf:params:oauth:grant-type:jwt-bearer":
		v := &jwt.Verifier{Keys: must(jwt.Secret(assertionSecret)), Issuer: "clock", Audience: []string{s.URL + "/token"}}
		if p, err := v.Verify(r.Context(), form.Get("assertion")); err == nil {
			who = p.Name
		}
	default:
		answer(w, 400, fields{"error": "unsupported_grant_type"})
		return
	}
	if who == "" {
		answer(w, 400, fields{"error": "invalid_grant"})
		return
	}
	s.grant(w, who, r.PostForm)
}

func (s *authServer) grant(w http.ResponseWriter, who string, form url.Values) {
	body := fields{"token_type": "bearer"} // in any letters, §5.1
	body["access_token"] = s.issue(fields{"sub": who, "scope": form.Get("scope"), "client_id": clientID, "aud": []string{"chat"}})
	if s.lifetime != 0 {
		body["expires_in"] = s.lifetime.Seconds()
	}
	if form.Get("grant_type") != "client_credentials" { // §4.4.3
		s.mu.Lock()
		next := rand.Text()
		s.refresh[next] = who
		body["refresh_token"] = next
		s.mu.Unlock()
	}
	answer(w, 200, body)
}

// introspect is RFC 7662: for who is a client, or has a token that lets them ask.
func (s *authServer) introspect(w http.ResponseWriter, r *http.Request) {
	if !s.note(w, r) {
		return
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	mayAsk := s.tokens[token]["scope"] == "introspect"
	known, ok := s.tokens[r.PostForm.Get("token")]
	s.mu.Unlock()
	switch {
	case client(r) == "" && !mayAsk:
		w.Header().Set("WWW-Authenticate", `Basic realm="tokens"`)
		answer(w, 401, fields{"error": "invalid_client"})
	case !ok:
		answer(w, 200, fields{"active": false})
	default:
		answer(w, 200, known)
	}
}
