// Package conn is the WebSocket connection: it drives package machine over a
// stream of bytes and adds what needs a clock, a lock or a buffer. Servers get a
// Conn from server.Accept, clients from client.Dial; New makes one over any
// io.ReadWriteCloser whose opening handshake is done.
//
//	m, err := c.Read(ctx)               // a whole message, the caller's to keep
//	for m, err := range c.Messages(ctx) // the same without copying
//	err = c.Write(ctx, conn.Text, p)    // from any goroutine
//	err = c.Close(frame.CloseNormal, "done")
//
// Pings are answered, Closes echoed and faults reported to the peer by the
// connection itself, while somebody reads or closes.
//
// One goroutine reads at a time; everything else may be called from any
// goroutine at any time.
package conn
