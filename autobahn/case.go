package autobahn

import "time"

// Side says which kind of peer a case tests.
type Side int

// The sides.
const (
	Both Side = iota
	ForServer
	ForClient
)

// String returns "both", "server" or "client".
func (s Side) String() string { return [...]string{"both", "server", "client"}[s] }

// A Case is one test: what is sent to the peer, what must come back, and how the
// connection must end. It never changes once it is parsed.
type Case struct {
	ID          string // numbers joined by dots
	Description string // what the suite does
	Expectation string // what a good peer does
	Source      string // "§5.4: sentence"; "" if none was given
	Side        Side   // what the tested peer is

	where       string        // file:line, for errors
	steps       []step        // what is sent, in order
	timer       timer         // starts when all steps are done
	wants       []want        // the first that the events equal is the verdict
	end         ending        // how the connection ends
	shake       *shake        // what is odd about our half of the opening handshake; nil: nothing
	deflate     *deflateTerms // nil: no extension
	series      *series       // sections 9, 12, 13: instead of steps and wants
	alive       bool          // whether the peer still is, is looked at afterwards
	keysDiffer  bool          // frames with the same masking key are a fault
	closeEvents bool          // Close frames are events
	cut         bool          // Options.Largest changed it
	reportTime  bool          // how long it takes is of interest
	linger      *pause        // after the closing handshake, as a server: before TCP ends
}

// A step is a sendFrame, a sendBytes, a pause, a reading or an endTCP.
type step interface{ isStep() }

// sendFrame is a line "> text ...".
type sendFrame struct {
	opcode    byte
	noFin     bool
	rsv       byte // RSV1 is 4, RSV2 is 2, RSV3 is 1
	alone     bool // a moment after the one before
	chop      int  // octets of each write; 0: one write
	fragments int  // octets of each frame; 0: one frame
	times     int  // how many of them; at least 1
	deflated  bool
	mask      masking
	key       [4]byte // if mask is maskedWithKey
	form      byte    // 7, 16, 64: how the length is written; 0: the shortest
	length    uint64  // what it says, if form is not 0
	headOnly  bool    // the payload comes later, by sendBytes
	closing   bool    // a Close that begins the closing handshake
	payload   payload
}

// masking says whether a frame is masked.
type masking byte

const (
	maskedAsRole masking = iota
	maskedAlways
	maskedNever
	maskedWithKey
)

// sendBytes is a line "> bytes ...": octets as they are, but masked as the payload of
// the last frame that was sent as a head alone.
type sendBytes struct {
	chop    int
	times   int
	alone   bool
	payload payload
}

// pause is a line "wait ...".
type pause struct {
	time time.Duration
	tag  string // of the event recorded after it; "": none
}

// reading is a line "reading on" or "reading off".
type reading bool

// endTCP is a line "> drop" or "> shutdown".
type endTCP struct{ half bool }

func (sendFrame) isStep() {}
func (sendBytes) isStep() {}
func (pause) isStep()     {}
func (reading) isStep()   {}
func (endTCP) isStep()    {}

// A timer is "close after" or "kill after".
type timer struct {
	kill bool
	time time.Duration // 0: there is none
}

// A want is a list of events, and the verdict if exactly these came.
type want struct {
	verdict Behavior // OK or NonStrict
	events  []wanted
	opening *openingWant // of the first event, if it is one of the handshake
}

// A wanted event, which may have to come more than once. Its payload is the data of
// the Event, which may be large.
type wanted struct {
	kind        EventKind
	binary      bool
	data        payload
	least, most int // how often
}

// An ending is a line "end ...".
type ending struct {
	byUs          bool  // who sends the first Close
	either        bool  // it does not matter who
	codes         []int // what the peer's Close may say
	anyCode       bool
	clean         bool // the closing handshake must be completed
	fatal         bool // the wrong end closing fails the case
	strict        bool // a wrong code fails the case
	told          bool // a Close with a code must have come
	quiet         bool // we do not close when the events are there
	informational bool
}

// deflateTerms are the lines "deflate ...".
type deflateTerms struct {
	offer   string        // of the fuzzing client
	accepts []acceptTerms // of the fuzzing server, in order of preference
	strict  bool          // windows are checked
}

// acceptTerms is one way to accept an offer of permessage-deflate.
type acceptTerms struct {
	clientNoTakeover bool
	clientBits       int // 0: not in the answer; else the offer must have client_max_window_bits
	serverNoTakeover bool
	serverBits       int // 0: as the offer says
}

// A series is a line "message ...": one message after the other, each after the
// echo of the one before.
type series struct {
	binary    bool
	source    string  // name of a payload source; "": payload
	size      int     // of each message, in octets or, of text, characters
	payload   payload // if source is ""
	fragments int
	chop      int
	times     int // 0: Options.Messages
}

// shake is what a case changes in our half of the opening handshake.
type shake struct {
	first      string // request or status line; "": the usual one
	edits      []headerEdit
	raw        *payload // instead of all
	bytewise   bool
	withFrames bool
}

// A headerEdit is a line "header ...".
type headerEdit struct {
	verb byte   // '+', '-' or '='
	name string // for '-' and '='
	line string // for '+' and '='
}
