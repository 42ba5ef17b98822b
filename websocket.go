package websocket

import (
	"context"
	"net"
	"net/http"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
	"github.com/swan-ws/websocket/hub"
	deflate "github.com/swan-ws/websocket/permessage-deflate"
	"github.com/swan-ws/websocket/server"
)

// The types most programs name. Each is the one of the package that its
// documentation links to.
type (
	// Conn is a connection: Read, Messages, Write, Ping, Close. See [conn.Conn].
	Conn = conn.Conn
	// Message is what one side sent at once: Type and Data. See [conn.Message].
	Message = conn.Message
	// MessageType is Text or Binary. See [conn.MessageType].
	MessageType = conn.MessageType
	// Observer is told what happens on connections, to count and measure it. See
	// [conn.Observer].
	Observer = conn.Observer
	// ConnOptions are a connection's limits and timeouts. See [conn.Options].
	ConnOptions = conn.Options
	// Compression is what a side would like of permessage-deflate; the zero value
	// uses it where the peer does. See [deflate.Options].
	Compression = deflate.Options
	// Prepared is a message to be sent to many. See [conn.Prepared].
	Prepared = conn.Prepared
	// CloseError says that and why a connection is closed. See [conn.CloseError].
	CloseError = conn.CloseError
	// Codec makes messages of values and values of messages. See [conn.Codec].
	Codec = conn.Codec
	// JSON is the Codec of those who name none. See [conn.JSON].
	JSON = conn.JSON
	// XML is a Codec too. See [conn.XML].
	XML = conn.XML
	// Validator is a value that can tell whether it makes sense. See [conn.Validator].
	Validator = conn.Validator
	// Attribute is a name for values of one type that connections carry. See
	// [conn.Attribute].
	Attribute[T any] = conn.Attribute[T]
	// BindError is a message that is not what was wanted. See [conn.BindError].
	BindError = conn.BindError

	// AcceptOptions say which handshakes a server accepts. See [server.Options].
	AcceptOptions = server.Options
	// Rejection is an error that says how to refuse one. See [server.Rejection].
	Rejection = server.Rejection
	// Service is an http.Handler made of callbacks. See [server.Service].
	Service = server.Service
	// Handler is a callback that answers a message. See [server.Handler].
	Handler = server.Handler
	// CloseFrame is a reply, or an error, that ends a connection. See
	// [server.CloseFrame].
	CloseFrame = server.CloseFrame
	// Upgrade is an http.Handler that makes a Service for each connection. See
	// [server.Upgrade].
	Upgrade = server.Upgrade
	// Router hands messages to handlers by one of their fields. See [server.Router].
	Router = server.Router
	// PanicError is what a callback panicked with. See [server.PanicError].
	PanicError = server.PanicError
	// Server is a listener with limits and Shutdown. See [server.Server].
	Server = server.Server
	// Mux finds handlers by their pattern; they may come and go. See [server.Mux].
	Mux = server.Mux
	// TLSFiles are certificates in files, read again when they change. See
	// [server.TLSFiles].
	TLSFiles = server.TLSFiles
	// Principal is who has logged in. See [server.Principal].
	Principal = server.Principal
	// Group is a set of connections to shut down together. See [server.Group].
	Group = server.Group

	// DialOptions say how a client connects. See [client.Options].
	DialOptions = client.Options
	// Retry says how often, and when, a client tries again. See [client.Retry].
	Retry = client.Retry
	// Outbox keeps what may be lost with a connection, for the next one. See
	// [client.Outbox].
	Outbox = client.Outbox
	// HandshakeError is a server's refusal. See [client.HandshakeError].
	HandshakeError = client.HandshakeError

	// Hub sends messages to all connections in a topic. See [hub.Hub].
	Hub = hub.Hub

	// CloseCode says why a connection is closed. See [frame.CloseCode].
	CloseCode = frame.CloseCode
	// ProtocolError is a fault in the peer's bytes. See [frame.ProtocolError].
	ProtocolError = frame.ProtocolError
)

// Everyone is the topic of a Hub that all its members are in. See [hub.Everyone].
const Everyone = hub.Everyone

// The types of messages.
const (
	Text   = conn.Text
	Binary = conn.Binary
)

// The modes of Compression. See [deflate.Mode].
const (
	NoContextTakeover = deflate.NoTakeover // each message for itself
	ContextTakeover   = deflate.Takeover   // smaller, for memory
	NoCompression     = deflate.Off
)

// The close codes that programs use; the rest are in package frame.
const (
	CloseNormal          = frame.CloseNormal
	CloseGoingAway       = frame.CloseGoingAway
	CloseProtocolError   = frame.CloseProtocolError
	CloseUnsupportedData = frame.CloseUnsupportedData
	CloseNoStatus        = frame.CloseNoStatus
	CloseAbnormal        = frame.CloseAbnormal
	CloseInvalidPayload  = frame.CloseInvalidPayload
	ClosePolicyViolation = frame.ClosePolicyViolation
	CloseTooBig          = frame.CloseTooBig
	CloseInternalError   = frame.CloseInternalError
	CloseServiceRestart  = frame.CloseServiceRestart
	CloseTryAgainLater   = frame.CloseTryAgainLater
)

// Accept answers an opening handshake in any net/http handler; nil options will
// do. On an error the HTTP response has been sent. See [server.Accept].
func Accept(w http.ResponseWriter, r *http.Request, o *AcceptOptions) (*Conn, error) {
	return server.Accept(w, r, o)
}

// StreamHandler makes a handler that calls Accept fit for HTTP/2 under an http.Server,
// for programs that import package http2. See [server.StreamHandler].
func StreamHandler(h http.Handler) http.Handler { return server.StreamHandler(h) }

// Dial opens a connection to a ws or wss URL; nil options will do. See
// [client.Dial].
func Dial(ctx context.Context, url string, o *DialOptions) (*Conn, *http.Response, error) {
	return client.Dial(ctx, url, o)
}

// Keep dials, calls session with the connection, and does so again whenever it is
// lost. See [client.Keep].
func Keep(ctx context.Context, url string, o *DialOptions, session func(ctx context.Context, c *Conn) error) error {
	return client.Keep(ctx, url, o, session)
}

// Prepare makes a message ready to be sent to many connections with Conn.Send.
// See [conn.Prepare].
func Prepare(t MessageType, p []byte) *Prepared { return conn.Prepare(t, p) }

// OnMessage makes a Handler of a function that wants messages as values of type T.
// See [server.OnMessage].
func OnMessage[T any](f func(c *Conn, v T) (reply any, err error)) Handler {
	return server.OnMessage(f)
}

// On adds such a function to a Router. See [server.On].
func On[T any](r *Router, value string, f func(c *Conn, v T) (reply any, err error)) {
	server.On(r, value, f)
}

// Send sends what a Handler may return. See [server.Send].
func Send(c *Conn, reply any) error { return server.Send(c, reply) }

// ReadValue waits for the next message and returns it as a T. See [conn.ReadValue].
func ReadValue[T any](ctx context.Context, c *Conn) (T, error) { return conn.ReadValue[T](ctx, c) }

// NetConn makes a connection a net.Conn, one message a Write. See [conn.NetConn].
func NetConn(c *Conn, t MessageType) net.Conn { return conn.NetConn(c, t) }

// CloseStatus returns the close code that an error stands for, 0 if none. See
// [conn.CloseStatus].
func CloseStatus(err error) CloseCode { return conn.CloseStatus(err) }
