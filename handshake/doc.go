// Package handshake is the opening handshake of RFC 6455 (§3, §4, §9.1, §10.2,
// §11.3) as functions over headers and bytes: no I/O, no goroutine, no clock.
//
// A server judges with [ParseRequest] and [CheckOrigin] and answers with
// [AppendResponse]. A client starts from [ParseURL], asks with [AppendRequest]
// and judges with [CheckResponse]. Over HTTP/2 (RFC 8441) [ResponseHeader] answers and
// [NewConnect] asks.
//
// Headers are read under the canonical keys net/http files them, such as
// "Sec-Websocket-Key". Whatever is refused is refused with an [*Error].
package handshake
