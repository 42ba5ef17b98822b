package jwt_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/swan-ws/websocket/auth/internal/authtest"
	"github.com/swan-ws/websocket/auth/jwt"
)

// certificate is one for rsaKey.
func certificate(from, to time.Time) *pem.Block {
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "issuer"}, NotBefore: from, NotAfter: to}
	der := must(x509.CreateCertificate(rand.Reader, template, template, &rsaKey().PublicKey, rsaKey()))
	return &pem.Block{Type: "CERTIFICATE", Bytes: der}
}

func TestLoadKeys_ReadsPEM(t *testing.T) {
	now := time.Now()
	stranger := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	for _, tt := range []struct {
		name   string
		blocks []*pem.Block
		want   int
	}{
		{"a public key", []*pem.Block{publicPEM(&rsaKey().PublicKey)}, 101},
		{"an RSA public key", []*pem.Block{{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&rsaKey().PublicKey)}}, 101},
		{"a certificate", []*pem.Block{certificate(now.Add(-time.Hour), now.Add(time.Hour))}, 101},
		{"a certificate that has expired", []*pem.Block{certificate(now.Add(-time.Hour), now.Add(-time.Minute))}, 401},
		{"a certificate that is not valid yet", []*pem.Block{certificate(now.Add(time.Minute), now.Add(time.Hour))}, 401},
		{"two keys", []*pem.Block{publicPEM(&stranger.PublicKey), publicPEM(&rsaKey().PublicKey)}, 101},
		{"another key", []*pem.Block{publicPEM(&stranger.PublicKey)}, 401},
	} {
		keys, err := jwt.LoadKeys(inFile(t, tt.blocks...))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if _, err := verifier(keys).Verify(t.Context(), signed("any")); authtest.Status(err) != tt.want {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestLoadKeys_SaysWhatItCannotUse(t *testing.T) {
	file := func(text string) string {
		name := filepath.Join(t.TempDir(), "keys.pem")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for _, tt := range []struct{ name, file, want string }{
		{"no file", filepath.Join(t.TempDir(), "none"), "no such file"},
		{"an empty file", file(""), "no PUBLIC KEY"},
		{"no PEM", file("ssh-rsa AAAA"), "no PUBLIC KEY"},
		{"a private key", inFile(t, &pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")}), `"PRIVATE KEY"`},
		{"a broken key", inFile(t, &pem.Block{Type: "PUBLIC KEY", Bytes: []byte("x")}), "asn1"},
		{"a broken certificate", inFile(t, &pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}), "x509"},
		{"a broken RSA key", inFile(t, &pem.Block{Type: "RSA PUBLIC KEY", Bytes: []byte("x")}), "asn1"},
		{"a key that is too short", inFile(t, publicPEM(&shortKey().PublicKey)), "too short"},
	} {
		if _, err := jwt.LoadKeys(tt.file); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if _, err := jwt.LoadKeys(); err == nil {
		t.Error("no files are keys")
	}
}

func TestKeySet_RefusesKeysThatVerifyNothing(t *testing.T) {
	p224 := must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))
	for _, tt := range []struct {
		name string
		key  jwt.Key
		good bool
	}{
		{"RSA", jwt.Key{Value: &rsaKey().PublicKey}, true},
		{"RSA for PS512", jwt.Key{Value: &rsaKey().PublicKey, Algorithm: "PS512"}, true},
		{"RSA for HS256", jwt.Key{Value: &rsaKey().PublicKey, Algorithm: "HS256"}, false},
		{"RSA that is too short", jwt.Key{Value: &shortKey().PublicKey}, false},
		{"a private key", jwt.Key{Value: rsaKey()}, false},
		{"a curve", jwt.Key{Value: &ecKey().PublicKey, Algorithm: "ES256"}, true},
		{"another curve's algorithm", jwt.Key{Value: &ecKey().PublicKey, Algorithm: "ES384"}, false},
		{"a curve that there is no algorithm for", jwt.Key{Value: &p224.PublicKey}, false},
		{"Ed25519", jwt.Key{Value: edKey().Public()}, true},
		{"a part of Ed25519", jwt.Key{Value: edKey().Public().(ed25519.PublicKey)[:31]}, false},
		{"a secret", jwt.Key{Value: secret}, true},
		{"a secret that is too short", jwt.Key{Value: secret[1:]}, false},
		{"a secret that is too short for HS384", jwt.Key{Value: secret, Algorithm: "HS384"}, false},
		{"a string", jwt.Key{Value: "secret"}, false},
		{"nothing", jwt.Key{}, false},
	} {
		if _, err := jwt.KeySet(tt.key); (err == nil) != tt.good {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// A secret stays what it was when it was given.
func TestSecret_IsACopy(t *testing.T) {
	mine := append([]byte(nil), secret...)
	v := verifier(must(jwt.Secret(mine)))
	clear(mine)
	token := func(key []byte) string { return forge(claims{"alg": "HS256", "typ": "JWT"}, good(nil), hs256(key)) }
	if _, err := v.Verify(t.Context(), token(secret)); err != nil {
		t.Error(err)
	}
	if _, err := v.Verify(t.Context(), token(mine)); err == nil {
		t.Error("took the zeros that are there now")
	}
}

// Sets have curves too.
func TestJWKS_KnowsCurves(t *testing.T) {
	b64 := base64.RawURLEncoding.EncodeToString
	on := func(curve elliptic.Curve, crv string) (*ecdsa.PrivateKey, claims) {
		key := must(ecdsa.GenerateKey(curve, rand.Reader))
		point := must(key.PublicKey.Bytes())
		size := len(point) / 2
		return key, claims{"kty": "EC", "crv": crv, "kid": "a", "x": b64(point[1 : 1+size]), "y": b64(point[1+size:])}
	}
	key256, jwk256 := on(elliptic.P256(), "P-256")
	point256 := must(key256.PublicKey.Bytes())
	key384, jwk384 := on(elliptic.P384(), "P-384")
	key521, jwk521 := on(elliptic.P521(), "P-521")
	ed := claims{"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": b64(edKey().Public().(ed25519.PublicKey))}
	change := func(of claims, name string, value any) claims {
		k := claims{}
		copyTo(k, of)
		k[name] = value
		return k
	}
	for _, tt := range []struct {
		name string
		key  any
		jwk  claims
		want int
	}{
		{"P-256", key256, jwk256, 101},
		{"P-384", key384, jwk384, 101},
		{"P-521", key521, jwk521, 101},
		{"Ed25519", edKey(), ed, 101},
		{"another key on the curve", key256, jwk384, 401},
		{"a point that is not on the curve", key256, change(jwk256, "y", jwk256["x"]), 503},
		{"a point without y", key256, change(jwk256, "y", ""), 503},
		{"a short x", key256, change(jwk256, "x", "AAAA"), 503},
		{"a point whose halves are not of the same size", key256, claims{
			"kty": "EC", "crv": "P-256", "x": b64(point256[1:32]), "y": b64(point256[32:]),
		}, 503},
		{"an unknown curve", key256, change(jwk256, "crv", "secp256k1"), 503},
		{"a curve of another size", key256, change(jwk256, "crv", "P-521"), 503},
		{"X25519", edKey(), change(ed, "crv", "X25519"), 503},
		{"a short Ed25519", edKey(), change(ed, "x", "AAAA"), 503},
	} {
		token := must((&jwt.Issuer{Key: tt.key, KeyID: "a", Issuer: issuer, Subject: "ada", Audience: []string{audience}}).Token(t.Context()))
		v := verifier(remote(func(*http.Request) (int, string, error) { return 200, set(tt.jwk), nil }))
		if _, err := v.Verify(t.Context(), token); authtest.Status(err) != tt.want {
			t.Errorf("%s: %v, want %d", tt.name, err, tt.want)
		}
	}
}
