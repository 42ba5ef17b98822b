package servers

import (
	"io"
	"net"
	"net/http"
	"sync"

	"github.com/gorilla/websocket"

	"github.com/swan-ws/websocket/bench"
)

func gorillaServer(l net.Listener, d bench.Deflate) error {
	g := &gorilla{d: d, upgrader: websocket.Upgrader{
		EnableCompression: d != bench.Off,
		WriteBufferPool:   &sync.Pool{},
	}}
	return http.Serve(l, g)
}

type gorilla struct {
	d        bench.Deflate
	upgrader websocket.Upgrader
	crowd    crowd[*gorillaConn]
}

// A gorillaConn has one writer at a time.
type gorillaConn struct {
	*websocket.Conn
	mu sync.Mutex
}

func (g *gorilla) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, err := g.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	if g.d != bench.Off {
		conn.SetCompressionLevel(Level)
	}
	c := &gorillaConn{Conn: conn}
	g.crowd.add(c)
	go g.serve(c) // the handler's return frees what net/http has
}

func (g *gorilla) serve(c *gorillaConn) {
	defer c.Close()
	defer g.crowd.remove(c)
	var buf []byte
	for {
		kind, r, err := c.NextReader()
		if err != nil {
			return
		}
		if buf, err = readInto(buf, r); err != nil {
			return
		}
		if kind == websocket.TextMessage {
			if n, size, ok := broadcast(buf); ok {
				g.broadcast(n, make([]byte, size))
				continue
			}
		}
		c.mu.Lock()
		err = c.WriteMessage(kind, buf)
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (g *gorilla) broadcast(n int, p []byte) {
	for range n {
		m, err := websocket.NewPreparedMessage(websocket.BinaryMessage, p)
		if err != nil {
			return
		}
		g.crowd.each(func(c *gorillaConn) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.WritePreparedMessage(m)
		})
	}
}

// readInto reads all of r into buf, which it enlarges if need be.
func readInto(buf []byte, r io.Reader) ([]byte, error) {
	buf = buf[:0]
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return buf, err
		}
	}
}
