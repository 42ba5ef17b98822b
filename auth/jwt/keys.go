package jwt

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// Keys finds the keys of those who may sign, for a token that names the key id, or
// none if it is empty. It may return others too: a token is verified only by those
// that fit it. An error says that it cannot be known now which keys there are.
type Keys func(ctx context.Context, id string) ([]Key, error)

// A Key verifies signatures.
type Key struct {
	ID        string // the kid of its tokens; "": any
	Algorithm string // the alg of its tokens; "": all that are for its type
	// Value is an *rsa.PublicKey, for RS256, RS384, RS512, PS256, PS384 and PS512, an
	// *ecdsa.PublicKey, for ES256, ES384 or ES512 by its curve, an
	// ed25519.PublicKey, for EdDSA, or a secret of 32, 48 or 64 bytes or more in a
	// []byte, for HS256, HS384 or HS512.
	Value any
	// NotBefore and NotAfter say when it counts, if they are not zero.
	NotBefore, NotAfter time.Time
}

var allAlgorithms = []string{
	"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "HS256", "HS384", "HS512",
}

// The moduli of RSA: RFC 7518 §3.3 wants 2048 bits, and beyond 8192 a peer could
// make us work too hard.
const minModulus, maxModulus = 2048, 8192

// algorithms are those that are for keys of this type (RFC 7518 §3.1).
func (k Key) algorithms() []string {
	switch v := k.Value.(type) {
	case *rsa.PublicKey:
		if n := v.N.BitLen(); n >= minModulus && n <= maxModulus {
			return allAlgorithms[:6]
		}
	case *ecdsa.PublicKey:
		switch v.Curve {
		case elliptic.P256():
			return []string{"ES256"}
		case elliptic.P384():
			return []string{"ES384"}
		case elliptic.P521():
			return []string{"ES512"}
		}
	case ed25519.PublicKey:
		if len(v) == ed25519.PublicKeySize {
			return []string{"EdDSA"}
		}
	case []byte: // §3.2: as long as the hash
		n := 0
		for _, size := range []int{32, 48, 64} {
			if len(v) >= size {
				n++
			}
		}
		return allAlgorithms[10 : 10+n]
	}
	return nil
}

// fits reports whether the key is for tokens with this header, at that time.
func (k Key) fits(id, algorithm string, now time.Time) bool {
	return (k.ID == "" || id == "" || k.ID == id) &&
		(k.Algorithm == "" || k.Algorithm == algorithm) &&
		slices.Contains(k.algorithms(), algorithm) &&
		(k.NotBefore.IsZero() || !now.Before(k.NotBefore)) &&
		(k.NotAfter.IsZero() || !now.After(k.NotAfter))
}

// KeySet are keys that stay what they are.
func KeySet(keys ...Key) (Keys, error) {
	if len(keys) == 0 {
		return nil, errors.New("websocket: jwt: no key")
	}
	for _, k := range keys {
		all := k.algorithms()
		if len(all) == 0 || k.Algorithm != "" && !slices.Contains(all, k.Algorithm) {
			return nil, fmt.Errorf("websocket: jwt: the key %q of type %T is too short, too long or of another kind for %s",
				k.ID, k.Value, cmp.Or(k.Algorithm, "every algorithm"))
		}
	}
	keys = slices.Clone(keys)
	return func(context.Context, string) ([]Key, error) { return keys, nil }, nil
}

// Secret is the key of those who sign with a secret that they share with us: 32
// bytes or more, from crypto/rand and not from a person. Whoever can verify with it
// can sign too.
func Secret(secret []byte) (Keys, error) {
	return KeySet(Key{Value: slices.Clone(secret)})
}

// LoadKeys reads public keys and certificates from PEM files, once. A certificate
// counts from its beginning to its end; who has signed it is not asked.
func LoadKeys(files ...string) (Keys, error) {
	var keys []Key
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("websocket: jwt: %w", err)
		}
		found, err := parseKeys(text)
		if err != nil {
			return nil, fmt.Errorf("websocket: jwt: %s: %w", file, err)
		}
		keys = append(keys, found...)
	}
	return KeySet(keys...)
}

func parseKeys(text []byte) (keys []Key, err error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		var k Key
		switch block.Type {
		case "PUBLIC KEY":
			k.Value, err = x509.ParsePKIXPublicKey(block.Bytes)
		case "RSA PUBLIC KEY":
			k.Value, err = x509.ParsePKCS1PublicKey(block.Bytes)
		case "CERTIFICATE":
			var cert *x509.Certificate
			if cert, err = x509.ParseCertificate(block.Bytes); err == nil {
				k = Key{Value: cert.PublicKey, NotBefore: cert.NotBefore, NotAfter: cert.NotAfter}
			}
		default:
			return nil, fmt.Errorf("a %.64q in PEM: want a PUBLIC KEY or a CERTIFICATE", block.Type)
		}
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, errors.New("no PUBLIC KEY and no CERTIFICATE in PEM")
	}
	return keys, nil
}
