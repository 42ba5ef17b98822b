package server_test

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/server"
)

// login knows ada, whose password is "swan:lake", and has no time for busy.
func login(_ context.Context, name, password string) (*server.Principal, error) {
	switch {
	case name == "busy":
		return nil, &server.Rejection{Status: 503, Body: "come back later"}
	case name == "nobody":
		return nil, nil
	case name == "ada" && password == "swan:lake", name == "zoë" && password == "ü":
		return &server.Principal{Name: name, Scopes: []string{"read", "write"}}, nil
	}
	return nil, errors.New("wrong name or password")
}

// verify knows the token of bob.
func verify(_ context.Context, token string) (*server.Principal, error) {
	switch token {
	case "token-of-bob":
		return &server.Principal{Name: "bob", Scopes: []string{"read"}}, nil
	case "revoked":
		return nil, &server.Rejection{Status: 403, Body: "revoked"}
	}
	return nil, errors.New("no such token")
}

func basic(credentials string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(credentials))
}

// whoami is a handler that says who is asking.
var whoami = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	fmt.Fprint(w, server.PrincipalOf(r.Context()).Name)
})

// hush keeps what is for the program's logger out of the output of the tests.
func hush(t testing.TB) {
	before := slog.Default()
	slog.SetDefault(quiet())
	t.Cleanup(func() { slog.SetDefault(before) })
}

// knock sends a request with these Authorization fields and returns the response.
func knock(h http.Handler, fields ...string) *httptest.ResponseRecorder {
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
	r.Header["Authorization"] = fields
	h.ServeHTTP(w, r)
	return w
}

func TestAuthenticate_ThePrincipalReachesTheConnection(t *testing.T) {
	h := server.Authenticate(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := server.Accept(w, r, nil)
		if err != nil {
			return
		}
		if server.PrincipalOf(c) != server.PrincipalOf(r.Context()) {
			t.Errorf("the connection's is %v, the request's is %v", server.PrincipalOf(c), server.PrincipalOf(r.Context()))
		}
		c.WriteText(t.Context(), server.PrincipalOf(c).Name)
		drain(c)
	}), server.Basic("swans", login), server.Bearer("swans", verify))
	l := run(t, &server.Server{Handler: h, Logger: quiet()})
	for field, want := range map[string]string{basic("ada:swan:lake"): "ada", "Bearer token-of-bob": "bob"} {
		c := dial(t, l, &client.Options{Header: http.Header{"Authorization": {field}}})
		if m, err := c.Read(t.Context()); err != nil || string(m.Data) != want {
			t.Errorf("%s: the server knows %q, %v", field, m.Data, err)
		}
	}
	_, resp, err := tryDial(t, l, nil)
	e := asHandshakeError(t, err)
	want := []string{`Basic realm="swans", charset="UTF-8"`, `Bearer realm="swans"`}
	if got := e.Header["Www-Authenticate"]; e.Status != 401 || !slices.Equal(got, want) || !resp.Close || string(e.Body) != "Unauthorized\n" {
		t.Errorf("without credentials: %v with %q", e, got)
	}
}

// After a refusal nothing on the connection is a request any more, as after one by
// Accept.
func TestAuthenticate_ARefusalIsTheLastWordOnItsConnection(t *testing.T) {
	hush(t)
	served := 0
	h := server.Authenticate(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served++ }), server.Basic("swans", login))
	nc := rawDial(t, serveHTTP(t, h))
	send(t, nc, request()+strings.Repeat(request("Authorization: "+basic("ada:swan:lake")), 2))
	if resp, _ := receive(t, nc); resp.StatusCode != 401 || !resp.Close || served != 0 {
		t.Errorf("got %v, and %d requests were served", resp, served)
	}
}

func TestPrincipalOf_IsNilWhereNobodyAsked(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	p := server.PrincipalOf(r.Context())
	if p != nil || p.Has("anything") {
		t.Errorf("got %v", p)
	}
}

func TestBasic_TellsCredentialsApart(t *testing.T) {
	hush(t)
	h := server.Authenticate(whoami, server.Basic("swans", login))
	for _, tt := range []struct {
		name   string
		fields []string
		status int
		body   string
	}{
		{"right", []string{basic("ada:swan:lake")}, 200, "ada"},
		{"UTF-8", []string{basic("zoë:ü")}, 200, "zoë"},
		{"scheme in other letters", []string{"bASIC " + basic("ada:swan:lake")[6:]}, 200, "ada"},
		{"none", nil, 401, "Unauthorized\n"},
		{"empty", []string{""}, 401, "Unauthorized\n"},
		{"wrong password", []string{basic("ada:swan")}, 401, "Unauthorized\n"},
		{"unknown", []string{basic("eve:swan:lake")}, 401, "Unauthorized\n"},
		{"neither principal nor error", []string{basic("nobody:")}, 401, "Unauthorized\n"},
		{"no colon", []string{basic("ada")}, 401, "Unauthorized\n"},
		{"no base64", []string{"Basic ada:swan:lake"}, 401, "Unauthorized\n"},
		{"other scheme", []string{"Bearer " + basic("ada:swan:lake")[6:]}, 401, "Unauthorized\n"},
		{"two of them", []string{basic("ada:swan:lake"), basic("eve:x")}, 401, "Unauthorized\n"},
		{"no time", []string{basic("busy:x")}, 503, "come back later\n"},
	} {
		w := knock(h, tt.fields...)
		challenge := w.Header().Get("WWW-Authenticate")
		if w.Code != tt.status || w.Body.String() != tt.body || (challenge == `Basic realm="swans", charset="UTF-8"`) != (tt.status == 401) {
			t.Errorf("%s: got %d %q with %q", tt.name, w.Code, w.Body, challenge)
		}
	}
}

