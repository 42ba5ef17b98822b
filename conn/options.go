package conn

import (
	"net"
	"time"

	"github.com/swan-ws/websocket/conn/machine"
	deflate "github.com/swan-ws/websocket/permessage-deflate"
)

// What the zero Options stand for; DefaultMaxMessage is in bytes.
const (
	DefaultMaxMessage   = 1 << 20
	DefaultMaxFragments = 16384
	DefaultWriteTimeout = 10 * time.Second
	DefaultCloseTimeout = 5 * time.Second
	DefaultPingEvery    = 30 * time.Second
	DefaultPongWithin   = 10 * time.Second
)

// Options are the limits and habits of a connection. The zero value is safe for
// the open internet; a negative number turns a limit off.
type Options struct {
	// MaxMessage is the longest message accepted, in bytes. A longer one fails
	// the connection with 1009 as soon as its size is known, before it is
	// received. 0: DefaultMaxMessage. Negative: no limit.
	MaxMessage int64
	// MaxFragments is the most frames accepted for one message; more fail the
	// connection with 1008. 0: DefaultMaxFragments. Negative: no limit.
	MaxFragments int

	// WriteTimeout is how long the peer may take to accept what is written at
	// once, 1 MiB at the most, before it is given up; and up to a quarter more.
	// 0: DefaultWriteTimeout. Negative: no limit.
	WriteTimeout time.Duration
	// CloseTimeout is how long Close may take to send its Close frame and to
	// wait for the peer's. 0: DefaultCloseTimeout. Negative: it does not wait.
	CloseTimeout time.Duration

	// PingEvery is how often the peer is pinged, so that proxies keep the
	// connection and a vanished peer is noticed. 0: DefaultPingEvery. Negative:
	// never.
	PingEvery time.Duration
	// PongWithin is how long the peer may stay silent after such a ping before
	// the connection counts as lost. Any bytes of the peer's count as life, and
	// only time in which somebody reads counts as silence.
	// 0: DefaultPongWithin. Negative: for ever.
	PongWithin time.Duration
	// IdleTimeout closes the connection with 1001 when no piece of a message has
	// passed in either direction for that long, and none is being worked on in a
	// callback or a loop over Messages. Pings and Pongs do not count.
	// 0 or negative: never.
	IdleTimeout time.Duration
	// OnIdle is called when IdleTimeout has passed, on a goroutine of its own,
	// instead of closing the connection, and again after as long. It may close it.
	OnIdle func(c *Conn)

	// Compression is what this side would like of permessage-deflate. The zero
	// value compresses messages of 256 bytes and more, each for itself, with
	// peers that want to; deflate.Off turns it off.
	Compression deflate.Options

	// OnPing and OnPong are told of the peer's Pings, which are answered all the
	// same, and of its Pongs, those included that answer Ping and PingEvery. They run
	// on the reading goroutine, between messages or in the middle of one; payload is
	// valid until they return.
	OnPing, OnPong func(c *Conn, payload []byte)
	// AnswerPing, if set, says what the Pong that answers a Ping is to hold, before
	// it is sent. §5.5.3 wants it to be payload; nil, or more than 125 bytes, stand
	// for that. It runs where OnPing does.
	AnswerPing func(c *Conn, payload []byte) (pong []byte)

	// Observer is told what happens on the connection, and of handshakes that come to
	// nothing. nil: nobody is.
	Observer *Observer

	// Codec makes messages of values and values of messages, for WriteValue,
	// Decode and ReadValue. nil: JSON.
	Codec Codec
}

// withDefaults returns o with every limit as a plain number, where 0 now means
// that there is none.
func (o Options) withDefaults() Options {
	o.MaxMessage = limit(o.MaxMessage, DefaultMaxMessage)
	o.MaxFragments = limit(o.MaxFragments, DefaultMaxFragments)
	o.WriteTimeout = limit(o.WriteTimeout, DefaultWriteTimeout)
	o.CloseTimeout = limit(o.CloseTimeout, DefaultCloseTimeout)
	o.PingEvery = limit(o.PingEvery, DefaultPingEvery)
	o.PongWithin = limit(o.PongWithin, DefaultPongWithin)
	o.IdleTimeout = max(o.IdleTimeout, 0)
	return o
}

func limit[T int | int64 | time.Duration](set, standard T) T {
	switch {
	case set == 0:
		return standard
	case set < 0:
		return 0
	}
	return set
}

// Config is what New must be told beyond Options: the outcome of the opening
// handshake.
type Config struct {
	Options
	Role machine.Role
	// Subprotocol is the one agreed on, "" if none.
	Subprotocol string
	// Secure is what Conn.Secure returns.
	Secure bool
	// Deflate is what has been agreed on of permessage-deflate; nil: nothing, and
	// no message is compressed.
	Deflate *deflate.Params
	// Buffered are bytes that arrived with the peer's handshake and belong to
	// the connection. They are copied.
	Buffered []byte
	// LocalAddr and RemoteAddr are reported by the methods of the same name;
	// nil: asked of the stream, if it is a net.Conn.
	LocalAddr, RemoteAddr net.Addr
	// OnDone, if set, is called once, on its own, after the stream is closed.
	OnDone func(*Conn)
}
