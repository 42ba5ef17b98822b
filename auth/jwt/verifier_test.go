package jwt_test

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/auth/internal/authtest"
	"github.com/swan-ws/websocket/auth/jwt"
	"github.com/swan-ws/websocket/server"
)

func TestVerifier_TellsWhoseATokenIs(t *testing.T) {
	for _, tt := range []struct {
		name   string
		claims claims
		set    func(v *jwt.Verifier)
		who    string
		scopes []string
	}{
		{name: "scopes in a string", claims: claims{"scope": "chat admin"}, who: "ada", scopes: []string{"chat", "admin"}},
		{name: "scopes in a list", claims: claims{"scope": []any{"chat", 7, "admin"}}, who: "ada", scopes: []string{"chat", "admin"}},
		{name: "no scopes", who: "ada"},
		{name: "scopes of another kind", claims: claims{"scope": 7}, who: "ada"},
		{
			name: "other names", claims: claims{"scp": "chat", "scope": "none", "email": "ada@issuer.test"},
			set: func(v *jwt.Verifier) { v.NameClaim, v.ScopeClaim = "email", "scp" },
			who: "ada@issuer.test", scopes: []string{"chat"},
		},
		{name: "audience in a list", claims: claims{"aud": []string{"other", audience}}, who: "ada"},
		{name: "one of two audiences", set: func(v *jwt.Verifier) { v.Audience = []string{"other", audience} }, who: "ada"},
		{name: "any audience", claims: claims{"aud": "other"}, set: func(v *jwt.Verifier) { v.Audience, v.InsecureAnyAudience = nil, true }, who: "ada"},
		{name: "any issuer", claims: claims{"iss": "other"}, set: func(v *jwt.Verifier) { v.Issuer, v.InsecureAnyIssuer = "", true }, who: "ada"},
		{name: "clocks apart", claims: claims{"exp": time.Now().Unix() - 5}, set: func(v *jwt.Verifier) { v.Skew = time.Minute }, who: "ada"},
		{
			name: "claims that must be there", claims: claims{"tenant": "north", "roles": []string{"reader", "writer"}, "jti": "1", "level": 3},
			set: func(v *jwt.Verifier) {
				v.Claims = claims{"tenant": "north", "roles": "writer", "jti": nil, "level": 3}
			},
			who: "ada",
		},
		{
			name: "a list that must be there", claims: claims{"roles": []string{"reader", "writer"}},
			set: func(v *jwt.Verifier) { v.Claims = claims{"roles": []string{"reader", "writer"}} }, who: "ada",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := verifier(keySet(jwt.Key{Value: &rsaKey().PublicKey}))
			if tt.set != nil {
				tt.set(v)
			}
			said := good(tt.claims)
			p, err := v.Verify(t.Context(), forge(claims{"alg": "RS256", "typ": "JWT"}, said, rs256(rsaKey())))
			if err != nil {
				t.Fatal(err)
			}
			if p.Name != tt.who || !slices.Equal(p.Scopes, tt.scopes) || p.Claims.(claims)["iss"] != said["iss"] {
				t.Errorf("got %+v", p)
			}
		})
	}
}

