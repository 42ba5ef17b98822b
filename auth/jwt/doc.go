// Package jwt is for JSON Web Tokens (RFC 7519): claims that somebody has signed.
//
// A Verifier tells a server whose a token is, without asking anybody:
//
//	server.Bearer(realm, verifier.Verify)
//
// An Issuer makes the tokens of a client that signs them itself:
//
//	client.BearerFrom(issuer.Token)
//
// Signatures are those of RFC 7518 and RFC 8037: RS256, PS256, ES256, HS256, their
// longer relatives, and EdDSA. There is no encryption, and no token without a
// signature.
package jwt
