package deflate

import "errors"

// A Mode says how much a side would like compression.
type Mode uint8

// The modes.
const (
	// NoTakeover compresses each message for itself: an idle connection costs
	// nothing.
	NoTakeover Mode = iota
	// Takeover compresses each message with the ones before it in mind, which
	// pays for many small messages that are alike. It costs up to two windows of
	// memory for each connection (§7.1.1).
	Takeover
	// Off does not offer and does not accept the extension.
	Off
)

// String returns "no takeover", "takeover" or "off".
func (m Mode) String() string {
	switch m {
	case NoTakeover:
		return "no takeover"
	case Takeover:
		return "takeover"
	}
	return "off"
}

// What the zero Options stand for.
const (
	DefaultLevel     = 1
	DefaultThreshold = 256
	// DefaultTakeoverThreshold is smaller: short messages that are alike are what
	// takeover is for.
	DefaultTakeoverThreshold = 32
	MinWindowBits            = 8
	MaxWindowBits            = 15
)

// Options are what one side would like. The zero value is: compress if the peer
// wants to, without context takeover.
//
// Compression tells of content by size: text of an attacker's choice in one
// message with a secret, or with Takeover on one connection with it, gives the
// secret away bit by bit (as CRIME did). Turn it off where that can happen.
type Options struct {
	// Mode says whether messages are compressed, and with those before them in mind.
	Mode Mode
	// Level is 1, the fastest, to 9, the smallest. 0: DefaultLevel. Windows
	// below 15 bits have a level of their own, about 5.
	Level int
	// Threshold is the length in bytes below which a message is sent as it is.
	// 0: DefaultThreshold, with Takeover DefaultTakeoverThreshold. Negative: every
	// message is compressed.
	Threshold int
	// WindowBits bounds the windows of both directions to 1<<WindowBits bytes, 8
	// to 15, as far as the peer lets itself be bound: with Takeover it is what a
	// connection costs. 0: 15.
	WindowBits int
}

// Check reports a value that has no meaning.
func (o Options) Check() error {
	switch {
	case o.Mode > Off:
		return errors.New("compression mode is none of NoTakeover, Takeover and Off")
	case o.Level < 0 || o.Level > 9:
		return errors.New("compression level is not 1 to 9, or 0 for the default")
	case o.WindowBits != 0 && (o.WindowBits < MinWindowBits || o.WindowBits > MaxWindowBits):
		return errors.New("compression window is not 8 to 15 bits, or 0 for 15")
	}
	return nil
}

func (o Options) windowBits() int {
	if o.WindowBits == 0 {
		return MaxWindowBits
	}
	return o.WindowBits
}

// Worthwhile reports whether a message of n bytes is to be compressed.
func (o Options) Worthwhile(n int) bool {
	switch {
	case o.Threshold < 0:
		return true
	case o.Threshold == 0 && o.Mode == Takeover:
		return n >= DefaultTakeoverThreshold
	case o.Threshold == 0:
		return n >= DefaultThreshold
	}
	return n >= o.Threshold
}

// Params are what both sides have agreed on (§7.1).
type Params struct {
	ServerNoContextTakeover bool
	ClientNoContextTakeover bool
	ServerMaxWindowBits     int // 8 to 15
	ClientMaxWindowBits     int // 8 to 15
}
