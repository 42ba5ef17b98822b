package handshake_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/swan-ws/websocket/handshake"
)

const (
	sampleKey    = "dGhlIHNhbXBsZSBub25jZQ==" // §1.3
	sampleAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

// R21, R22
func TestNewKey_Is16Bytes_NeverTwice(t *testing.T) {
	seen := map[string]bool{}
	for range 100_000 {
		key := handshake.NewKey()
		if nonce, err := base64.StdEncoding.DecodeString(key); err != nil || len(nonce) != 16 || len(key) != 24 {
			t.Fatalf("NewKey() = %q, want the base64 of 16 bytes", key)
		}
		if seen[key] {
			t.Fatalf("NewKey() = %q for the second time", key)
		}
		seen[key] = true
	}
}

// R40
func TestValidKey(t *testing.T) {
	tests := []struct {
		name, key string
		want      bool
	}{
		{"of the RFC", sampleKey, true},
		{"zeros", "AAAAAAAAAAAAAAAAAAAAAA==", true},
		{"all ones", "/////////////////////w==", true},
		{"plus and slash", "+/+/+/+/+/+/+/+/+/+/+w==", true},
		{"spare bits set", "AAAAAAAAAAAAAAAAAAAAAB==", true},
		{"all spare bits set", "AAAAAAAAAAAAAAAAAAAAAP==", true},
		{"empty", "", false},
		{"15 bytes", "AAAAAAAAAAAAAAAAAAAA", false},
		{"17 bytes", "AAAAAAAAAAAAAAAAAAAAAAA=", false},
		{"18 bytes", "AAAAAAAAAAAAAAAAAAAAAAAA", false},
		{"no padding", "AAAAAAAAAAAAAAAAAAAAAA", false},
		{"half the padding", "AAAAAAAAAAAAAAAAAAAAAA=", false},
		{"too much padding", "AAAAAAAAAAAAAAAAAAAAA===", false},
		{"padding inside", "AAAAAAAAAA==AAAAAAAAAA==", false},
		{"alphabet of URLs", "-_-_-_-_-_-_-_-_-_-_-w==", false},
		{"space inside", "AAAAAAAAAA AAAAAAAAAAA==", false},
		{"space before", " AAAAAAAAAAAAAAAAAAAAAA=", false},
		{"line break inside", "AAAAAAAAAAAAAAAAAAAAAA\n=", false},
		{"line breaks for padding", "AAAAAAAAAAAAAAAAAAAAAA\r\n", false},
		{"line break and padding", "AAAAAAAAAAAAAAAAAAAAAA==\r\n", false},
		{"junk after", sampleKey + "x", false},
		{"twice", sampleKey + "," + sampleKey, false},
		{"beyond ASCII", "AAAAAAAAAAAAAAAAAAAA\u00e4==", false},
		{"long", strings.Repeat("A", 1<<16), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := handshake.ValidKey(tt.key); got != tt.want {
				t.Errorf("ValidKey(%q) = %v, want %v", tt.key, got, tt.want)
			}
		})
	}
}

// R29
func TestAcceptKey_KnowsTheAnswerOfTheRFC(t *testing.T) {
	if got := handshake.AcceptKey(sampleKey); got != sampleAccept {
		t.Errorf("AcceptKey(%q) = %q, want %q", sampleKey, got, sampleAccept)
	}
}
