package jwt

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
)

// maxKeys is how many keys a set may have: a token without a kid may be tried with
// each of them.
const maxKeys = 64

// A jwk is a key of RFC 7517.
type jwk struct {
	Type       string   `json:"kty"`
	Use        string   `json:"use"`
	Operations []string `json:"key_ops"`
	Algorithm  string   `json:"alg"`
	ID         string   `json:"kid"`
	Curve      string   `json:"crv"`
	X          octets   `json:"x"`
	Y          octets   `json:"y"`
	N          octets   `json:"n"`
	E          octets   `json:"e"`
}

// octets are base64url without padding.
type octets []byte

func (o *octets) UnmarshalText(text []byte) (err error) {
	*o, err = base64.RawURLEncoding.Strict().AppendDecode(nil, text)
	return err
}

// parseJWKS returns the keys of a set that verify. RFC 7517 §5: those for other
// purposes, or of kinds that we do not know, are not looked at.
func parseJWKS(text []byte) (keys []Key, err error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, err
	}
	if set.Keys == nil || len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("want \"keys\", %d of them at the most", maxKeys)
	}
	for _, each := range set.Keys {
		var j jwk
		if json.Unmarshal(each, &j) != nil || !j.verifies() {
			continue
		}
		k := Key{ID: j.ID, Algorithm: j.Algorithm, Value: j.value()}
		if len(k.algorithms()) > 0 {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 && len(set.Keys) > 0 {
		return nil, fmt.Errorf("none of its %d keys verifies anything that we know", len(set.Keys))
	}
	return keys, nil
}

func (j *jwk) verifies() bool {
	return (j.Use == "" || j.Use == "sig") && (j.Operations == nil || slices.Contains(j.Operations, "verify"))
}

// value returns the public key, nil if it is none. A secret (oct) would be none in a
// set that everybody can read.
func (j *jwk) value() any {
	switch j.Type {
	case "RSA":
		n, e := new(big.Int).SetBytes(j.N), new(big.Int).SetBytes(j.E)
		if e.BitLen() < 32 && e.Bit(0) == 1 && e.BitLen() > 1 {
			return &rsa.PublicKey{N: n, E: int(e.Int64())}
		}
	case "EC":
		curve, ok := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}[j.Curve]
		if !ok || len(j.X) != (curve.Params().BitSize+7)/8 { // RFC 7518 §6.2.1.2: the full size
			return nil
		}
		point := slices.Concat([]byte{4}, j.X, j.Y) // SEC 1 §2.3.3, uncompressed
		if key, err := ecdsa.ParseUncompressedPublicKey(curve, point); err == nil {
			return key
		}
	case "OKP":
		if j.Curve == "Ed25519" {
			return ed25519.PublicKey(j.X)
		}
	}
	return nil
}
