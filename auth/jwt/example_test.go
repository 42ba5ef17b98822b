package jwt_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"log"
	"net/http/httptest"

	"github.com/swan-ws/websocket/auth/jwt"
	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/server"
)

// A program that signs its own tokens, and a service that knows its public key.
func Example() {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	program := &jwt.Issuer{Key: private, Issuer: "clock", Subject: "clock", Audience: []string{"chat"}}
	auth := client.BearerFrom(program.Token) // for client.Options

	keys, err := jwt.KeySet(jwt.Key{Value: public})
	if err != nil {
		log.Fatal(err)
	}
	service := &jwt.Verifier{Keys: keys, Issuer: "clock", Audience: []string{"chat"}}
	way := server.Bearer("chat", service.Verify) // for server.Authenticate

	r := httptest.NewRequest("GET", "/", nil)
	value, err := auth(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	r.Header.Set("Authorization", value)
	who, err := way(r)
	fmt.Println(who.Name, err)
	// Output: clock <nil>
}

// Users of an identity provider.
func ExampleJWKS() {
	keys, err := jwt.JWKS("https://login.example.com/.well-known/jwks.json", nil)
	if err != nil {
		log.Fatal(err)
	}
	users := &jwt.Verifier{Keys: keys, Issuer: "https://login.example.com/", Audience: []string{"chat"}}
	if err := users.Validate(); err != nil {
		log.Fatal(err)
	}
	way := server.Bearer("chat", users.Verify) // for server.Authenticate
	_ = way
}
