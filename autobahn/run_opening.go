package autobahn

import (
	"slices"
	"strconv"
	"time"

	"github.com/swan-ws/websocket/autobahn/internal/wire"
)

// sendOpening sends our half of the opening handshake. As a client it then waits for
// the other half; as a server the connection is open.
func (r *run) sendOpening(ours []byte) {
	s := r.c.shake
	if s == nil {
		s = new(shake)
	}
	chop := 0
	if s.bytewise {
		chop = 1
	}
	r.ours = string(ours)
	r.stats.preopenOut = len(ours)
	r.log.octetsOut(ours, chop, !s.withFrames)
	if s.withFrames {
		r.out.hold(true)
		defer r.out.hold(false)
	}
	r.out.put(ours, chop, !s.withFrames)
	if r.trace.isServer {
		if r.c.shake == nil {
			r.trace.opening.kind = openingDone
		}
		r.open()
		return
	}
	r.request, _ = parseHead(ours)
	if s.withFrames {
		r.advance()
	}
	r.whenSent(func() {
		if r.phase == opening {
			r.start(openLate, r.c.openTimeout())
		}
	})
}

// openTimeout is how long the answer to a request may take; where there need not be
// any, it is the timer of the case.
func (c *Case) openTimeout() time.Duration {
	if slices.ContainsFunc(c.wants, func(w want) bool { return w.opening != nil && w.opening.kind == openingSilent }) {
		return c.timer.time
	}
	return openTimeout
}

// answer takes the server's half of the opening handshake, and returns what comes
// after it.
func (r *run) answer(octets []byte) (rest []byte) {
	r.head = append(r.head, octets...)
	end := headEnd(r.head)
	if end == 0 {
		if len(r.head) > maxHead {
			r.trace.opening = openingOutcome{kind: openingBroken, fault: "the answer is longer than " + strconv.Itoa(maxHead) + " octets"}
			r.event(Event{Kind: Handshake, Data: "without an end"})
			r.drop()
		}
		return nil
	}
	rest, r.head = r.head[end:], r.head[:end]
	r.stats.preopenIn = end
	r.stop(openLate)
	t := &r.trace
	everything := r.c.shake != nil || r.c.deflate != nil && r.c.deflate.strict
	t.opening, r.agreed = checkResponse(r.request, r.key, r.head, everything)
	switch t.opening.kind {
	case openingDone:
		r.event(Event{Kind: Handshake, Data: "open"})
		r.open()
		return rest
	case openingRefused:
		r.event(Event{Kind: Handshake, Data: "refused " + strconv.Itoa(t.opening.status)})
	default:
		r.event(Event{Kind: Handshake, Data: "not right"})
	}
	t.notClean = t.opening.fault
	r.drop()
	return nil
}

// refused is the end of TCP instead of an answer or, of a tested client, of a frame.
func (r *run) refused() {
	t := &r.trace
	t.opening = openingOutcome{kind: openingRefused, fault: "the peer ended TCP without an answer"}
	t.opened = false // as a server we thought so
	r.prependOpening("refused")
}

// open is the moment from which frames go both ways.
func (r *run) open() {
	r.opened = time.Now()
	r.phase = open
	r.trace.opened = true
	r.useAgreement()
	if r.c.deflate != nil && r.agreed.deflate == nil {
		r.trace.declined = true
		r.sendClose(normalClose, false)
		return
	}
	if r.series != nil {
		r.startTimer()
		r.nextMessage()
		return
	}
	if s := r.c.shake; s == nil || !s.withFrames || r.trace.isServer {
		r.advance()
	}
	if r.c.shake != nil && len(r.steps) == 0 {
		r.finished() // which it is if nothing but the handshake is wanted
	}
}

// useAgreement makes the compressors that were agreed on.
func (r *run) useAgreement() {
	d := deflateParams{}
	if r.agreed.deflate != nil {
		d = *r.agreed.deflate
		r.reader.Deflate = true
	}
	if d.serverBits == 0 {
		d.serverBits = 15
	}
	if d.clientBits == 0 {
		d.clientBits = 15
	}
	strict := r.c.deflate != nil && r.c.deflate.strict
	r.inflater = &wire.Decompressor{Bits: d.serverBits, Takeover: !d.serverNoTakeover, Strict: strict, Limit: int(r.reader.Limit)}
	r.bits, r.takeover = d.clientBits, !d.clientNoTakeover
	if r.trace.isServer {
		r.inflater.Bits, r.inflater.Takeover = d.clientBits, !d.clientNoTakeover
		r.bits, r.takeover = d.serverBits, !d.serverNoTakeover
	}
}

// event records what the peer did.
func (r *run) event(e Event) {
	t := &r.trace
	if e.Kind != Handshake || r.c.shake != nil {
		t.received = append(t.received, e)
	}
	if r.phase == open {
		r.finished()
	}
}

// prependOpening records what came of the handshake of a tested client, which shows
// only in what comes later.
func (r *run) prependOpening(what string) {
	if r.c.shake != nil {
		r.trace.received = append([]Event{{Kind: Handshake, Data: what}}, r.trace.received...)
		if r.fits != nil {
			r.fitted++ // it was taken as open before
		}
	}
}