// RFC 6750 §3: an error belongs to a token, not to its absence.
func TestBearer_TellsTokensApart(t *testing.T) {
	hush(t)
	h := server.Authenticate(whoami, server.Bearer("swans", verify))
	const plain, invalid = `Bearer realm="swans"`, `Bearer realm="swans", error="invalid_token"`
	for _, tt := range []struct {
		name      string
		fields    []string
		status    int
		challenge string
	}{
		{"right", []string{"Bearer token-of-bob"}, 200, ""},
		{"scheme in other letters", []string{"bearer   token-of-bob "}, 200, ""},
		{"none", nil, 401, plain},
		{"empty", []string{"Bearer "}, 401, plain},
		{"scheme alone", []string{"Bearer"}, 401, plain},
		{"other scheme", []string{basic("token-of-bob:")}, 401, plain},
		{"two of them", []string{"Bearer token-of-bob", "Bearer token-of-bob"}, 401, plain},
		{"wrong", []string{"Bearer token-of-eve"}, 401, invalid},
		{"one more word", []string{"Bearer token-of-bob x"}, 401, invalid},
		{"the final word", []string{"Bearer revoked"}, 403, ""},
	} {
		w := knock(h, tt.fields...)
		if got := w.Header().Get("WWW-Authenticate"); w.Code != tt.status || got != tt.challenge {
			t.Errorf("%s: got %d with %q", tt.name, w.Code, got)
		}
	}
}

func TestAuthenticate_TriesTheWaysInTurn(t *testing.T) {
	hush(t)
	var asked []string
	way := func(name string, p *server.Principal, err error) server.Authenticator {
		return func(*http.Request) (*server.Principal, error) {
			asked = append(asked, name)
			return p, err
		}
	}
	ada := &server.Principal{Name: "ada"}
	unauthorized := func(challenge string) error {
		return &server.Rejection{Status: 401, Body: "log in", Header: http.Header{"WWW-Authenticate": {challenge}, "X-Login": {"/login"}}}
	}
	for _, tt := range []struct {
		name   string
		ways   []server.Authenticator
		asked  string
		status int
		body   string
		header string
	}{
		{"none", nil, "", 403, "Forbidden\n", ""},
		{"the first knows", []server.Authenticator{way("a", ada, nil), way("b", nil, errors.New("b"))}, "a", 200, "ada", ""},
		{"the last knows", []server.Authenticator{way("a", nil, errors.New("a")), way("b", nil, nil), way("c", ada, nil)}, "a b c", 200, "ada", ""},
		{"nobody knows, nor says how", []server.Authenticator{way("a", nil, errors.New("secret")), way("b", nil, nil)}, "a b", 403, "Forbidden\n", ""},
		{"one says how", []server.Authenticator{way("a", nil, errors.New("secret")), way("b", nil, unauthorized("B"))}, "a b", 401, "log in\n", "[B] [/login]"},
		{"two say how", []server.Authenticator{way("a", nil, unauthorized("A")), way("b", nil, unauthorized("B"))}, "a b", 401, "log in\n", "[A B] [/login /login]"},
		{"the final word", []server.Authenticator{way("a", nil, unauthorized("A")), way("b", nil, &server.Rejection{Status: 429}), way("c", ada, nil)}, "a b", 429, "Too Many Requests\n", ""},
	} {
		asked = nil
		w := knock(server.Authenticate(whoami, tt.ways...))
		header := ""
		if h := w.Header(); len(h["Www-Authenticate"]) > 0 {
			header = fmt.Sprint(h["Www-Authenticate"], " ", h["X-Login"])
		}
		if w.Code != tt.status || w.Body.String() != tt.body || header != tt.header || strings.Join(asked, " ") != tt.asked {
			t.Errorf("%s: asked %v, got %d %q with %q", tt.name, asked, w.Code, w.Body, header)
		}
	}
}

func TestAuthorize_LetsThroughWhoMay(t *testing.T) {
	hush(t)
	for _, tt := range []struct {
		name   string
		may    func(*http.Request) error
		status int
	}{
		{"one scope", server.AnyScope("read"), 200},
		{"the second of two", server.AnyScope("admin", "write"), 200},
		{"none of the scopes", server.AnyScope("admin", "owner"), 403},
		{"no scope is enough", server.AnyScope(), 403},
		{"own rule", func(r *http.Request) error { return &server.Rejection{Status: 402} }, 402},
	} {
		inside := server.Authorize(whoami, tt.may)
		if w := knock(server.Authenticate(inside, server.Basic("swans", login)), basic("ada:swan:lake")); w.Code != tt.status {
			t.Errorf("%s: got %d", tt.name, w.Code)
		}
		if w := knock(inside, basic("ada:swan:lake")); w.Code == 200 {
			t.Errorf("%s: let through whom nobody has asked", tt.name)
		}
	}
}

