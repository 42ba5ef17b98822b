package servers

import (
	"context"
	"fmt"
	"net"
	"net/http"

	"github.com/swan-ws/websocket"
	"github.com/swan-ws/websocket/bench"
)

// Swan is this library's server. The mode says how messages are read: "" by a loop
// over Messages, "service" by callbacks, with a hub for what goes to all, "loop" by
// callbacks in an event loop.
func Swan(mode string) func(addr string, d bench.Deflate) (net.Addr, func() error, error) {
	return func(addr string, d bench.Deflate) (net.Addr, func() error, error) {
		s := &swan{server: websocket.Server{Addr: addr}, options: websocket.AcceptOptions{Conn: websocket.ConnOptions{MaxMessage: maxMessage}}}
		s.options.Conn.Compression = map[bench.Deflate]websocket.Compression{
			bench.Off:        {Mode: websocket.NoCompression},
			bench.NoTakeover: {Level: Level},
			bench.Takeover:   {Mode: websocket.ContextTakeover, Level: Level},
		}[d]
		switch mode {
		case "":
			s.server.Handler, s.broadcast = http.HandlerFunc(s.serve), s.sendAll
		case "service":
			s.server.Handler, s.broadcast = &websocket.Service{Options: s.options, OnMessage: s.message}, s.publish
		case "loop":
			s.server.Handler = &websocket.Service{Options: s.options, OnMessage: s.message, EventLoop: true}
			s.broadcast = s.sendAll
		default:
			return nil, nil, fmt.Errorf(`no mode %q: there are "", "service" and "loop"`, mode)
		}
		at, err := s.server.Listen()
		return at, s.server.ListenAndServe, err
	}
}

type swan struct {
	server    websocket.Server
	options   websocket.AcceptOptions
	broadcast func(n int, p []byte)
	hub       websocket.Hub
}

func (s *swan) serve(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, &s.options)
	if err != nil {
		return
	}
	go func() { // the handler's return frees what net/http has
		defer c.CloseNow()
		for m, err := range c.Messages(context.Background()) {
			if err != nil || s.answer(c, m) != nil {
				return
			}
		}
	}()
}

func (s *swan) message(c *websocket.Conn, m websocket.Message) (any, error) {
	return nil, s.answer(c, m)
}

func (s *swan) answer(c *websocket.Conn, m websocket.Message) error {
	if m.Type == websocket.Text {
		if n, size, ok := broadcast(m.Data); ok {
			s.broadcast(n, make([]byte, size))
			return nil
		}
	}
	return c.Write(context.Background(), m.Type, m.Data)
}

// sendAll sends n messages together to each connection.
func (s *swan) sendAll(n int, p []byte) {
	messages := make([]*websocket.Prepared, n)
	for i := range messages {
		messages[i] = websocket.Prepare(websocket.Binary, p)
	}
	for c := range s.server.Conns().All() {
		c.SendAll(context.Background(), messages...)
	}
}

// publish has the hub send n messages, one by one. All connections join it when it
// is wanted first, so that idle ones are not measured with what it has for them.
func (s *swan) publish(n int, p []byte) {
	if conns := s.server.Conns(); s.hub.Len(websocket.Everyone) != conns.Len() {
		for c := range conns.All() {
			s.hub.Join(c)
		}
	}
	for range n {
		s.hub.Publish(websocket.Everyone, p)
	}
}
