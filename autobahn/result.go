package autobahn

import (
	"encoding/hex"
	"encoding/json"
	"unicode/utf8"
)

// A Behavior is a verdict on one case, in the words of the original suite.
type Behavior string

// Verdicts on what the peer did (Result.Behavior) and on how the connection ended
// (Result.BehaviorClose).
const (
	OK            Behavior = "OK"
	NonStrict     Behavior = "NON-STRICT"    // behavior only: allowed, but not the best
	Informational Behavior = "INFORMATIONAL" // whatever happens is well
	Unimplemented Behavior = "UNIMPLEMENTED" // behavior only: the peer did not agree to the extension
	Failed        Behavior = "FAILED"

	WrongCode      Behavior = "WRONG CODE"       // close only
	Unclean        Behavior = "UNCLEAN"          // close only
	FailedByClient Behavior = "FAILED BY CLIENT" // close only: the server left it to the client to end TCP
)

// Good reports whether the verdict is no fault of the peer's.
func (b Behavior) Good() bool { return b == OK || b == NonStrict || b == Informational }

// A Result is all that is known of one run of one case. Its JSON is the original
// suite's file for one case, field for field.
type Result struct {
	Case        int    `json:"case"` // number in the list that was run, from 1
	ID          string `json:"id"`
	Agent       string `json:"agent"`
	Description string `json:"description"`
	Expectation string `json:"expectation"`
	Source      string `json:"source,omitempty"` // where the RFC says so: ours alone

	Started    string `json:"started"`  // UTC, 2006-01-02T15:04:05.000Z
	Duration   int64  `json:"duration"` // ms from the end of the handshake to the loss of TCP
	ReportTime bool   `json:"reportTime"`

	Behavior      Behavior `json:"behavior"`
	Result        string   `json:"result"` // a sentence
	BehaviorClose Behavior `json:"behaviorClose"`
	ResultClose   string   `json:"resultClose"`

	Expected      map[Behavior][]Event `json:"expected"`
	Received      []Event              `json:"received"`
	ExpectedClose ExpectedClose        `json:"expectedClose"`

	IsServer     bool    `json:"isServer"` // the fuzzer is the server
	ClosedByMe   bool    `json:"closedByMe"`
	FailedByMe   bool    `json:"failedByMe"`
	DroppedByMe  bool    `json:"droppedByMe"`
	WasClean     bool    `json:"wasClean"`
	NotClean     *string `json:"wasNotCleanReason"`
	DropTimeout  bool    `json:"wasServerConnectionDropTimeout"`
	OpenTimeout  bool    `json:"wasOpenHandshakeTimeout"`
	CloseTimeout bool    `json:"wasCloseHandshakeTimeout"`

	LocalCloseCode    *int    `json:"localCloseCode"`
	LocalCloseReason  *string `json:"localCloseReason"`
	RemoteCloseCode   *int    `json:"remoteCloseCode"`
	RemoteCloseReason *string `json:"remoteCloseReason"`

	HTTPRequest  string `json:"httpRequest"`  // "?" when there was none
	HTTPResponse string `json:"httpResponse"` // the same

	CreateStats  bool        `json:"createStats"`
	RxOctetStats map[int]int `json:"rxOctetStats"` // size of a read: how many
	TxOctetStats map[int]int `json:"txOctetStats"`
	RxFrameStats map[int]int `json:"rxFrameStats"` // opcode: how many
	TxFrameStats map[int]int `json:"txFrameStats"`

	CreateWirelog bool     `json:"createWirelog"`
	Wirelog       []LogRow `json:"wirelog"`

	ReportCompressionRatio bool          `json:"reportCompressionRatio"`
	TrafficStats           *TrafficStats `json:"trafficStats"`
}

// ExpectedClose says how a case is to end.
type ExpectedClose struct {
	ByMe         bool  `json:"closedByMe"` // the fuzzer sends the first Close
	Codes        []int `json:"closeCode"`  // what the peer's Close may say; none is always allowed
	Clean        bool  `json:"requireClean"`
	WrongIsFatal bool  `json:"closedByWrongEndpointIsFatal,omitempty"`
}

// An Event is something that the peer did and that a case can expect. Its JSON is
// ["message", text, isBinary], ["pong", text], ["timeout", tag] and, in cases that
// the original has not, ["handshake", what] and ["close", code].
type Event struct {
	Kind   EventKind
	Data   string // payload (cut and made printable in JSON), tag, or what the handshake came to
	Binary bool
}

// An EventKind is the first word of an Event.
type EventKind string

// The kinds of events.
const (
	Message   EventKind = "message"
	Pong      EventKind = "pong"
	Timeout   EventKind = "timeout"
	Handshake EventKind = "handshake"
	Close     EventKind = "close" // only in cases that expect one
)

// MarshalJSON writes the event as the original suite does.
func (e Event) MarshalJSON() ([]byte, error) {
	if e.Kind == Message {
		return json.Marshal([]any{e.Kind, printable([]byte(e.Data)), e.Binary})
	}
	return json.Marshal([]any{e.Kind, printable([]byte(e.Data))})
}

// A LogRow is a row of the wire log, as in the original's JSON: its first element
// names its kind (RO, TO, RF, TF, CT, CTE, KL, KLE, TI, TIE, WLM).
type LogRow []any

// TrafficStats counts octets of a finished case that measures compression.
type TrafficStats struct {
	Outgoing   Traffic `json:"outgoing"`
	Incoming   Traffic `json:"incoming"`
	PreopenOut int     `json:"preopenOutgoingOctetsWireLevel"`
	PreopenIn  int     `json:"preopenIncomingOctetsWireLevel"`
}

// Traffic is one direction of TrafficStats.
type Traffic struct {
	Wire      int64   `json:"OctetsWireLevel"`
	WebSocket int64   `json:"OctetsWebSocketLevel"`
	App       int64   `json:"OctetsAppLevel"`
	Frames    int     `json:"WebSocketFrames"`
	Messages  int     `json:"WebSocketMessages"`
	Ratio     float64 `json:"CompressionRatio"`
	Overhead  float64 `json:"WebSocketOverhead"`
}

const (
	printed    = 64  // octets of a payload in JSON
	resultSize = 128 // octets of a payload in a Result: enough to know how it goes on
)

// printable writes octets as JSON and the wire log have them: text as it is, anything
// else in hex, cut at 64 octets.
func printable(p []byte) string {
	first, more := p, ""
	if len(p) > printed {
		first, more = p[:printed], " ..."
	}
	whole := first
	for more != "" && len(whole) > printed-utf8.UTFMax && !utf8.Valid(whole) {
		whole = whole[:len(whole)-1] // the cut may have hit a character
	}
	if utf8.Valid(whole) {
		return string(whole) + more
	}
	return "0x" + hex.EncodeToString(first) + more
}
