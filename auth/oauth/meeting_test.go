package oauth_test

import (
	"testing"

	"github.com/swan-ws/websocket/auth/internal/authtest"
	"github.com/swan-ws/websocket/auth/oauth"
	wsclient "github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/server"
)

// An authorization server, a WebSocket server that asks it, and clients that get
// their tokens from it, over TCP.
func TestOAuth_FromAClientToAServer(t *testing.T) {
	s := newAuthServer(t)
	url := authtest.Serve(t, server.Bearer("swans", introspector(s).Verify))
	admin := app(s)
	admin.Scopes = []string{"chat", "admin"}
	machine, person := wsclient.BearerFrom(admin.ClientCredentials()), wsclient.BearerFrom(app(s).Password(user, password))

	for _, tt := range []struct {
		auth wsclient.Auth
		path string
		who  string
	}{{machine, "", clientID}, {machine, "/admin", clientID}, {person, "", user}} {
		if who := authtest.Meet(t, url+tt.path, tt.auth); who != tt.who {
			t.Errorf("the server knows %q, want %q", who, tt.who)
		}
	}
	authtest.Refused(t, url+"/admin", person, 403)
	if got := authtest.Refused(t, url, nil, 401); got != `Bearer realm="swans"` {
		t.Errorf("challenged with %s", got)
	}
	if got := authtest.Refused(t, url, wsclient.Bearer("made-up"), 401); got != `Bearer realm="swans", error="invalid_token"` {
		t.Errorf("challenged with %s", got)
	}

	s.fail(500)
	authtest.Refused(t, url, wsclient.Bearer("not-asked-before"), 503)
	if who := authtest.Meet(t, url, person); who != user { // who is remembered
		t.Errorf("the server knows %q", who)
	}
	s.Close()
	authtest.Refused(t, url, wsclient.Bearer("nor-this"), 503)
	if _, err := oauth.Credentials(clientID, clientSecret)(t.Context()); err != nil {
		t.Error(err)
	}
}
