package jwt_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/swan-ws/websocket/auth/internal/authtest"
	"github.com/swan-ws/websocket/auth/jwt"
	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/server"
)

// A server that knows an issuer by the URL of its keys, and clients over TCP.
func TestJWT_FromAClientToAServer(t *testing.T) {
	issuerServer := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(set(rsaJWK("a", &rsaKey().PublicKey))))
	}))
	defer issuerServer.Close()
	v := verifier(must(jwt.JWKS(issuerServer.URL, &jwt.JWKSOptions{Client: issuerServer.Client()})))
	url := authtest.Serve(t, server.Bearer("swans", v.Verify))
	as := func(name, scope string) client.Auth {
		i := &jwt.Issuer{Key: rsaKey(), KeyID: "a", Issuer: issuer, Subject: name, Audience: []string{audience}, Claims: claims{"scope": scope}}
		return client.BearerFrom(i.Token)
	}

	if who := authtest.Meet(t, url, as("ada", "chat admin")); who != "ada" {
		t.Errorf("the server knows %q", who)
	}
	if who := authtest.Meet(t, url+"/admin", as("ada", "chat admin")); who != "ada" {
		t.Errorf("the server knows %q", who)
	}
	authtest.Refused(t, url+"/admin", as("bob", "chat"), 403)
	if got := authtest.Refused(t, url, nil, 401); got != `Bearer realm="swans"` {
		t.Errorf("challenged with %s", got)
	}
	expired := forge(claims{"alg": "RS256", "typ": "JWT", "kid": "a"}, good(claims{"exp": time.Now().Unix() - 1}), rs256(rsaKey()))
	if got := authtest.Refused(t, url, client.Bearer(expired), 401); got != `Bearer realm="swans", error="invalid_token"` {
		t.Errorf("challenged with %s", got)
	}
}

// Whoever cannot tell does not say that the token is wrong.
func TestJWT_WithoutItsIssuer_IsNo401(t *testing.T) {
	down := httptest.NewTLSServer(nil)
	down.Close()
	v := verifier(must(jwt.JWKS(down.URL, &jwt.JWKSOptions{Client: down.Client()})))
	url := authtest.Serve(t, server.Bearer("swans", v.Verify))
	authtest.Refused(t, url, client.Bearer(signed("a")), 503)
}
