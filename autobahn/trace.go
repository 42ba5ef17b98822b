package autobahn

// A trace is what happened in one run of a case: all that the judge looks at.
type trace struct {
	isServer bool // the fuzzer is the server
	opened   bool // the opening handshake was completed
	opening  openingOutcome
	declined bool    // permessage-deflate was not agreed on
	received []Event // in full
	fault    string  // how the peer broke the protocol; "" if it did not
	series   seriesOutcome

	closedByMe, failedByMe, droppedByMe    bool
	midFrame                               bool // droppedByMe because no Close could be sent
	wasClean                               bool
	notClean                               string // why not
	dropTimeout, openTimeout, closeTimeout bool

	localCode, remoteCode     *int // of the Close frames
	localReason, remoteReason *string
}

// openingOutcome is what came of the opening handshake.
type openingOutcome struct {
	kind   openingKind
	status int    // of a refusal; 0 if there was no answer
	head   head   // the answer of a tested server
	fault  string // why it is not open
}

// An openingKind is a way for an opening handshake to come out.
type openingKind byte

const (
	openingNone    openingKind = iota // the peer is still silent
	openingDone                       // it is complete
	openingRefused                    // by a status, or the end of the connection
	openingBroken                     // the answer is neither
	openingSilent                     // there is no answer in time
)

// seriesOutcome is what came of a series of messages.
type seriesOutcome struct {
	done  bool   // all messages came back
	fault string // what came instead
}

// A fit compares events with a list, one after the other.
type fit struct {
	list  []wanted
	at    int   // in the list
	times int   // that list[at] has come
	wrong bool  // the last event is not in the list
	last  Event // if it is wrong
	right int   // events before it
}

// next takes the next event.
func (f *fit) next(e Event) {
	if f.wrong {
		return
	}
	for ; f.at < len(f.list); f.at, f.times = f.at+1, 0 {
		w := f.list[f.at]
		if f.times < w.most && w.equal(e) {
			f.times++
			f.right++
			return
		}
		if f.times < w.least {
			break
		}
	}
	f.wrong, f.last = true, e
}

// missing returns the first of the list that has not come, or not often enough; nil
// if there is none.
func (f *fit) missing() *wanted {
	times := f.times
	for i := f.at; i < len(f.list); i, times = i+1, 0 {
		if times < f.list[i].least {
			return &f.list[i]
		}
	}
	return nil
}

// equal reports whether the events are exactly those of the list.
func (f *fit) equal() bool { return !f.wrong && f.missing() == nil }

// open reports whether they may become so, or remain so, with what is still to come.
func (f *fit) open() bool {
	last := len(f.list) - 1
	return !f.wrong && (f.missing() != nil || last >= 0 && (f.at < last || f.at == last && f.times < f.list[last].most))
}

// fit compares the trace with a list.
func (t *trace) fit(w want) fit {
	f := fit{list: w.events}
	if w.opening != nil && !w.opening.matches(&t.opening, t.isServer) {
		f.wrong, f.last = true, Event{Kind: Handshake, Data: "none"}
		if len(t.received) > 0 {
			f.last = t.received[0]
		}
		return f
	}
	for _, e := range t.received {
		f.next(e)
	}
	return f
}

func (w wanted) equal(e Event) bool {
	if w.kind != e.Kind || w.binary != e.Binary {
		return false
	}
	return w.kind == Handshake || w.data.equal(e.Data)
}