func TestVerifier_TakesTheTypesItIsTold(t *testing.T) {
	for _, tt := range []struct {
		name  string
		typ   any
		types []string
		taken bool
	}{
		{"JWT", "JWT", nil, true},
		{"in other letters", "jwt", nil, true},
		{"an access token", "at+jwt", nil, true},
		{"written in full", "application/at+JWT", nil, true},
		{"none", nil, nil, false},
		{"none, which is wanted", nil, []string{""}, true},
		{"empty", "", []string{""}, false},
		{"one for another purpose", "logout+jwt", nil, false},
		{"another one that is wanted", "swan+jwt", []string{"swan+jwt"}, true},
		{"JWT where another is wanted", "JWT", []string{"swan+jwt"}, false},
		{"no string", 7, []string{"", "JWT"}, false},
	} {
		header := claims{"alg": "RS256", "typ": tt.typ}
		if tt.typ == nil {
			delete(header, "typ")
		}
		v := verifier(keySet(jwt.Key{Value: &rsaKey().PublicKey}))
		v.Types = tt.types
		_, err := v.Verify(t.Context(), forge(header, good(nil), rs256(rsaKey())))
		if (err == nil) != tt.taken || err != nil && authtest.Status(err) != 401 {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// RFC 7515 A.1 to A.3: the same claims, signed in three ways, valid until 2011.
const (
	rfcClaims = ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
	rfcHS256  = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9" + rfcClaims + "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	rfcRS256  = "eyJhbGciOiJSUzI1NiJ9" + rfcClaims +
		"cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4" +
		"BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv" +
		"hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
	rfcES256 = "eyJhbGciOiJFUzI1NiJ9" + rfcClaims + "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
	rfcNone  = "eyJhbGciOiJub25lIn0" + rfcClaims

	rfcSecret = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
	rfcKeys   = `{"keys": [
		{"kty": "RSA", "e": "AQAB", "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"},
		{"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}
	]}`
)

func TestVerifier_KnowsTheTokensOfRFC7515(t *testing.T) {
	secret := must(base64.RawURLEncoding.DecodeString(rfcSecret))
	for _, tt := range []struct {
		name, token string
		keys        jwt.Keys
		year, want  int
	}{
		{"A.1", rfcHS256, must(jwt.Secret(secret)), 2000, 101},
		{"A.2", rfcRS256, jwks(t, rfcKeys), 2000, 101},
		{"A.3", rfcES256, jwks(t, rfcKeys), 2000, 101},
		{"A.5", rfcNone, jwks(t, rfcKeys), 2000, 401},
		{"A.5 and a secret", rfcNone, must(jwt.Secret(secret)), 2000, 401},
		{"A.1 with one bit changed", rfcHS256[:len(rfcHS256)-2] + "gk", must(jwt.Secret(secret)), 2000, 401},
		{"A.1 in 2012", rfcHS256, must(jwt.Secret(secret)), 2012, 401},
		{"A.2 in 2012", rfcRS256, jwks(t, rfcKeys), 2012, 401},
	} {
		synctest.Test(t, func(t *testing.T) { // which begins in 2000
			<-time.After(time.Until(time.Date(tt.year, 1, 1, 0, 0, 0, 0, time.UTC)))
			v := &jwt.Verifier{Keys: tt.keys, Issuer: "joe", InsecureAnyAudience: true, NameClaim: "iss", Types: []string{"JWT", ""}}
			p, err := v.Verify(t.Context(), tt.token)
			if got := authtest.Status(err); got != tt.want {
				t.Errorf("%s: %d, %v", tt.name, got, err)
			}
			if err == nil && (p.Name != "joe" || p.Claims.(claims)["http://example.com/is_root"] != true) {
				t.Errorf("%s: %+v", tt.name, p)
			}
		})
	}
}

func TestVerifier_AsksItsOwnFunctionForThePrincipal(t *testing.T) {
	v := verifier(keySet(jwt.Key{Value: &rsaKey().PublicKey}))
	v.Principal = func(_ context.Context, c map[string]any) (*server.Principal, error) {
		switch c["sub"] {
		case "revoked":
			return nil, &server.Rejection{Status: 403}
		case "unknown":
			return nil, errors.New("unknown")
		}
		roles := c["realm_access"].(map[string]any)["roles"].([]any)
		return &server.Principal{Name: c["sub"].(string), Scopes: []string{roles[0].(string)}}, nil
	}
	for sub, want := range map[string]int{"ada": 101, "revoked": 403, "unknown": 401} {
		said := good(claims{"sub": sub, "realm_access": claims{"roles": []string{"admin"}}})
		p, err := v.Verify(t.Context(), forge(claims{"alg": "RS256", "typ": "JWT"}, said, rs256(rsaKey())))
		if authtest.Status(err) != want || err == nil && !p.Has("admin") {
			t.Errorf("%s: %+v, %v", sub, p, err)
		}
	}
}

// Whoever forgets what protects them hears of it, and lets nobody in.
func TestVerifier_RefusesToWorkWithoutItsGuards(t *testing.T) {
	for _, tt := range []struct {
		name string
		set  func(v *jwt.Verifier)
		want string
	}{
		{"no keys", func(v *jwt.Verifier) { v.Keys = nil }, "no Keys"},
		{"no issuer", func(v *jwt.Verifier) { v.Issuer = "" }, "needs an Issuer"},
		{"an issuer, and any", func(v *jwt.Verifier) { v.InsecureAnyIssuer = true }, "needs an Issuer"},
		{"no audience", func(v *jwt.Verifier) { v.Audience = nil }, "needs an Audience"},
		{"an empty audience", func(v *jwt.Verifier) { v.Audience = []string{""} }, "needs an Audience"},
		{"an audience, and any", func(v *jwt.Verifier) { v.InsecureAnyAudience = true }, "needs an Audience"},
		{"negative skew", func(v *jwt.Verifier) { v.Skew = -1 }, "negative Skew"},
		{"none as an algorithm", func(v *jwt.Verifier) { v.Algorithms = []string{"none"} }, `"none"`},
		{"an unknown algorithm", func(v *jwt.Verifier) { v.Algorithms = []string{"RS1"} }, `"RS1"`},
		{"a claim that is no JSON", func(v *jwt.Verifier) { v.Claims = claims{"sub": func() {}} }, "unsupported type"},
	} {
		v := verifier(keySet(jwt.Key{Value: &rsaKey().PublicKey}))
		tt.set(v)
		_, err := v.Verify(t.Context(), forge(claims{"alg": "RS256", "typ": "JWT"}, good(nil), rs256(rsaKey())))
		if authtest.Status(err) != 500 || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestVerifier_AnswersOtherwiseWhenKeysCannotBeHad(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		want int
	}{
		{"an error", errors.New("the database is down"), 503},
		{"a refusal", &server.Rejection{Status: 418}, 418},
		{"no keys", nil, 401},
	} {
		v := verifier(func(context.Context, string) ([]jwt.Key, error) { return nil, tt.err })
		_, err := v.Verify(t.Context(), signed("a"))
		if authtest.Status(err) != tt.want || tt.err != nil && !errors.Is(err, tt.err) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
