package jwt_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/auth/internal/authtest"
	"github.com/swan-ws/websocket/auth/jwt"
)

// part decodes one of the parts of a token.
func part(t testing.TB, token string, n int) (c claims) {
	t.Helper()
	text := must(base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[n]))
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestIssuer_SignsWithEveryKindOfKey(t *testing.T) {
	p384 := must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	p521 := must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))
	long := []byte(strings.Repeat("s", 64))
	for _, tt := range []struct {
		key, public     any
		algorithm, want string
	}{
		{rsaKey(), &rsaKey().PublicKey, "", "RS256"},
		{rsaKey(), &rsaKey().PublicKey, "RS512", "RS512"},
		{rsaKey(), &rsaKey().PublicKey, "PS256", "PS256"},
		{ecKey(), &ecKey().PublicKey, "", "ES256"},
		{p384, &p384.PublicKey, "", "ES384"},
		{p521, &p521.PublicKey, "", "ES512"},
		{edKey(), edKey().Public(), "", "EdDSA"},
		{secret, secret, "", "HS256"},
		{long, long, "HS384", "HS384"},
		{long, long, "HS512", "HS512"},
	} {
		i := &jwt.Issuer{Key: tt.key, KeyID: "a", Algorithm: tt.algorithm, Issuer: issuer, Subject: "ada", Audience: []string{audience}}
		token, err := i.Token(t.Context())
		if err != nil {
			t.Errorf("%s: %v", tt.want, err)
			continue
		}
		header := part(t, token, 0)
		if header["alg"] != tt.want || header["typ"] != "JWT" || header["kid"] != "a" {
			t.Errorf("%s: header %v", tt.want, header)
		}
		v := verifier(keySet(jwt.Key{ID: "a", Algorithm: tt.want, Value: tt.public}))
		if p, err := v.Verify(t.Context(), token); err != nil || p.Name != "ada" {
			t.Errorf("%s: %v, %v", tt.want, p, err)
		}
	}
}

func TestIssuer_SaysWhatItIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &jwt.Issuer{
			Key: secret, Issuer: "me", Subject: "ada", Audience: []string{"a", "b"}, Type: "at+jwt",
			Claims: claims{"scope": "chat", "iss": "somebody else", "exp": 1, "nbf": 7, "jti": "mine"},
		}
		token := must(i.Token(t.Context()))
		now := float64(time.Now().Unix())
		c, header := part(t, token, 1), part(t, token, 0)
		said := claims{"iss": "me", "sub": "ada", "scope": "chat", "iat": now, "exp": now + 300, "nbf": 7.0, "jti": "mine"}
		for name, want := range said {
			if c[name] != want {
				t.Errorf("%s is %v, want %v", name, c[name], want)
			}
		}
		if aud, _ := c["aud"].([]any); !slices.Equal(aud, []any{"a", "b"}) || len(c) != 8 || header["typ"] != "at+jwt" || len(header) != 2 {
			t.Errorf("%v %v", header, c)
		}
		bare := part(t, must((&jwt.Issuer{Key: secret, Lifetime: time.Hour}).Token(t.Context())), 1)
		if len(bare) != 3 || bare["exp"] != now+3600 || bare["jti"] == "" {
			t.Errorf("%v", bare)
		}
	})
}

// Whenever it is asked, its token is good for a whole lifetime.
func TestIssuer_RenewsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &jwt.Issuer{Key: secret, Issuer: issuer, Subject: "ada", Audience: []string{audience}}
		v := verifier(must(jwt.Secret(secret)))
		seen := map[any]bool{}
		for range 10 {
			token := must(i.Token(t.Context()))
			if id := part(t, token, 1)["jti"]; seen[id] {
				t.Errorf("the id %v twice", id)
			} else {
				seen[id] = true
			}
			<-time.After(jwt.DefaultLifetime - time.Second)
			if _, err := v.Verify(t.Context(), token); err != nil {
				t.Error(err)
			}
			<-time.After(time.Second)
			if _, err := v.Verify(t.Context(), token); authtest.Status(err) != 401 {
				t.Errorf("after its lifetime: %v", err)
			}
		}
	})
}

func TestIssuer_SaysWhatItCannotSignWith(t *testing.T) {
	for _, tt := range []struct {
		name string
		i    jwt.Issuer
		want string
	}{
		{"no key", jwt.Issuer{}, "type <nil>"},
		{"a public key", jwt.Issuer{Key: &rsaKey().PublicKey}, "type *rsa.PublicKey"},
		{"a short secret", jwt.Issuer{Key: secret[1:]}, "too short"},
		{"a short key", jwt.Issuer{Key: shortKey()}, "too short"},
		{"another key's algorithm", jwt.Issuer{Key: rsaKey(), Algorithm: "HS256"}, `not for "HS256"`},
		{"no algorithm", jwt.Issuer{Key: rsaKey(), Algorithm: "none"}, `not for "none"`},
		{"claims that are no JSON", jwt.Issuer{Key: secret, Claims: claims{"f": func() {}}}, "unsupported type"},
	} {
		if token, err := tt.i.Token(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %q, %v", tt.name, token, err)
		}
	}
}

func TestLoadPrivateKey_ReadsPEM(t *testing.T) {
	pkcs8 := &pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(edKey()))}
	parameters := &pem.Block{Type: "EC PARAMETERS", Bytes: []byte{5, 0}} // which openssl writes before
	for _, tt := range []struct {
		name string
		file string
		want string // of its tokens' alg, or of the error
	}{
		{"PKCS #8", inFile(t, pkcs8), "EdDSA"},
		{"PKCS #1", inFile(t, &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsaKey())}), "RS256"},
		{"SEC 1", inFile(t, parameters, &pem.Block{Type: "EC PRIVATE KEY", Bytes: must(x509.MarshalECPrivateKey(ecKey()))}), "ES256"},
		{"no file", filepath.Join(t.TempDir(), "none"), "no such file"},
		{"encrypted", inFile(t, &pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("x")}), "not encrypted"},
		{"broken", inFile(t, &pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")}), "asn1"},
	} {
		key, err := jwt.LoadPrivateKey(tt.file)
		if err != nil {
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		token := must((&jwt.Issuer{Key: key}).Token(t.Context()))
		if part(t, token, 0)["alg"] != tt.want {
			t.Errorf("%s: %s", tt.name, token)
		}
	}
}
