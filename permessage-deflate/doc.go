// Package deflate is permessage-deflate, the compression extension of RFC 7692:
// what is offered, answered and agreed on in the opening handshake, and messages
// deflated and inflated as agreed. (RFC 1951, the format itself, is deflated by
// klauspost/compress and inflated here, in pieces and within limits.) A hyphen cannot stand
// in a package name, so import it with its name:
//
//	import deflate "github.com/swan-ws/websocket/permessage-deflate"
//
// Between messages a connection holds no compressor and no decompressor, only
// the windows that context takeover needs, and none without it.
//
// Sections are those of RFC 7692 (https://www.rfc-editor.org/rfc/rfc7692).
package deflate
