package auth_test

import (
	"context"
	"log"
	"log/slog"
	"net/http"
	"net/url"
	"os"

	"github.com/swan-ws/websocket"
	"github.com/swan-ws/websocket/auth/jwt"
	"github.com/swan-ws/websocket/auth/ldap"
	"github.com/swan-ws/websocket/auth/oauth"
	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/server"
)

var (
	chat    = &websocket.Service{}
	ctx     = context.Background()
	revoked = func(context.Context, string) bool { return false }
	session = func(context.Context, *websocket.Conn) error { return nil }
)

func Example_signedTokens() {
	keys, err := jwt.JWKS("https://login.example.com/.well-known/jwks.json", nil)
	if err != nil {
		log.Fatal(err)
	}
	tokens := &jwt.Verifier{
		Keys:     keys,
		Issuer:   "https://login.example.com/",
		Audience: []string{"chat"},
	}
	http.Handle("/chat", server.Authenticate(chat, server.Bearer("swans", tokens.Verify)))
}

func Example_rolesDeeperDown() {
	tokens := &jwt.Verifier{}
	tokens.Principal = func(ctx context.Context, claims map[string]any) (*server.Principal, error) {
		if id, _ := claims["jti"].(string); revoked(ctx, id) {
			return nil, &websocket.Rejection{Status: http.StatusForbidden}
		}
		name, _ := claims["preferred_username"].(string)
		access, _ := claims["realm_access"].(map[string]any)
		p := &server.Principal{Name: name}
		roles, _ := access["roles"].([]any)
		for _, role := range roles {
			if role, ok := role.(string); ok {
				p.Scopes = append(p.Scopes, role)
			}
		}
		return p, nil
	}
}

func Example_clientThatSigns() {
	key, err := jwt.LoadPrivateKey("clock.pem")
	if err != nil {
		log.Fatal(err)
	}
	clock := &jwt.Issuer{
		Key:      key,
		KeyID:    "2026-10",
		Issuer:   "clock",
		Subject:  "clock",
		Audience: []string{"chat"},
		Claims:   map[string]any{"scope": "chat"},
	}
	o := &websocket.DialOptions{Auth: client.BearerFrom(clock.Token)}
	_ = o
}

func Example_introspection() {
	tokens := &oauth.Introspector{
		URL:    "https://login.example.com/introspect",
		Auth:   oauth.Credentials("chat", os.Getenv("CHAT_SECRET")),
		Claims: map[string]any{"aud": "chat"},
	}
	http.Handle("/chat", server.Authenticate(chat, server.Bearer("swans", tokens.Verify)))
}

func Example_clientWithAGrant() {
	app := &oauth.Client{
		TokenURL: "https://login.example.com/token",
		ID:       "clock",
		Secret:   os.Getenv("CLOCK_SECRET"),
		Scopes:   []string{"chat"},
	}
	err := client.Keep(ctx, "wss://example.com/chat", &websocket.DialOptions{
		Auth: client.BearerFrom(app.ClientCredentials()),
	}, session)
	_ = err
	app.Params = url.Values{"resource": {"https://example.com/chat"}}
	app.OnRefreshToken = func(token string) {
		if err := os.WriteFile("refresh-token", []byte(token), 0o600); err != nil {
			slog.Error("the next start will need a login", "error", err)
		}
	}
}

func Example_directory() {
	people := &ldap.Directory{
		URL:          "ldaps://directory.example.com",
		BindDN:       "cn=chat,ou=services,dc=example,dc=com",
		BindPassword: os.Getenv("CHAT_PASSWORD"),
		UserBase:     "ou=people,dc=example,dc=com",
		GroupBases:   []string{"ou=groups,dc=example,dc=com"},
		Scopes:       map[string][]string{"Chat Admins": {"chat", "admin"}, "Staff": {"chat"}},
	}
	http.Handle("/chat", server.Authenticate(chat, server.Basic("swans", people.Login)))
}

func Example_activeDirectory() {
	people := &ldap.Directory{
		URL:           "ldaps://ad.example.com",
		BindDN:        "chat@example.com",
		BindPassword:  os.Getenv("CHAT_PASSWORD"),
		UserBase:      "dc=example,dc=com",
		UserFilter:    "(&(objectCategory=person)(objectClass=user)(sAMAccountName={name}))",
		NameAttribute: "sAMAccountName",
		MemberOf:      "memberOf",
	}
	if err := people.Validate(); err != nil {
		log.Fatal(err)
	}
}
