package autobahn

import (
	"crypto/rand"
	"encoding/binary"
	"unicode/utf8"

	"github.com/swan-ws/websocket/autobahn/internal/wire"
)

// advance does the steps up to the next pause, and after the last starts the timer.
func (r *run) advance() {
	r.out.hold(true)
	defer r.out.hold(false)
	for len(r.steps) > 0 && r.phase != closed {
		s := r.steps[0]
		r.steps = r.steps[1:]
		switch s := s.(type) {
		case sendFrame:
			r.sendFrames(s)
		case sendBytes:
			r.sendBytes(s)
		case pause:
			r.pause = s
			r.whenSent(func() {
				r.log.add("CT", seconds(s.time), tagText(s.tag))
				r.start(pauseOver, s.time)
			})
			return
		case reading:
			r.deaf = !bool(s)
		case endTCP:
			r.whenWritten(func() { r.endTCP(s.half) })
		}
	}
	r.whenSent(r.startTimer)
}

func tagText(tag string) any {
	if tag == "" {
		return nil
	}
	return tag
}

// whenSent calls f when all that is queued is as good as written.
func (r *run) whenSent(f func()) {
	if r.out.quick() || r.deaf { // a peer that cannot write may not read either
		f()
		return
	}
	r.waiting = append(r.waiting, f)
}

// whenWritten calls f when all that is queued is written.
func (r *run) whenWritten(f func()) {
	if r.out.drained() {
		f()
		return
	}
	r.waiting = append(r.waiting, f)
}

func (r *run) sent() {
	all := r.waiting
	r.waiting = nil
	for _, f := range all {
		f()
	}
}

func (r *run) pauseOver() {
	r.log.add("CTE", tagText(r.pause.tag))
	if r.pause.tag != "" {
		r.event(Event{Kind: Timeout, Data: r.pause.tag})
	}
	r.advance()
}

func (r *run) startTimer() {
	t := r.c.timer
	name := "TI"
	if t.kill {
		name = "KL"
	}
	r.log.add(name, seconds(t.time))
	r.start(caseTimer, t.time)
}

// endTCP ends TCP, or our half of it. Of a tested client that has not sent a frame
// yet we want to see that it sends none now.
func (r *run) endTCP(half bool) {
	silent := r.trace.isServer && r.trace.opening.kind == openingNone
	c, can := r.conn.(interface{ CloseWrite() error })
	if can && (half || silent) {
		c.CloseWrite()
		return
	}
	r.drop()
	if silent {
		r.refused()
	}
}

// sendFrames sends what a line with ">" says.
func (r *run) sendFrames(f sendFrame) {
	if f.closing && r.phase == closing && !r.trace.closedByMe {
		return // we answered the peer's Close already
	}
	var payload []byte
	if f.deflated {
		if r.deflater == nil {
			r.deflater = wire.NewCompressor(r.bits, r.takeover)
		}
		f.rsv |= wire.RSV1
	} else {
		payload = f.payload.Bytes()
	}
	if f.closing && r.phase == open {
		r.beginClose(payload, false)
	}
	for range f.times {
		if f.deflated {
			payload = r.deflater.Compress(f.payload)
		}
		r.sendMessage(f, payload)
	}
}

// sendMessage sends a payload in one frame or, if f says so, in fragments. Like the
// original it adds an empty one if they come out even.
func (r *run) sendMessage(f sendFrame, payload []byte) {
	if f.fragments == 0 || len(payload) <= f.fragments {
		r.sendFrame(f, payload)
		return
	}
	for f.noFin = true; f.noFin; f.opcode, f.rsv = wire.Continuation, f.rsv&^wire.RSV1 {
		n := f.fragments
		if len(payload) < n {
			n, f.noFin = len(payload), false
		}
		r.sendFrame(f, payload[:n])
		payload = payload[n:]
	}
}

