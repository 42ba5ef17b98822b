package autobahn

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// result says what came of the run.
func (r *run) result() Result {
	c, t := r.c, &r.trace
	v := judge(c, t)
	return Result{
		ID: c.ID, Description: r.o.counted(c.Description), Expectation: r.o.counted(c.Expectation), Source: c.Source,
		Started: r.started.UTC().Format("2006-01-02T15:04:05.000Z"), Duration: r.duration(), ReportTime: c.reportTime,
		Behavior: v.behavior, Result: v.result + r.o.cutNote(c), BehaviorClose: v.behaviorClose, ResultClose: v.resultClose,
		Expected: c.expected(), Received: t.events(), ExpectedClose: c.end.expected(),
		IsServer: t.isServer, ClosedByMe: t.closedByMe, FailedByMe: t.failedByMe, DroppedByMe: t.droppedByMe,
		WasClean: t.wasClean, NotClean: t.notCleanReason(),
		DropTimeout: t.dropTimeout, OpenTimeout: t.openTimeout, CloseTimeout: t.closeTimeout,
		LocalCloseCode: t.localCode, LocalCloseReason: t.localReason, RemoteCloseCode: t.remoteCode, RemoteCloseReason: printableText(t.remoteReason),
		HTTPRequest: r.httpText(!t.isServer), HTTPResponse: r.httpText(t.isServer),
		CreateStats: true, RxOctetStats: r.log.rxOctets, TxOctetStats: r.log.txOctets, RxFrameStats: r.log.rxFrames, TxFrameStats: r.log.txFrames,
		CreateWirelog: true, Wirelog: r.log.rows(),
		ReportCompressionRatio: c.series != nil && c.deflate != nil, TrafficStats: r.trafficStats(),
	}
}

// duration is the time from the end of the handshake, in ms.
func (r *run) duration() int64 {
	if r.opened.IsZero() {
		return 0
	}
	return time.Since(r.opened).Milliseconds()
}

// counted puts the number of messages where a text has {count}.
func (o *Options) counted(s string) string {
	return strings.ReplaceAll(s, countMark, strconv.Itoa(o.messages()))
}

// events returns what was received, cut to what a Result has.
func (t *trace) events() []Event {
	events := make([]Event, 0, len(t.received))
	for _, e := range t.received {
		if len(events) == firstRows {
			break
		}
		if len(e.Data) > resultSize {
			n := resultSize
			for n > resultSize-utf8.UTFMax && !utf8.RuneStart(e.Data[n]) {
				n--
			}
			e.Data = strings.Clone(e.Data[:n])
		}
		events = append(events, e)
	}
	return events
}

func (t *trace) notCleanReason() *string {
	if t.wasClean || t.notClean == "" {
		return nil
	}
	return &t.notClean
}

func printableText(reason *string) *string {
	if reason == nil || utf8.ValidString(*reason) {
		return reason
	}
	s := printable([]byte(*reason))
	return &s
}

// httpText is our half of the opening handshake, or the peer's.
func (r *run) httpText(ours bool) string {
	h := r.trace.opening.head.text
	if ours {
		h = r.ours
	}
	switch {
	case !ours && r.trace.isServer:
		h = r.request.text
	case !ours && h == "":
		h = string(r.head)
	}
	switch {
	case h == "":
		return "?"
	case len(h) > maxHead:
		h = h[:maxHead] + " ..."
	}
	return strings.ToValidUTF8(h, "\uFFFD")
}

// expected returns the lists of events by their verdicts; of several that are OK, the
// first.
func (c *Case) expected() map[Behavior][]Event {
	lists := make(map[Behavior][]Event)
	for _, w := range c.wants {
		if _, there := lists[w.verdict]; there {
			continue
		}
		events := make([]Event, 0, len(w.events))
		for _, e := range w.events {
			for range min(max(1, e.least), firstRows) {
				events = append(events, e.event())
			}
		}
		lists[w.verdict] = events
	}
	return lists
}

func (e ending) expected() ExpectedClose {
	codes := e.codes
	if codes == nil {
		codes = []int{}
	}
	return ExpectedClose{ByMe: e.byUs, Codes: codes, Clean: e.clean, WrongIsFatal: e.fatal}
}

// trafficStats are those of a series that came to its end.
func (r *run) trafficStats() *TrafficStats {
	if r.series == nil || r.c.deflate == nil || !r.trace.series.done {
		return nil
	}
	return &TrafficStats{Outgoing: r.stats.out.finish(), Incoming: r.stats.in.finish(),
		PreopenOut: r.stats.preopenOut, PreopenIn: r.stats.preopenIn}
}
