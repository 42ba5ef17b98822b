package jwt_test

import (
	"testing"

	"github.com/swan-ws/websocket/auth/jwt"
)

// A token costs less than the handshake that it comes with: there is no need to
// remember which ones were good.
func BenchmarkVerifier(b *testing.B) {
	for _, key := range []struct {
		name            string
		private, public any
	}{{"RS256", rsaKey(), &rsaKey().PublicKey}, {"ES256", ecKey(), &ecKey().PublicKey}, {"EdDSA", edKey(), edKey().Public()}, {"HS256", secret, secret}} {
		b.Run(key.name, func(b *testing.B) {
			v := verifier(keySet(jwt.Key{Value: key.public}))
			token := must((&jwt.Issuer{Key: key.private, Issuer: issuer, Subject: "ada", Audience: []string{audience}}).Token(b.Context()))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Verify(b.Context(), token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
