// Package websocket is the WebSocket protocol, RFC 6455, for servers and clients.
//
// A server that sends back what it gets, in any net/http handler:
//
//	http.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
//		c, err := websocket.Accept(w, r, nil)
//		if err != nil {
//			return // the response has been sent
//		}
//		defer c.CloseNow()
//		for m, err := range c.Messages(r.Context()) {
//			if err != nil {
//				return
//			}
//			c.Write(r.Context(), m.Type, m.Data)
//		}
//	})
//
// The same, called back:
//
//	http.Handle("/echo", &websocket.Service{
//		OnMessage: func(c *websocket.Conn, m websocket.Message) (any, error) { return m, nil },
//	})
//
// What a callback returns is sent: text, bytes, JSON of any value, a stream of them, or
// the end. It may want its messages as values, too:
//
//	websocket.OnMessage(func(c *websocket.Conn, o Order) (any, error) { return Receipt{o.ID}, nil })
//
// A client:
//
//	c, _, err := websocket.Dial(ctx, "ws://localhost:8080/echo", nil)
//	err = c.WriteText(ctx, "hello")
//	m, err := c.Read(ctx)
//	err = c.Close(websocket.CloseNormal, "")
//
// The zero value of all options is meant for the open internet: messages are
// limited in size, pages of other sites may not connect, slow and vanished peers
// are given up. What lowers a guard begins with Insecure; what lifts a limit is a
// negative number.
//
// This package is a face: it names what most programs need. The layers behind it
// can be used alone, from the top down: [hub] for topics, [server] and [client],
// [conn] for a connection over any stream, [machine] for the protocol without any I/O,
// [handshake] for the opening handshake, [frame] for the bytes.
//
// [hub]: https://pkg.go.dev/github.com/swan-ws/websocket/hub
// [server]: https://pkg.go.dev/github.com/swan-ws/websocket/server
// [client]: https://pkg.go.dev/github.com/swan-ws/websocket/client
// [conn]: https://pkg.go.dev/github.com/swan-ws/websocket/conn
// [machine]: https://pkg.go.dev/github.com/swan-ws/websocket/conn/machine
// [handshake]: https://pkg.go.dev/github.com/swan-ws/websocket/handshake
// [frame]: https://pkg.go.dev/github.com/swan-ws/websocket/frame
package websocket
