// Package machine is RFC 6455 §5 to §8 as a pure state machine: bytes in,
// events out, no I/O, no clock, no lock, no goroutine. A connection, an event
// loop, an HTTP/2 stream or a test's byte slice can all drive it.
//
//	n, err := e.Step(&ev, in)     // what the next bytes mean
//	out = e.AppendReply(out, &ev) // what the protocol owes the peer for it
//	out = e.AppendFail(out, err)  // or the Close frame that the fault deserves
//
// It has two halves that share nothing. Step and what tells of it belong to
// whoever reads; the Append methods to whoever writes. One goroutine may be in
// each at the same time.
package machine

import (
	"strconv"

	"github.com/swan-ws/websocket/frame"
)

// A Role is the side of the connection that an Endpoint plays.
type Role uint8

// A client masks what it sends and a server does not (§5.1).
const (
	Server Role = iota
	Client
)

// String returns "server" or "client".
func (r Role) String() string {
	switch r {
	case Server:
		return "server"
	case Client:
		return "client"
	}
	return "role " + strconv.Itoa(int(r))
}

// Config is what an Endpoint must know of its connection.
type Config struct {
	Role Role
	// MaxMessage is the longest message accepted, in payload bytes over all its
	// frames; a header that goes beyond it fails with 1009. A compressed message
	// may be a little longer, as some content does not compress. 0: no limit.
	MaxMessage uint64
	// MaxFragments is the largest number of frames accepted for one message;
	// more fail with 1008. 0: no limit.
	MaxFragments int
	// Deflate: permessage-deflate has been agreed on (RFC 7692), so that RSV1 may
	// mark a message as compressed. The machine neither inflates it nor checks
	// its text.
	Deflate bool
	// NewKey makes the masking keys of a client. nil: frame.NewKey. For tests
	// that compare bytes.
	NewKey func() frame.Key
}

// An Endpoint is one end of a WebSocket connection after the opening handshake. What
// keeps many of them can keep the halves apart.
type Endpoint struct {
	Receiver
	Sender
}

// New returns an Endpoint in the OPEN state.
func New(c Config) Endpoint { return Endpoint{NewReceiver(c), NewSender(c)} }
