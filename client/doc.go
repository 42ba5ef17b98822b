// Package client opens WebSocket connections.
//
//	c, _, err := client.Dial(ctx, "wss://example.com/chat", nil)
//
// Dial does the opening handshake over TCP or TLS, through proxies if need be,
// and returns a conn.Conn.
package client
