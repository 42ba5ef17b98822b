// Package oauth is for tokens of an authorization server (RFC 6749) that say nothing
// by themselves.
//
// A server asks that server whose a token is, with an Introspector (RFC 7662):
//
//	server.Bearer(realm, introspector.Verify)
//
// A client gets one there and keeps it until it expires. It has something to show
// for it, a grant, and Client has a method for each:
//
//	client.BearerFrom(app.ClientCredentials())
//
// Tokens that are signed and can be read are in package jwt; those of a Client may
// be such too.
package oauth
