package autobahn

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/swan-ws/websocket/autobahn/internal/wire"
)

// receive takes what the peer sent.
func (r *run) receive(octets []byte) {
	r.log.octetsIn(octets)
	if r.phase == opening {
		if octets = r.answer(octets); r.phase == opening || len(octets) == 0 {
			return
		}
	}
	r.notYetLate()
	r.stats.in.Wire += int64(len(octets))
	r.reader.Feed(octets)
	for r.phase != closed {
		item, ok := r.reader.Next()
		if !ok {
			return
		}
		r.firstFrame()
		r.lookAtKey(item)
		switch item.Kind {
		case wire.Violation:
			r.fault(1002, item.Fault)
			continue
		case wire.Message:
			r.log.frameIn(item)
			r.message(item)
		case wire.Control:
			r.log.frameIn(item)
			r.control(item)
		default:
			r.log.frameIn(item)
		}
		r.stats.in.frame(item.Header)
	}
}

// firstFrame shows that a tested client took the handshake for good.
func (r *run) firstFrame() {
	if r.trace.isServer && r.trace.opening.kind == openingNone {
		r.trace.opening.kind = openingDone
		r.prependOpening("open")
	}
}

// lookAtKey sees to it that masking keys differ, if the case asks for it.
func (r *run) lookAtKey(item wire.Item) {
	if !r.c.keysDiffer || !item.Header.Masked || item.Kind == wire.Violation {
		return
	}
	if r.keys == nil {
		r.keys = make(map[[4]byte]bool)
	}
	if r.keys[item.Header.Key] {
		r.fault(1002, fmt.Sprintf("two frames have the masking key %x (§5.3)", item.Header.Key))
	}
	r.keys[item.Header.Key] = true
}

// fault is a breach of the protocol.
func (r *run) fault(code int, what string) {
	if r.trace.fault == "" {
		r.trace.fault = what
	}
	r.fail(code, what)
}

// fail fails the connection: by a Close or, if we sent one already, by the end of TCP.
func (r *run) fail(code int, reason string) {
	r.trace.failedByMe = true
	if r.phase != open {
		r.drop()
		return
	}
	payload := binary.BigEndian.AppendUint16(nil, uint16(code))
	r.sendClose(append(payload, cutText(reason, 123)...), false)
}

// cutText cuts a text at n octets, between characters.
func cutText(s string, n int) string {
	for len(s) > n || !utf8.ValidString(s) {
		s = s[:min(n, len(s)-1)]
	}
	return s
}

func (r *run) message(item wire.Item) {
	payload := item.Payload
	if r.series != nil {
		r.echo(item)
		return
	}
	if item.First.RSV&wire.RSV1 != 0 {
		plain, err := r.inflater.Decompress(payload)
		if err != nil {
			r.fault(1007, err.Error())
			return
		}
		payload = plain
	}
	if item.First.Opcode == wire.Text && !utf8.Valid(payload) {
		r.fault(1007, "a text message is not UTF-8 (§8.1)")
		return
	}
	r.stats.in.message(len(payload))
	r.event(Event{Kind: Message, Data: string(payload), Binary: item.First.Opcode == wire.Binary})
}

func (r *run) control(item wire.Item) {
	switch item.Header.Opcode {
	case wire.Ping:
		if r.phase == open {
			r.sendControl(wire.Pong, item.Payload)
		}
	case wire.Pong:
		r.event(Event{Kind: Pong, Data: string(item.Payload)})
	case wire.Close:
		r.peerCloses(item.Payload)
	}
}

// peerCloses takes a Close frame, as the original suite does.
func (r *run) peerCloses(payload []byte) {
	t := &r.trace
	t.remoteCode, t.remoteReason = nil, nil
	if len(payload) >= 2 {
		code, reason := int(binary.BigEndian.Uint16(payload)), string(payload[2:])
		t.remoteCode, t.remoteReason = &code, &reason
		if !validCode(code) && !slices.Contains(r.c.end.codes, code) {
			r.fail(1002, fmt.Sprintf("invalid close code %d", code))
		}
		if !utf8.ValidString(reason) {
			r.fault(1007, "the reason of a Close is not UTF-8 (§5.5.1)")
		}
	}
	if r.c.closeEvents {
		code := ""
		if t.remoteCode != nil {
			code = strconv.Itoa(*t.remoteCode)
		}
		r.event(Event{Kind: Close, Data: code})
	}
	t.wasClean = r.phase != closed
	switch r.phase {
	case closing:
		r.awaiting = false
		r.stop(closeLate)
		if t.isServer {
			r.lingerOrDrop()
		} else {
			r.start(dropLate, r.closeTime())
		}
	case open:
		r.sendClose(normalClose, true)
		if t.isServer {
			r.lingerOrDrop()
		} else {
			r.start(peerLate, patience)
		}
	}
}

// validCode reports whether the original suite takes a close code from a peer.
func validCode(code int) bool {
	return 1000 <= code && code <= 1003 || 1007 <= code && code <= 1011 || 3000 <= code && code <= 4999
}

// lingerOrDrop ends TCP, as a server does after the closing handshake.
func (r *run) lingerOrDrop() {
	if r.c.linger == nil {
		r.drop()
		return
	}
	r.start(lingerOver, r.c.linger.time)
}

// limit is the largest message that a peer can have any reason to send.
func (c *Case) limit() uint64 {
	const least = 64 << 20
	largest := int64(0)
	for _, s := range c.steps {
		if f, ok := s.(sendFrame); ok {
			largest = max(largest, f.payload.Len())
		}
	}
	return uint64(min(max(least, 2*largest), math.MaxInt32))
}
