// Package server accepts WebSocket connections.
//
// Accept turns a request in any net/http handler into a conn.Conn. Service is a
// handler made of callbacks, for those who would rather be called than read: what
// they return is sent. OnMessage gives them values instead of messages, a Router hands
// each message to the callback for it, and an Upgrade makes a Service for each
// connection.
//
// Server is a listener with limits, safe as it is, and a Shutdown that says
// goodbye to every connection; under another http.Server, a Group does that.
package server
