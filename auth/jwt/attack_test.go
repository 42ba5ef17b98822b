package jwt_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/swan-ws/websocket/auth/internal/authtest"
	"github.com/swan-ws/websocket/auth/jwt"
)

// all are keys of every kind: what a token could be mistaken for.
func all() jwt.Keys {
	return keySet(
		jwt.Key{ID: "rsa", Value: &rsaKey().PublicKey},
		jwt.Key{ID: "ec", Value: &ecKey().PublicKey},
		jwt.Key{ID: "ed", Value: edKey().Public()},
		jwt.Key{ID: "secret", Value: secret},
		jwt.Key{ID: "ps", Algorithm: "PS256", Value: &rsaKey().PublicKey},
	)
}

// publicForms are what everybody can know of an RSA key, and so could sign with if
// the verifier took it for a secret.
func publicForms(key *rsa.PublicKey) [][]byte {
	der := must(x509.MarshalPKIXPublicKey(key))
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	return [][]byte{der, text, []byte(strings.TrimSpace(string(text))), x509.MarshalPKCS1PublicKey(key), key.N.Bytes()}
}

func TestVerifier_Rejects_ForgedSignatures(t *testing.T) {
	stranger := must(rsa.GenerateKey(rand.Reader, 2048))
	strangerEC := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	type attack struct {
		name   string
		header claims
		sign   signer
	}
	attacks := []attack{
		{"none", claims{"alg": "none"}, unsigned},
		{"None", claims{"alg": "None"}, unsigned},
		{"none with a key id", claims{"alg": "none", "kid": "rsa"}, unsigned},
		{"no algorithm", claims{}, unsigned},
		{"an algorithm that is no string", claims{"alg": []string{"RS256"}}, rs256(rsaKey())},
		{"an unknown algorithm", claims{"alg": "HS1"}, unsigned},
		{"RS256 without a signature", claims{"alg": "RS256"}, unsigned},
		{"ES256 without a signature", claims{"alg": "ES256"}, unsigned},
		{"ES256 of zeros", claims{"alg": "ES256"}, func([]byte) []byte { return make([]byte, 64) }},
		{"EdDSA of zeros", claims{"alg": "EdDSA"}, func([]byte) []byte { return make([]byte, 64) }},
		{"HS256 without a signature", claims{"alg": "HS256"}, unsigned},
		{"HS256 with an empty secret", claims{"alg": "HS256"}, hs256(nil)},
		{"HS512 with a secret that is for HS256", claims{"alg": "HS512", "kid": "secret"}, hmacOf(sha512.New, secret)},
		{"a stranger's", claims{"alg": "RS256"}, rs256(stranger)},
		{"a stranger's in our name", claims{"alg": "RS256", "kid": "rsa"}, rs256(stranger)},
		{"a stranger's on the curve", claims{"alg": "ES256", "kid": "ec"}, es256(strangerEC)},
		{"a stranger's that brings its key", claims{"alg": "RS256", "jwk": rsaJWK("rsa", &stranger.PublicKey)}, rs256(stranger)},
		{"a stranger's that says where its key is", claims{"alg": "RS256", "jku": "https://evil.test/keys", "x5u": "https://evil.test/cert"}, rs256(stranger)},
		{"another key's id", claims{"alg": "RS256", "kid": "ec"}, rs256(rsaKey())},
		{"an unknown id", claims{"alg": "RS256", "kid": "../../dev/null"}, rs256(rsaKey())},
		{"an id that is no string", claims{"alg": "RS256", "kid": 7}, rs256(rsaKey())},
		{"RS256 with a key for PS256", claims{"alg": "RS256", "kid": "ps"}, rs256(rsaKey())},
		{"RS256 called PS256", claims{"alg": "PS256"}, rs256(rsaKey())},
		{"RS256 called RS512", claims{"alg": "RS512"}, rs256(rsaKey())},
		{"an extension that is critical", claims{"alg": "RS256", "crit": []string{"b64"}, "b64": false}, rs256(rsaKey())},
		{"an extension that is critical and none", claims{"alg": "RS256", "crit": nil}, rs256(rsaKey())},
	}
	for _, form := range publicForms(&rsaKey().PublicKey) {
		attacks = append(attacks,
			attack{"HS256 with the public key", claims{"alg": "HS256"}, hs256(form)},
			attack{"HS256 with the public key in its name", claims{"alg": "HS256", "kid": "rsa"}, hs256(form)})
	}
	v := verifier(all())
	for _, tt := range attacks {
		tt.header["typ"] = "JWT"
		if p, err := v.Verify(t.Context(), forge(tt.header, good(nil), tt.sign)); authtest.Status(err) != 401 {
			t.Errorf("%s: %v, %v", tt.name, p, err)
		}
	}
	// The same, honestly.
	for _, tt := range []attack{
		{"RS256", claims{"alg": "RS256", "kid": "rsa"}, rs256(rsaKey())},
		{"RS256 without an id", claims{"alg": "RS256"}, rs256(rsaKey())},
		{"ES256", claims{"alg": "ES256", "kid": "ec"}, es256(ecKey())},
		{"HS256", claims{"alg": "HS256", "kid": "secret"}, hs256(secret)},
		{"EdDSA", claims{"alg": "EdDSA", "kid": "ed"}, func(input []byte) []byte { return ed25519.Sign(edKey(), input) }},
	} {
		tt.header["typ"] = "JWT"
		if _, err := v.Verify(t.Context(), forge(tt.header, good(nil), tt.sign)); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestVerifier_TakesNoOtherAlgorithmsThanItIsTold(t *testing.T) {
	v := verifier(all())
	v.Algorithms = []string{"ES256", "HS256"}
	for alg, sign := range map[string]signer{"RS256": rs256(rsaKey()), "ES256": es256(ecKey()), "HS256": hs256(secret)} {
		_, err := v.Verify(t.Context(), forge(claims{"alg": alg, "typ": "JWT"}, good(nil), sign))
		if (err == nil) != (alg != "RS256") {
			t.Errorf("%s: %v", alg, err)
		}
	}
}

func TestVerifier_Rejects_ClaimsThatAreNotForUs(t *testing.T) {
	now := time.Now().Unix()
	for _, tt := range []struct {
		name   string
		claims claims
	}{
		{"expired", claims{"exp": now - 1}},
		{"expired long ago", claims{"exp": 1}},
		{"no end", claims{"exp": nil}},
		{"an end of 0", claims{"exp": 0}},
		{"an end in letters", claims{"exp": "9999999999"}},
		{"an end in a list", claims{"exp": []int64{now + 60}}},
		{"a negative end", claims{"exp": -1e18}},
		{"not valid yet", claims{"nbf": now + 60}},
		{"a beginning in letters", claims{"nbf": "1"}},
		{"issued in the future", claims{"iat": now + 60}},
		{"issued in letters", claims{"iat": "1"}},
		{"no issuer", claims{"iss": nil}},
		{"another issuer", claims{"iss": issuer + "/"}},
		{"an issuer in a list", claims{"iss": []string{issuer}}},
		{"no audience", claims{"aud": nil}},
		{"another audience", claims{"aud": "chat2"}},
		{"other audiences", claims{"aud": []string{"chat2", "Chat"}}},
		{"an empty list of audiences", claims{"aud": []string{}}},
		{"an audience among what is none", claims{"aud": []any{audience, 7}}},
		{"an audience in an object", claims{"aud": claims{audience: true}}},
		{"nobody", claims{"sub": nil}},
		{"nobody, but there", claims{"sub": ""}},
		{"somebody in a list", claims{"sub": []string{"ada"}}},
		{"another tenant", claims{"tenant": "south"}},
		{"no tenant", claims{"tenant": nil}},
		{"a tenant of null", claims{"tenant": claims(nil)}},
		{"tenants without ours", claims{"tenant": []string{"south", "west"}}},
	} {
		v := verifier(keySet(jwt.Key{Value: &rsaKey().PublicKey}))
		v.Claims = claims{"tenant": "north"}
		said := good(claims{"tenant": "north"})
		for name, value := range tt.claims {
			if said[name] = value; value == nil {
				delete(said, name)
			}
		}
		if p, err := v.Verify(t.Context(), forge(claims{"alg": "RS256", "typ": "JWT"}, said, rs256(rsaKey()))); authtest.Status(err) != 401 {
			t.Errorf("%s: %v, %v", tt.name, p, err)
		}
	}
}

func TestVerifier_Rejects_WhatIsNoToken(t *testing.T) {
	token := signed("")
	header, rest, _ := strings.Cut(token, ".")
	body, signature, _ := strings.Cut(rest, ".")
	// What is left of the last digit is zero, so that there is one way to write it.
	last := len(signature) - 1
	spare := signature[:last] + string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", signature[last])+1])
	deep := base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("[", 10_000)))
	for name, bad := range map[string]string{
		"empty":                         "",
		"dots":                          "..",
		"two parts":                     header + "." + body,
		"four parts":                    token + ".",
		"five parts, encrypted":         token + "." + signature + "." + signature,
		"spaces":                        header + ". " + body + "." + signature,
		"padding":                       header + "." + body + "." + signature + "==",
		"spare bits":                    header + "." + body + "." + spare,
		"the other alphabet":            strings.NewReplacer("-", "+", "_", "/").Replace(token + "-_"),
		"no JSON":                       "e30x." + body + "." + signature,
		"null":                          "bnVsbA.bnVsbA.",
		"a list":                        "W10.W10.",
		"deep JSON":                     deep + "." + deep + ".",
		"no base64":                     "%%%.%%%.%%%",
		"another header":                segment(claims{"alg": "RS256", "typ": "JWT", "kid": "x"}) + "." + body + "." + signature,
		"other claims":                  header + "." + segment(good(claims{"sub": "eve"})) + "." + signature,
		"too long":                      strings.Repeat("a", jwt.MaxToken+1),
		"too long, but else it is good": forge(claims{"alg": "RS256", "typ": "JWT"}, good(claims{"x": strings.Repeat("x", jwt.MaxToken)}), rs256(rsaKey())),
	} {
		v := verifier(keySet(jwt.Key{Value: &rsaKey().PublicKey}))
		p, err := v.Verify(t.Context(), bad)
		if authtest.Status(err) != 401 || p != nil {
			t.Errorf("%s: %v, %v", name, p, err)
		}
		if err != nil && len(err.Error()) > 300 {
			t.Errorf("%s: the error has %d bytes", name, len(err.Error()))
		}
	}
}

// What the peer sent is quoted and cut in errors.
func TestVerifier_QuotesWhatItRefuses(t *testing.T) {
	v := verifier(keySet(jwt.Key{ID: "a", Value: &rsaKey().PublicKey}))
	long := "\x1b[2J" + strings.Repeat("x", 1000)
	for _, header := range []claims{{"alg": "RS256", "typ": "JWT", "kid": long}, {"alg": "RS256", "typ": long}, {"alg": long, "typ": "JWT"}} {
		_, err := v.Verify(t.Context(), forge(header, good(nil), rs256(rsaKey())))
		if err == nil || len(err.Error()) > 300 || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%v", err)
		}
	}
}

// No token but the one that was signed.
func FuzzVerifier(f *testing.F) {
	known := signed("rsa")
	for _, seed := range []string{"", known, rfcHS256, rfcRS256, rfcNone, "..", "e30.e30."} {
		f.Add(seed)
	}
	v := verifier(all())
	f.Fuzz(func(t *testing.T, token string) {
		if p, err := v.Verify(t.Context(), token); err == nil && token != known {
			t.Errorf("took %q for %v", token, p)
		}
	})
}
