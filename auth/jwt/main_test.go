package jwt_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"hash"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/swan-ws/websocket/auth/jwt"
	"github.com/swan-ws/websocket/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

const (
	issuer   = "https://issuer.test"
	audience = "chat"
)

var (
	rsaKey = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	ecKey  = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	edKey  = sync.OnceValue(func() ed25519.PrivateKey {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return must(key, err)
	})
	secret = []byte("thirty-two bytes are just enough")
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// verifier takes tokens of issuer for audience.
func verifier(keys jwt.Keys) *jwt.Verifier {
	return &jwt.Verifier{Keys: keys, Issuer: issuer, Audience: []string{audience}}
}

// keySet are keys that stay.
func keySet(keys ...jwt.Key) jwt.Keys { return must(jwt.KeySet(keys...)) }

type claims = map[string]any

// good are claims that verifier takes, with those of change in their place; nil is
// none.
func good(change claims) claims {
	now := time.Now().Unix()
	c := claims{"iss": issuer, "aud": audience, "sub": "ada", "iat": now, "exp": now + 60}
	maps.Copy(c, change)
	for name, value := range c {
		if value == nil {
			delete(c, name)
		}
	}
	return c
}

// A signer makes a signature.
type signer func(input []byte) []byte

// forge makes a token by hand, as no library would.
func forge(header, claims any, sign signer) string {
	input := segment(header) + "." + segment(claims)
	return input + "." + base64.RawURLEncoding.EncodeToString(sign([]byte(input)))
}

func segment(v any) string { return base64.RawURLEncoding.EncodeToString(must(json.Marshal(v))) }

func rs256(key *rsa.PrivateKey) signer {
	return func(input []byte) []byte {
		sum := sha256.Sum256(input)
		return must(rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:]))
	}
}

func es256(key *ecdsa.PrivateKey) signer {
	return func(input []byte) []byte {
		sum := sha256.Sum256(input)
		r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
		return must(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), err)
	}
}

func hs256(key []byte) signer { return hmacOf(sha256.New, key) }

func hmacOf(hash func() hash.Hash, key []byte) signer {
	return func(input []byte) []byte {
		h := hmac.New(hash, key)
		h.Write(input)
		return h.Sum(nil)
	}
}

func unsigned([]byte) []byte { return nil }

// rsaJWK is a key of a set.
func rsaJWK(id string, key *rsa.PublicKey) claims {
	return claims{
		"kty": "RSA", "kid": id, "use": "sig", "alg": "RS256",
		"n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes()),
	}
}

// set is a set of keys as its issuer writes it.
func set(keys ...claims) string { return string(must(json.Marshal(claims{"keys": keys}))) }

// signed is a good token of rsaKey's that names id.
func signed(id string) string {
	return forge(claims{"alg": "RS256", "typ": "JWT", "kid": id}, good(nil), rs256(rsaKey()))
}

// inFile writes blocks of PEM into a file and returns its name.
func inFile(t testing.TB, blocks ...*pem.Block) string {
	t.Helper()
	var text []byte
	for _, b := range blocks {
		text = append(text, pem.EncodeToMemory(b)...)
	}
	name := filepath.Join(t.TempDir(), "keys.pem")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func publicPEM(key any) *pem.Block {
	return &pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(key))}
}
