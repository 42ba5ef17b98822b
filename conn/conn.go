package conn

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/internal/instant"
)

// A Conn is a WebSocket connection after the opening handshake. Most of them wait most
// of the time: what waiting takes is here, and what only some need, or only at times,
// behind pointers.
type Conn struct {
	// What every message needs is together.
	raw         rawStream   // nil if the stream is no socket
	eventStream EventStream // stream, if it is one
	opt         *settled
	z           *compression // nil: not agreed on
	maxMessage  atomic.Int64
	in          inbox
	out         outbox
	flags       flags
	gathers     bool // the stream takes several buffers in one system call
	shut        bool // mu's
	alive       keepalive

	stream stream
	events atomic.Pointer[attached] // of Attach; nil: somebody reads
	watch  *watch                   // nil: no context has been
	onDone func(*Conn)

	mu     sync.Mutex // of shut and what follows
	err    error      // why the connection ended; the first reason stays
	*asked            // nil: nobody has
}

// flags are facts about a connection that anybody may look at.
type flags struct{ atomic.Uint32 }

const (
	closeSent = 1 << iota
	closeCame
	streamClosed
	atWork // Handle is at a message that is not lent any more
	away   // who reads for Attach is not who calls: nobody sees how long f takes
)

func (f *flags) has(which uint32) bool { return f.Load()&which != 0 }
func (f *flags) set(which uint32)      { f.Or(which) }
func (f *flags) clear(which uint32)    { f.And(^which) }

// New returns a connection over rwc, whose opening handshake is done, and owns
// rwc from now on. If rwc has no SetReadDeadline and SetWriteDeadline, reads that
// would block run on a goroutine of their own, so that they too can be given up.
func New(rwc io.ReadWriteCloser, cfg Config) *Conn {
	opt := settle(&cfg)
	c := &Conn{
		stream: asStream(rwc),
		opt:    opt,
		onDone: cfg.OnDone,
		alive:  keepalive{start: instant.Now()},
		out:    outbox{m: machine.NewSender(machine.Config{Role: cfg.Role})},
		z:      newCompression(cfg.Role, opt.Compression, cfg.Deflate),
	}
	switch s := rwc.(type) {
	case EventStream:
		c.eventStream, c.raw, c.gathers = s, (*eventReader)(c), true
	case *net.TCPConn, *net.UnixConn:
		c.raw, c.gathers = newRawReader(rwc.(syscall.Conn)), true
	}
	if cfg.LocalAddr != nil || cfg.RemoteAddr != nil {
		c.asked = &asked{local: cfg.LocalAddr, remote: cfg.RemoteAddr}
	}
	c.maxMessage.Store(opt.MaxMessage)
	if len(cfg.Buffered) > 0 {
		c.beginReading()
		c.in.start(cfg.Buffered)
	}
	c.tellOpened()
	c.startKeepalive()
	return c
}

// Subprotocol returns the subprotocol agreed on, "" if none.
func (c *Conn) Subprotocol() string { return c.opt.subprotocol }

// Secure reports whether the connection is over TLS, as the handshake was: a wss
// URL, or a server's own TLS. A proxy before the server that ends TLS is not seen.
func (c *Conn) Secure() bool { return c.opt.secure }

// Role returns which side of the connection this is.
func (c *Conn) Role() machine.Role { return c.opt.role }

// SetMaxMessage changes Options.MaxMessage for the messages that begin after it,
// for example once a user has logged in: 0 is DefaultMaxMessage, a negative
// number no limit.
func (c *Conn) SetMaxMessage(n int64) { c.maxMessage.Store(limit(n, DefaultMaxMessage)) }

// A Phase is how far a connection is in its life (§4.1, §7.1.3, §7.1.4).
type Phase uint8

// The phases. There is none for the opening handshake: a Conn begins open.
const (
	Open    Phase = iota
	Closing       // one side has sent its Close frame, or the connection is lost
	Closed        // the stream is closed
)

// String returns "open", "closing" or "closed".
func (p Phase) String() string {
	switch p {
	case Open:
		return "open"
	case Closing:
		return "closing"
	}
	return "closed"
}

// Phase returns how far the connection is.
func (c *Conn) Phase() Phase {
	switch {
	case c.flags.has(streamClosed):
		return Closed
	case c.flags.has(closeSent | closeCame), c.Err() != nil:
		return Closing
	}
	return Open
}

// Err returns why the connection ended, as the reads and writes do that fail for
// it: a *CloseError, or an error in which errors.As finds a
// *frame.ProtocolError. It is nil while the connection is Open.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// end records why the connection ends and returns the reason that stands: the
// first one.
func (c *Conn) end(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
	return c.err
}

// closeStream ends the connection at once, for the reason that end has been told;
// the second call does nothing.
func (c *Conn) closeStream() {
	c.mu.Lock()
	if c.shut {
		c.mu.Unlock()
		return
	}
	c.shut = true
	reason, watch := c.err, c.watch
	c.mu.Unlock()
	c.stream.Close()
	c.alive.stop()
	watch.release()
	c.out.stop()
	c.tellEnded(reason)
	c.setClosed()
	if events := c.events.Load(); events != nil {
		events.streamClosed()
	}
	if c.onDone != nil {
		c.onDone(c)
	}
}
