package autobahn

import "time"

// The times that the original suite allows.
const (
	openTimeout  = 5 * time.Second  // for the opening handshake
	closeTimeout = time.Second      // for the answer to a Close, and for a server to end TCP then
	patience     = 10 * time.Second // for anything that it would wait for without end
)

// A deadline is something that happens unless something else does before.
type deadline int

const (
	openLate   deadline = iota // no answer to the request
	tooLong                    // the case itself does not end
	pauseOver                  // go on with the steps
	caseTimer                  // "close after" or "kill after"
	closeLate                  // no answer to our Close
	dropLate                   // the server does not end TCP
	lingerOver                 // we end TCP
	peerLate                   // after its own Close, the peer does not end TCP
	deadlineKinds
)

// most is the time in which a case comes to its end, whatever the peer does.
func (c *Case) most() time.Duration {
	most := openTimeout + c.timer.time + 2*patience
	for _, s := range c.steps {
		if p, ok := s.(pause); ok {
			most += p.time
		}
	}
	if c.linger != nil {
		most += c.linger.time
	}
	return most
}

// closeTime is how long the peer may take for each step of the closing handshake: a
// second in the original, and more for one that was slow before, or on a machine that
// is busy.
func (r *run) closeTime() time.Duration {
	return min(max(closeTimeout, time.Since(r.opened)), patience)
}

// ofPeer reports whether the peer has to meet it, or it is a time that we take.
func (d deadline) ofPeer() bool { return d != pauseOver && d != lingerOver }

// start sets a deadline. Those that a peer has to meet are as far off as
// Options.Patience says.
func (r *run) start(d deadline, after time.Duration) {
	if d.ofPeer() {
		after *= time.Duration(max(1, r.o.Patience))
	}
	r.deadlines[d] = time.Now().Add(after)
}

func (r *run) stop(d deadline) { r.deadlines[d] = time.Time{} }

// next returns the deadline that comes first.
func (r *run) next() (first deadline, at time.Time) {
	for d, t := range r.deadlines {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			first, at = deadline(d), t
		}
	}
	return first, at
}

func (r *run) setTimer() {
	if _, at := r.next(); !at.IsZero() {
		r.timer.Reset(time.Until(at))
	} else {
		r.timer.Stop()
	}
}

// overdue does what the deadlines that have passed ask for, in their order.
func (r *run) overdue() {
	for r.phase != closed {
		d, at := r.next()
		if at.IsZero() || time.Now().Before(at) || d.ofPeer() && r.mercy(time.Since(at)) {
			return
		}
		r.stop(d)
		r.fire(d)
	}
}

// mercy puts off what the peer has to meet if we are late ourselves: on a machine that
// is so busy the peer may be late for the same reason.
func (r *run) mercy(late time.Duration) bool {
	const (
		busy  = 20 * time.Millisecond
		times = 3
	)
	if late < busy || r.mercies == times {
		return false
	}
	r.mercies++
	for d, t := range r.deadlines {
		if !t.IsZero() && deadline(d).ofPeer() {
			r.deadlines[d] = t.Add(late + min(10*late, time.Second))
		}
	}
	return true
}

func (r *run) fire(d deadline) {
	switch t := &r.trace; d {
	case openLate:
		t.openTimeout, t.notClean = true, "the opening handshake took too long"
		t.opening = openingOutcome{kind: openingSilent, fault: "there was no answer in time"}
		r.event(Event{Kind: Handshake, Data: "unanswered"})
		r.drop()
	case pauseOver:
		r.pauseOver()
	case caseTimer:
		r.caseTimer()
	case closeLate:
		t.wasClean, t.closeTimeout, t.notClean = false, true, "the peer did not answer the Close in time"
		r.drop()
	case dropLate:
		t.wasClean, t.dropTimeout, t.notClean = false, true, "the server did not end TCP in time"
		r.drop()
	case lingerOver:
		r.event(Event{Kind: Timeout, Data: r.c.linger.tag})
		r.drop()
	case tooLong:
		t.notClean = "the case took too long"
		r.drop()
	case peerLate:
		r.drop()
	}
}

// caseTimer is "close after" or "kill after".
func (r *run) caseTimer() {
	if r.phase == opening { // the frames went with the request
		r.fire(openLate)
		return
	}
	if r.c.timer.kill {
		r.log.add("KLE")
		r.silence()
		r.fail(1001, "Going Away")
		return
	}
	r.log.add("TIE")
	if s := r.trace.series; r.series != nil && s.fault == "" && !s.done {
		r.trace.series.fault = r.series.late()
	}
	if r.phase == open {
		r.sendClose(nil, false)
	}
}

// silence ends a handshake case in which a tested client neither sent anything nor
// ended the connection.
func (r *run) silence() {
	if t := &r.trace; t.isServer && t.opening.kind == openingNone && r.c.shake != nil {
		t.opening.kind = openingDone
		r.prependOpening("open")
	}
}