// sendFrame sends one frame.
func (r *run) sendFrame(f sendFrame, payload []byte) {
	h := wire.Header{Fin: !f.noFin, RSV: f.rsv, Opcode: f.opcode, Form: f.form, Length: uint64(len(payload))}
	if f.form != 0 {
		h.Length = f.length
	}
	switch h.Masked = !r.trace.isServer; f.mask {
	case maskedAlways:
		h.Masked = true
	case maskedNever:
		h.Masked = false
	}
	if f.mask == maskedWithKey {
		h.Masked, h.Key = true, f.key
	} else if h.Masked {
		h.Key = r.mask.newKey()
	}
	r.log.frameOut(h, payload[:min(len(payload), printed+1)], f.chop, f.alone)
	octets := h.Append(make([]byte, 0, 14+len(payload)))
	if f.headOnly {
		payload = nil
		r.mask.continued(h)
	} else {
		start := len(octets)
		octets = append(octets, payload...)
		wire.Mask(h.Key, 0, octets[start:])
		r.stats.out.frame(h)
	}
	if r.owed == 0 {
		r.owed = h.Length - min(h.Length, uint64(len(payload)))
		r.put(octets, f.chop, f.alone)
		return
	}
	r.pay(octets)
	r.put(octets, f.chop, f.alone)
}

// pay notes octets that the peer takes for payload of the frame that is not complete.
func (r *run) pay(octets []byte) { r.owed -= min(r.owed, uint64(len(octets))) }

// put queues octets for the wire.
func (r *run) put(octets []byte, chop int, alone bool) {
	r.log.octetsOut(octets, chop, alone)
	r.stats.out.Wire += int64(len(octets))
	r.out.put(octets, chop, alone)
}

// sendBytes sends what a line "> bytes" says.
func (r *run) sendBytes(b sendBytes) {
	for range b.times {
		octets := b.payload.Bytes()
		r.mask.apply(octets)
		r.pay(octets)
		r.put(octets, b.chop, b.alone)
	}
}

func (r *run) sendControl(opcode byte, payload []byte) {
	r.sendFrame(sendFrame{opcode: opcode}, payload)
}

// sendClose sends a Close: of our own accord, or in reply. In the middle of a frame
// there is no way to, and nothing but the end of TCP.
func (r *run) sendClose(payload []byte, reply bool) {
	if r.phase != open {
		return
	}
	if r.owed > 0 {
		r.trace.closedByMe = r.trace.closedByMe || !reply
		r.trace.midFrame = true
		r.drop()
		return
	}
	r.beginClose(payload, reply)
	r.sendControl(wire.Close, payload)
}

// beginClose is what a Close that is sent means to us.
func (r *run) beginClose(payload []byte, reply bool) {
	t := &r.trace
	r.phase = closing
	t.closedByMe = !reply
	if len(payload) >= 2 {
		code, reason := int(binary.BigEndian.Uint16(payload)), string(payload[2:])
		t.localCode, t.localReason = &code, &reason
		if !utf8.ValidString(reason) {
			*t.localReason = printable(payload[2:])
		}
	}
	if r.awaiting = !reply; r.awaiting {
		r.whenWritten(func() {
			if r.awaiting {
				r.start(closeLate, r.closeTime())
			}
		})
	}
}

// notYetLate gives the answer to our Close its time anew: the peer has something else
// to send before.
func (r *run) notYetLate() {
	if !r.deadlines[closeLate].IsZero() {
		r.start(closeLate, r.closeTime())
	}
}

// A masker makes masking keys, and knows the one of a frame whose payload comes
// later.
type masker struct {
	random [4096]byte
	used   int
	ready  bool
	key    [4]byte
	masked bool
	pos    int
}

func (m *masker) newKey() (key [4]byte) {
	if !m.ready || m.used+4 > len(m.random) {
		rand.Read(m.random[:])
		m.used, m.ready = 0, true
	}
	copy(key[:], m.random[m.used:])
	m.used += 4
	return key
}

// continued is called with the head of a frame whose payload comes later.
func (m *masker) continued(h wire.Header) { m.key, m.masked, m.pos = h.Key, h.Masked, 0 }

// apply masks the next octets of that payload.
func (m *masker) apply(p []byte) {
	if m.masked {
		wire.Mask(m.key, m.pos, p)
		m.pos = (m.pos + len(p)) & 3
	}
}

// traffic counts octets for a Result.
type traffic struct {
	in, out               Traffic
	preopenIn, preopenOut int
}

func (t *Traffic) frame(h wire.Header) {
	t.Frames++
	if !h.Control() {
		t.WebSocket += int64(h.Length)
	}
}

func (t *Traffic) message(size int) {
	t.Messages++
	t.App += int64(size)
}

// finish works out the ratios.
func (t Traffic) finish() Traffic {
	if t.App > 0 {
		t.Ratio = float64(t.WebSocket) / float64(t.App)
	}
	if t.WebSocket > 0 {
		t.Overhead = float64(t.Wire-t.WebSocket) / float64(t.WebSocket)
	}
	return t
}
