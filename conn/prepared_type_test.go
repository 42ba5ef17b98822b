package conn_test

import (
	"testing"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
)

// Prepared by itself, a frame of any kind would leave as it is.
func TestSend_RefusesWhatIsNoMessage_HoweverItIsSent(t *testing.T) {
	text := conn.Prepare(conn.Text, []byte("x"))
	for _, typ := range []conn.MessageType{0, 3, 8, 9, 10} {
		other := conn.Prepare(typ, []byte("x"))
		for name, send := range map[string]func(c *conn.Conn) (int, error){
			"Send":                 func(c *conn.Conn) (int, error) { return 0, c.Send(bg, other) },
			"SendAll, alone":       func(c *conn.Conn) (int, error) { return c.SendAll(bg, other) },
			"SendAll, with others": func(c *conn.Conn) (int, error) { return c.SendAll(bg, other, text) },
			"SendAll, behind others": func(c *conn.Conn) (int, error) {
				n, err := c.SendAll(bg, text, other)
				return n - 1, err
			},
			"TrySend": func(c *conn.Conn) (int, error) { return c.TrySend(other) },
			"TrySend, behind others": func(c *conn.Conn) (int, error) {
				n, err := c.TrySend(text, other)
				if n == 1 && err == nil {
					return c.TrySend(other)
				}
				return n, err
			},
		} {
			ours, theirs := conntest.Pipe()
			c := conn.New(ours, conn.Config{Role: machine.Server, Options: quiet})
			go drain(conn.New(theirs, conn.Config{Role: machine.Client, Options: quiet}))
			if n, err := send(c); n != 0 || err == nil {
				t.Errorf("%v by %s: %d sent, %v", typ, name, n, err)
			}
			if err := c.Send(bg, text); err != nil {
				t.Errorf("%v by %s, and then a text: %v", typ, name, err)
			}
			c.CloseNow()
		}
	}
}
