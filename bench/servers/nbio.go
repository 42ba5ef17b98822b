package servers

import (
	"net"
	"net/http"
	"runtime"
	"time"

	"github.com/lesismal/nbio/logging"
	"github.com/lesismal/nbio/nbhttp"
	"github.com/lesismal/nbio/nbhttp/websocket"

	"github.com/swan-ws/websocket/bench"
)

// nbioServer runs callbacks on the poller's goroutine, since ours do not block.
func nbioServer(l net.Listener, d bench.Deflate) error {
	logging.SetLevel(logging.LevelNone)
	s := &nbio{upgrader: websocket.NewUpgrader()}
	s.upgrader.KeepaliveTime = 0
	s.upgrader.MessageLengthLimit = maxMessage
	if d != bench.Off {
		s.upgrader.EnableCompression(true)
		s.upgrader.SetCompressionLevel(Level)
	}
	s.upgrader.OnOpen(func(c *websocket.Conn) {
		c.EnableWriteCompression(d != bench.Off)
		c.SetReadDeadline(time.Time{})
		s.crowd.add(c)
	})
	s.upgrader.OnClose(func(c *websocket.Conn, _ error) { s.crowd.remove(c) })
	s.upgrader.OnMessage(s.message)
	engine := nbhttp.NewEngine(nbhttp.Config{
		Addrs:                        []string{l.Addr().String()},
		Listen:                       func(string, string) (net.Listener, error) { return l, nil },
		NPoller:                      runtime.GOMAXPROCS(0),
		IOMod:                        nbhttp.IOModNonBlocking,
		ServerExecutor:               func(f func()) { f() },
		MaxWebsocketFramePayloadSize: maxMessage,
		ReleaseWebsocketPayload:      true,
		Handler:                      http.HandlerFunc(s.upgrade),
	})
	if err := engine.Start(); err != nil {
		return err
	}
	select {}
}

type nbio struct {
	upgrader *websocket.Upgrader
	crowd    crowd[*websocket.Conn]
}

func (s *nbio) upgrade(w http.ResponseWriter, r *http.Request) { s.upgrader.Upgrade(w, r, nil) }

func (s *nbio) message(c *websocket.Conn, kind websocket.MessageType, p []byte) {
	if kind == websocket.TextMessage {
		if n, size, ok := broadcast(p); ok {
			s.broadcast(n, make([]byte, size))
			return
		}
	}
	c.WriteMessage(kind, p)
}

func (s *nbio) broadcast(n int, p []byte) {
	for range n {
		s.crowd.each(func(c *websocket.Conn) { c.WriteMessage(websocket.BinaryMessage, p) })
	}
}
