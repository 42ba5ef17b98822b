package autobahn

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A verdict is what a judge says of a trace.
type verdict struct {
	behavior      Behavior
	result        string
	behaviorClose Behavior
	resultClose   string
}

// judge says how good what happened is. It is a function of the case and the trace,
// and of nothing else.
func judge(c *Case, t *trace) verdict {
	var v verdict
	v.behavior, v.result = judgeEvents(c, t)
	v.behaviorClose, v.resultClose = judgeEnd(c, t, v.behavior)
	if v.behavior.Good() && (c.end.fatal && t.closedByMe != c.end.byUs && t.opened || c.end.strict && v.behaviorClose == WrongCode) {
		v.behavior, v.result = Failed, v.resultClose
	}
	if c.end.informational && t.opened {
		v.behavior, v.behaviorClose = Informational, Informational
	}
	return v
}

// judgeEvents looks at what the peer sent.
func judgeEvents(c *Case, t *trace) (Behavior, string) {
	switch {
	case t.fault != "":
		return Failed, "The peer broke the protocol: " + t.fault + "."
	case c.shake == nil && !t.opened:
		return Failed, "The opening handshake failed: " + t.opening.fault + "."
	case t.declined:
		return Unimplemented, "The peer did not agree to permessage-deflate with what the case asks for."
	case c.series != nil:
		return judgeSeries(t)
	}
	for _, w := range c.wants {
		if f := t.fit(w); f.equal() {
			return w.verdict, fmt.Sprintf("The events are those that are %s.", w.verdict)
		}
	}
	if t.opening.kind == openingBroken || t.opening.kind == openingSilent {
		return Failed, "The answer to the opening handshake is not right: " + t.opening.fault + "."
	}
	f := t.fit(c.wants[0])
	return Failed, f.explain()
}

func judgeSeries(t *trace) (Behavior, string) {
	switch {
	case t.series.done:
		return OK, "All messages came back as they were."
	case t.series.fault != "":
		return Failed, t.series.fault
	}
	return Failed, "The connection ended before all messages had come back."
}

// judgeEnd looks at how the connection ended.
func judgeEnd(c *Case, t *trace, behavior Behavior) (Behavior, string) {
	switch {
	case !t.opened && c.shake != nil && behavior.Good():
		return OK, "The peer refused the connection, as it is to."
	case !t.opened:
		return Failed, "The opening handshake was not completed."
	}
	end := c.end
	if t.declined { // and so nothing of the case was tried
		end = ending{byUs: true, codes: []int{1000}, clean: true}
	}
	wrongEnd := !end.either && t.closedByMe != end.byUs
	switch {
	case wrongEnd && end.byUs:
		return Failed, "The peer began to close the connection, which was for the suite to do."
	case wrongEnd:
		return Failed, "The peer did not fail the connection; the suite had to."
	case end.clean && !t.wasClean:
		return Unclean, "The closing handshake was to be completed" + because(t.notClean)
	case end.told && t.remoteCode == nil:
		return WrongCode, "The peer was to send a Close frame with a code, and did not."
	case t.remoteCode != nil && !end.anyCode && !slices.Contains(end.codes, *t.remoteCode):
		return WrongCode, fmt.Sprintf("The peer's close code is %d. It should be %s, or there should be none.", *t.remoteCode, joinCodes(end.codes))
	case !t.isServer && t.droppedByMe && !t.midFrame && !end.either:
		return FailedByClient, "The server should have ended TCP, and left it to the client."
	}
	return OK, "The connection ended as it should."
}

func because(reason string) string {
	if reason == "" {
		return ", and was not."
	}
	return ", and was not: " + reason + "."
}

func joinCodes(codes []int) string {
	var s []string
	for _, c := range codes {
		s = append(s, strconv.Itoa(c))
	}
	return strings.Join(s, " or ")
}

// explain says where the events leave the list.
func (f *fit) explain() string {
	what, should, after := "Nothing came", "nothing", ""
	if f.wrong {
		what = "There came " + f.last.describe()
	}
	if w := f.missing(); w != nil {
		should = w.String()
	}
	if f.right > 0 {
		after = fmt.Sprintf(", after %d as expected", f.right)
	}
	return fmt.Sprintf("%s, but %s should have%s.", what, should, after)
}

func (w wanted) String() string {
	if w.most > 1 {
		return fmt.Sprintf("%s %d to %d times", w.event().describe(), w.least, w.most)
	}
	return w.event().describe()
}

// event returns the event as it is written in a Result.
func (w wanted) event() Event {
	e := Event{Kind: w.kind, Binary: w.binary}
	e.Data = string(w.data.cut(resultSize).Bytes())
	return e
}

func (e Event) describe() string {
	switch {
	case e.Kind == Message && e.Binary:
		return fmt.Sprintf("a binary message %q", printable([]byte(e.Data)))
	case e.Kind == Message:
		return fmt.Sprintf("a text message %q", printable([]byte(e.Data)))
	case e.Kind == Pong:
		return fmt.Sprintf("a pong %q", printable([]byte(e.Data)))
	case e.Kind == Close:
		return fmt.Sprintf("a Close %s", e.Data)
	case e.Kind == Handshake:
		return fmt.Sprintf("a handshake that is %s", e.Data)
	}
	return fmt.Sprintf("the time %q", e.Data)
}

// matches reports whether a handshake came out as wanted. Of a tested client there
// is only whether it goes on.
func (o *openingWant) matches(got *openingOutcome, isServer bool) bool {
	switch {
	case o.kind != got.kind:
		return false
	case isServer:
		return true
	case o.kind == openingRefused && !slices.ContainsFunc(o.statuses, got.hasStatus):
		return false
	}
	return !slices.ContainsFunc(o.headers, func(h wantedHeader) bool { return !h.in(got.head) })
}

// hasStatus reports whether a refusal has the status 400, 4xx or any.
func (got *openingOutcome) hasStatus(s string) bool {
	if s == "any" {
		return true
	}
	status := strconv.Itoa(got.status)
	return status == s || strings.HasSuffix(s, "xx") && got.status != 0 && status[0] == s[0]
}

func (h wantedHeader) in(answer head) bool {
	values := answer.values(h.name)
	if h.absent {
		return len(values) == 0
	}
	return slices.ContainsFunc(values, func(v string) bool { return strings.EqualFold(v, h.value) })
}
