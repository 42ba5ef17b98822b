package hub

import (
	"runtime/debug"

	"github.com/swan-ws/websocket/frame"
)

// A change is what OnJoin or OnLeave is called for.
type change struct {
	in    bool
	topic string
}

// note keeps a change for tell; mu is held.
func (h *Hub) note(m *member, ch change) {
	if ch.in && h.OnJoin != nil || !ch.in && h.OnLeave != nil {
		m.untold = append(m.untold, ch)
	}
}

// tell calls back for what has changed, unless somebody is about it.
func (h *Hub) tell(m *member) {
	if h.OnJoin == nil && h.OnLeave == nil {
		return
	}
	h.mu.Lock()
	others := m.telling
	m.telling = true
	h.mu.Unlock()
	if !others {
		h.tellAll(m)
	}
}

func (h *Hub) tellAll(m *member) {
	for ch, ok := h.nextChange(m); ok; ch, ok = h.nextChange(m) {
		h.call(m, ch)
	}
}

func (h *Hub) nextChange(m *member) (ch change, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(m.untold) == 0 {
		m.telling, m.untold = false, nil
		return ch, false
	}
	ch, m.untold = m.untold[0], m.untold[1:]
	return ch, true
}

func (h *Hub) call(m *member, ch change) {
	returned := false
	defer func() {
		if v := recover(); v != nil {
			h.log().Error("websocket hub: callback panicked", "remote", m.c.RemoteAddr(), "topic", ch.topic,
				"panic", v, "stack", string(debug.Stack()))
			go m.c.Close(frame.CloseInternalError, "")
		} else if !returned { // runtime.Goexit
			go h.tellAll(m)
		}
	}()
	if ch.in {
		h.OnJoin(m.c, ch.topic)
	} else {
		h.OnLeave(m.c, ch.topic)
	}
	returned = true
}
