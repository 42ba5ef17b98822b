package machine

import "github.com/swan-ws/websocket/frame"

// A Kind says what an Event is.
type Kind uint8

// The kinds of events.
const (
	// NeedMore: nothing to tell yet; offer in[n:] again with more bytes.
	NeedMore Kind = iota
	// Data: a piece of a message. A message is one or more of them, of which
	// the first has First set and the last has Last; control events may come
	// in between.
	Data
	// Ping: the peer asks for a Pong with the same payload (§5.5.2).
	Ping
	// Pong: an answer to a Ping, or an unasked sign of life (§5.5.3).
	Pong
	// Close: the peer starts or answers the closing handshake (§5.5.1). Nothing
	// comes after it.
	Close
)

// String returns the kind's name in small letters.
func (k Kind) String() string {
	switch k {
	case NeedMore:
		return "need more"
	case Data:
		return "data"
	case Ping:
		return "ping"
	case Pong:
		return "pong"
	case Close:
		return "close"
	}
	return "unknown"
}

// An Event is what Step found. Step fills one that the caller keeps using, and
// sets only the fields of its Kind.
type Event struct {
	Kind Kind
	// Data only. Opcode is frame.OpText or frame.OpBinary, whichever frame of
	// the message the piece is from.
	Opcode      frame.Opcode
	First, Last bool
	Compressed  bool // the message's payload is deflated (7692 §6)
	// Close only: the peer's code, frame.CloseNoStatus if it gave none.
	Code frame.CloseCode
	// Payload is unmasked: of a Data piece, a Ping or a Pong; of a Close, the
	// reason. It aliases the bytes given to Step and is valid as long as they are.
	Payload []byte
}
