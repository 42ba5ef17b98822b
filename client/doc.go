// Package client opens WebSocket connections, and keeps them open.
//
//	c, _, err := client.Dial(ctx, "wss://example.com/chat", nil)
//
// Dial does the opening handshake over TCP or TLS, through proxies if need be, or over
// HTTP/2, and returns a conn.Conn.
//
// Keep dials again whenever a connection is lost and a Retry says so, an Outbox knows
// what was in flight then, and ReadAhead reads while the application does not.
package client
