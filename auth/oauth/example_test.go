package oauth_test

import (
	"log"
	"os"

	"github.com/swan-ws/websocket/auth/oauth"
	wsclient "github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/server"
)

// A service that asks the authorization server whose a token is.
func ExampleIntrospector() {
	tokens := &oauth.Introspector{
		URL:  "https://login.example.com/introspect",
		Auth: oauth.Credentials("chat", os.Getenv("CHAT_SECRET")),
	}
	if err := tokens.Validate(); err != nil {
		log.Fatal(err)
	}
	way := server.Bearer("chat", tokens.Verify) // for server.Authenticate
	_ = way
}

// A program that acts for itself.
func ExampleClient_ClientCredentials() {
	app := &oauth.Client{
		TokenURL: "https://login.example.com/token",
		ID:       "clock", Secret: os.Getenv("CLOCK_SECRET"),
		Scopes: []string{"chat"},
	}
	o := &wsclient.Options{Auth: wsclient.BearerFrom(app.ClientCredentials())}
	_ = o
}
