package handshake

import (
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
)

// GUID is what both sides add to the key before they hash it (§1.3).
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// Version is the only Sec-WebSocket-Version there is (§4.1 item 9).
const Version = "13"

const (
	nonceSize = 16
	keySize   = 24 // the base64 of 16 bytes
)

// NewKey returns a Sec-WebSocket-Key: 16 random bytes in base64. "The nonce
// MUST be selected randomly for each connection" (§4.1 item 7).
func NewKey() string {
	var nonce [nonceSize]byte
	rand.Read(nonce[:]) // never fails
	return base64.StdEncoding.EncodeToString(nonce[:])
}

// ValidKey reports whether key is "a base64-encoded value that, when decoded,
// is 16 bytes in length" (§4.2.1 item 5). The four bits that its last letter
// has to spare may be anything: the decoded value is 16 bytes all the same, and
// a server hashes the text as it stands.
func ValidKey(key string) bool {
	if len(key) != keySize {
		return false
	}
	var nonce [keySize]byte
	n, err := base64.StdEncoding.Decode(nonce[:], []byte(key))
	return err == nil && n == nonceSize
}

// AcceptKey returns the Sec-WebSocket-Accept that answers key (§4.2.2 item 5.4).
func AcceptKey(key string) string { return string(appendAccept(nil, key)) }

func appendAccept(dst []byte, key string) []byte {
	var room [keySize + len(GUID)]byte
	sum := sha1.Sum(append(append(room[:0], key...), GUID...))
	return base64.StdEncoding.AppendEncode(dst, sum[:])
}
