package servers

import (
	"context"
	"net"
	"net/http"

	"github.com/coder/websocket"

	"github.com/swan-ws/websocket/bench"
)

func coderServer(l net.Listener, d bench.Deflate) error {
	s := &coder{options: websocket.AcceptOptions{CompressionMode: map[bench.Deflate]websocket.CompressionMode{
		bench.Off:        websocket.CompressionDisabled,
		bench.NoTakeover: websocket.CompressionNoContextTakeover,
		bench.Takeover:   websocket.CompressionContextTakeover,
	}[d]}}
	return http.Serve(l, s)
}

type coder struct {
	options websocket.AcceptOptions
	crowd   crowd[*websocket.Conn]
}

func (s *coder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, &s.options)
	if err != nil {
		return
	}
	c.SetReadLimit(maxMessage)
	s.crowd.add(c)
	go s.serve(c) // the handler's return frees what net/http has
}

func (s *coder) serve(c *websocket.Conn) {
	defer c.CloseNow()
	defer s.crowd.remove(c)
	ctx := context.Background()
	var buf []byte
	for {
		kind, r, err := c.Reader(ctx)
		if err != nil {
			return
		}
		if buf, err = readInto(buf, r); err != nil {
			return
		}
		if kind == websocket.MessageText {
			if n, size, ok := broadcast(buf); ok {
				s.broadcast(n, make([]byte, size))
				continue
			}
		}
		if err := c.Write(ctx, kind, buf); err != nil {
			return
		}
	}
}

func (s *coder) broadcast(n int, p []byte) {
	for range n {
		s.crowd.each(func(c *websocket.Conn) { c.Write(context.Background(), websocket.MessageBinary, p) })
	}
}
