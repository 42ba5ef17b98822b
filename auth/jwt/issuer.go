package jwt

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	gojwt "github.com/golang-jwt/jwt/v5"
)

// DefaultLifetime is how long a token of an Issuer's is valid.
const DefaultLifetime = 5 * time.Minute

// An Issuer signs tokens that say who its program is. It is not to be changed while
// it is in use.
type Issuer struct {
	// Key is an *rsa.PrivateKey, an *ecdsa.PrivateKey or an ed25519.PrivateKey, such
	// as LoadPrivateKey returns, or a secret of 32 bytes or more in a []byte.
	Key any
	// KeyID is the token's kid: which of its keys the verifier should take. "": none.
	KeyID string
	// Algorithm signs. "": RS256, ES256, ES384 or ES512 by the curve, EdDSA, HS256.
	Algorithm string

	// Issuer, Subject and Audience are the token's iss, sub and aud, if they are not
	// empty.
	Issuer, Subject string
	Audience        []string
	// Claims are what else it says. Those that the Issuer makes come first: exp, iat
	// and what the fields above are for; jti, which is a new one for each token, does
	// not.
	Claims map[string]any
	// Lifetime is how long it is valid. 0: DefaultLifetime.
	Lifetime time.Duration
	// Type is the header's typ. "": JWT.
	Type string
}

// Token is for client.BearerFrom, and for oauth.Client.Assertion. Each call signs a
// token of its own, so that no attempt to connect has one that is about to expire.
func (i *Issuer) Token(context.Context) (string, error) {
	public := i.public()
	algorithms := public.algorithms()
	if len(algorithms) == 0 {
		return "", fmt.Errorf("websocket: jwt.Issuer: the Key, of type %T, is none, too short or of an unknown kind", i.Key)
	}
	// The first is the one whose name ends in 256, where there is one.
	algorithm := cmp.Or(i.Algorithm, algorithms[0])
	if !slices.Contains(algorithms, algorithm) {
		return "", fmt.Errorf("websocket: jwt.Issuer: the Key is for %q, not for %q", algorithms, algorithm)
	}
	t := gojwt.NewWithClaims(gojwt.GetSigningMethod(algorithm), i.claims(time.Now()))
	t.Header["typ"] = cmp.Or(i.Type, "JWT")
	if i.KeyID != "" {
		t.Header["kid"] = i.KeyID
	}
	return t.SignedString(i.Key)
}

func (i *Issuer) claims(now time.Time) gojwt.MapClaims {
	c := gojwt.MapClaims{"jti": rand.Text()}
	maps.Copy(c, i.Claims)
	c["iat"] = now.Unix()
	c["exp"] = now.Add(cmp.Or(i.Lifetime, DefaultLifetime)).Unix()
	if i.Issuer != "" {
		c["iss"] = i.Issuer
	}
	if i.Subject != "" {
		c["sub"] = i.Subject
	}
	switch len(i.Audience) {
	case 0:
	case 1:
		c["aud"] = i.Audience[0]
	default:
		c["aud"] = i.Audience
	}
	return c
}

// public is the key that verifies what Key signs.
func (i *Issuer) public() Key {
	switch key := i.Key.(type) {
	case *rsa.PrivateKey:
		return Key{Value: &key.PublicKey}
	case *ecdsa.PrivateKey:
		return Key{Value: &key.PublicKey}
	case ed25519.PrivateKey:
		return Key{Value: key.Public()}
	case []byte:
		return Key{Value: key}
	}
	return Key{}
}

// LoadPrivateKey reads the first private key in a PEM file, for an Issuer. One that
// is encrypted is decrypted by "openssl pkey -in encrypted.pem -out key.pem".
func LoadPrivateKey(file string) (key any, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("websocket: jwt: %w", err)
	}
	if key, err = parsePrivateKey(text); err != nil {
		return nil, fmt.Errorf("websocket: jwt: %s: %w", file, err)
	}
	return key, nil
}

func parsePrivateKey(text []byte) (any, error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "PRIVATE KEY":
			return x509.ParsePKCS8PrivateKey(block.Bytes)
		case "RSA PRIVATE KEY":
			return x509.ParsePKCS1PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			return x509.ParseECPrivateKey(block.Bytes)
		}
	}
	return nil, errors.New("no PRIVATE KEY in PEM that is not encrypted")
}
