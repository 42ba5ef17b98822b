// Package conntest holds tools for testing code that speaks WebSocket, or any
// protocol, over a [net.Conn]: an in-memory connection, connections that fail,
// chop or fall silent, bytes written as hex, and a scripted peer.
//
// Nothing here leaves a goroutine behind, and everything works inside a
// [testing/synctest] bubble: what blocks, blocks durably.
package conntest
