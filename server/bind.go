package server

import "github.com/swan-ws/websocket/conn"

// OnMessage makes a Handler of a function that wants messages as values of type T:
// a string, a []byte, or what the connection's Codec makes of them, which is JSON
// unless Options.Conn.Codec says otherwise. See conn.Conn.Decode. What cannot be
// made a T is a *conn.BindError, which names the field.
//
//	server.Service{OnText: server.OnMessage(func(c *conn.Conn, o Order) (any, error) { … })}
func OnMessage[T any](f func(c *conn.Conn, v T) (reply any, err error)) Handler {
	return func(c *conn.Conn, m conn.Message) (any, error) {
		var v T
		if err := c.Decode(m, &v); err != nil {
			return nil, err
		}
		return f(c, v)
	}
}
