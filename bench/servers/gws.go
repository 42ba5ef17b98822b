package servers

import (
	"log/slog"
	"net"

	"github.com/lxzan/gws"

	"github.com/swan-ws/websocket/bench"
)

func gwsServer(l net.Listener, d bench.Deflate) error {
	s := gws.NewServer(&gwsHandler{}, &gws.ServerOption{
		ReadMaxPayloadSize:  maxMessage,
		WriteMaxPayloadSize: maxMessage,
		Logger:              quiet{},
		PermessageDeflate: gws.PermessageDeflate{
			Enabled:               d != bench.Off,
			Level:                 Level,
			ServerContextTakeover: d == bench.Takeover,
			ClientContextTakeover: d == bench.Takeover,
			ServerMaxWindowBits:   15, // as all others
			ClientMaxWindowBits:   15,
		},
	})
	return s.RunListener(l)
}

// quiet drops what would be logged of connections that are reset.
type quiet struct{}

func (quiet) Error(v ...any) { slog.Debug("gws", "error", v) }

type gwsHandler struct {
	gws.BuiltinEventHandler
	crowd crowd[*gws.Conn]
}

func (h *gwsHandler) OnOpen(c *gws.Conn)           { h.crowd.add(c) }
func (h *gwsHandler) OnClose(c *gws.Conn, _ error) { h.crowd.remove(c) }

// OnPing answers with what came; the handler that it replaces answers with nothing.
func (h *gwsHandler) OnPing(c *gws.Conn, p []byte) { c.WritePong(p) }

func (h *gwsHandler) OnMessage(c *gws.Conn, m *gws.Message) {
	defer m.Close()
	if m.Opcode == gws.OpcodeText {
		if n, size, ok := broadcast(m.Bytes()); ok {
			h.broadcast(n, make([]byte, size))
			return
		}
	}
	c.WriteMessage(m.Opcode, m.Bytes())
}

func (h *gwsHandler) broadcast(n int, p []byte) {
	for range n {
		b := gws.NewBroadcaster(gws.OpcodeBinary, p)
		h.crowd.each(func(c *gws.Conn) { b.Broadcast(c) })
		b.Close()
	}
}