// Options.Check takes what Authorize takes.
func TestAnyScope_IsACheck(t *testing.T) {
	s := echo()
	s.Check = server.AnyScope("write")
	l := serveHTTP(t, server.Authenticate(s, server.Basic("swans", login), server.Bearer("swans", verify)))
	c := dial(t, l, &client.Options{Header: http.Header{"Authorization": {basic("ada:swan:lake")}}})
	roundTrip(t, c, "may write")
	_, _, err := tryDial(t, l, &client.Options{Header: http.Header{"Authorization": {"Bearer token-of-bob"}}})
	if e := asHandshakeError(t, err); e.Status != 403 {
		t.Errorf("who may only read got %v", e)
	}
}

func TestAuthenticate_TellsTheServersLog_AndNoSecrets(t *testing.T) {
	log, book := logbook()
	h := server.Authenticate(server.Authorize(echo(), server.AnyScope("admin")), server.Basic("swans", login), server.Bearer("swans", verify))
	l := run(t, &server.Server{Handler: h, Logger: log})
	for _, field := range []string{basic("password-as-name:x"), basic("ada:secret"), "Bearer secret-token", basic("ada:swan:lake")} {
		_, _, err := tryDial(t, l, &client.Options{Header: http.Header{"Authorization": {field}}})
		asHandshakeError(t, err)
	}
	lines := book.lines()
	for i, want := range []string{"wrong name or password; no token", "wrong name or password; no token", "no name and password; no such token", "none of the scopes"} {
		if len(lines) != 4 || !strings.Contains(lines[i], want) || !strings.Contains(lines[i], "remote=") || !strings.Contains(lines[i], "path=/") {
			t.Fatalf("want %q, got %q", want, lines)
		}
	}
	for _, secret := range []string{"password-as-name", "secret", "swan:lake", base64.StdEncoding.EncodeToString([]byte("ada:"))[:4]} {
		if strings.Contains(strings.Join(lines, "\n"), secret) {
			t.Errorf("%q is in the log: %q", secret, lines)
		}
	}
}

func TestBasic_QuotesItsRealm(t *testing.T) {
	hush(t)
	h := server.Authenticate(whoami, server.Basic("the \"swans\" \\ of\r\nthe lake", login))
	want := `Basic realm="the \"swans\" \\ ofthe lake", charset="UTF-8"`
	if got := knock(h).Header().Get("WWW-Authenticate"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestClientCertificate_WantsOneThatIsVerified(t *testing.T) {
	hush(t)
	if p, err := server.ClientCertificate(httptest.NewRequest("GET", "/", nil)); err == nil {
		t.Errorf("without TLS: %v", p)
	}
	if p, err := server.ClientCertificate(httptest.NewRequest("GET", "https://example.test/", nil)); err == nil {
		t.Errorf("without a certificate: %v", p)
	}
	r := httptest.NewRequest("GET", "https://example.test/", nil)
	nameless := &x509.Certificate{Subject: pkix.Name{Organization: []string{"swans"}}}
	r.TLS.VerifiedChains = [][]*x509.Certificate{{nameless}}
	if p, err := server.ClientCertificate(r); err != nil || p.Name != "O=swans" || p.Claims != nameless {
		t.Errorf("without a common name: %+v, %v", p, err)
	}
	if w := knock(server.Authenticate(whoami, server.ClientCertificate)); w.Code != 403 {
		t.Errorf("got %d: 401 would need a challenge", w.Code)
	}
}

// Services see the principal where they decide, and where they are called back.
func TestAuthenticate_ThePrincipalReachesServices(t *testing.T) {
	log := new(journal)
	h := server.Authenticate(server.Upgrade(func(r *http.Request) (*server.Service, error) {
		log.note("upgrade %s", server.PrincipalOf(r.Context()).Name)
		return &server.Service{
			OnOpen: func(c *conn.Conn, r *http.Request) error {
				log.note("open %s %s", server.PrincipalOf(r.Context()).Name, server.PrincipalOf(c).Name)
				return nil
			},
			OnText: func(c *conn.Conn, _ conn.Message) (any, error) { return server.PrincipalOf(c).Name, nil },
			Logger: quiet(),
		}, nil
	}), server.Bearer("swans", verify))
	l := run(t, &server.Server{Handler: h, Logger: quiet()})
	c := dial(t, l, &client.Options{Header: http.Header{"Authorization": {"Bearer token-of-bob"}}})
	c.WriteText(t.Context(), "who am I?")
	if m, err := c.Read(t.Context()); err != nil || string(m.Data) != "bob" {
		t.Errorf("OnText says %q, %v", m.Data, err)
	}
	if got := strings.Join(log.all(), ", "); got != "upgrade bob, open bob bob" {
		t.Errorf("got %s", got)
	}
}
