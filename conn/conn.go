package conn

import (
	"context"
	"crypto/rand"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/swan-ws/websocket/conn/machine"
)

// A Conn is a WebSocket connection after the opening handshake.
type Conn struct {
	stream stream
	opt    Options
	cfg    settled
	m      machine.Endpoint // its reading half is in's, its writing half is out's

	raw     rawStream                // nil if the stream is no socket
	events  atomic.Pointer[attached] // of Attach; nil: somebody reads
	gathers bool                     // the stream takes several buffers in one system call

	z     *compression // nil: not agreed on
	in    inbox
	out   outbox
	watch watch
	alive keepalive
	pings pings

	maxMessage atomic.Int64
	closeSent  atomic.Bool
	closeCame  atomic.Bool
	handling   atomic.Bool   // Handle is at a message that is not lent any more
	closeBy    time.Time     // when closing must be over; out.mu's
	done       chan struct{} // closed with the stream

	mu     sync.Mutex // of what follows
	err    error      // why the connection ended; the first reason stays
	shut   bool
	ctx    context.Context // made at the first Context
	cancel context.CancelFunc
	id     string
	values map[any]any
}

// New returns a connection over rwc, whose opening handshake is done, and owns
// rwc from now on. If rwc has no SetReadDeadline and SetWriteDeadline, reads that
// would block run on a goroutine of their own, so that they too can be given up.
func New(rwc io.ReadWriteCloser, cfg Config) *Conn {
	opt := cfg.Options.withDefaults()
	c := &Conn{
		stream: asStream(rwc),
		raw:    newRawStream(rwc),
		opt:    opt,
		cfg:    settled{cfg.Role, cfg.Secure, cfg.Subprotocol, cfg.LocalAddr, cfg.RemoteAddr, cfg.OnDone},
		m: machine.New(machine.Config{
			Role:         cfg.Role,
			MaxMessage:   uint64(opt.MaxMessage),
			MaxFragments: opt.MaxFragments,
			Deflate:      cfg.Deflate != nil,
		}),
		z:    newCompression(cfg.Role, opt.Compression, cfg.Deflate),
		done: make(chan struct{}),
	}
	switch rwc.(type) {
	case *net.TCPConn, *net.UnixConn, EventStream:
		c.gathers = true
	}
	if nc, ok := rwc.(net.Conn); ok {
		if c.cfg.LocalAddr == nil {
			c.cfg.LocalAddr = nc.LocalAddr()
		}
		if c.cfg.RemoteAddr == nil {
			c.cfg.RemoteAddr = nc.RemoteAddr()
		}
	}
	c.maxMessage.Store(opt.MaxMessage)
	c.in.start(cfg.Buffered)
	c.tellOpened()
	c.startKeepalive()
	return c
}

// Subprotocol returns the subprotocol agreed on, "" if none.
func (c *Conn) Subprotocol() string { return c.cfg.Subprotocol }

// Secure reports whether the connection is over TLS, as the handshake was: a wss
// URL, or a server's own TLS. A proxy before the server that ends TLS is not seen.
func (c *Conn) Secure() bool { return c.cfg.Secure }

// Role returns which side of the connection this is.
func (c *Conn) Role() machine.Role { return c.cfg.Role }

// LocalAddr returns this side's address, nil if the stream has none.
func (c *Conn) LocalAddr() net.Addr { return c.cfg.LocalAddr }

// RemoteAddr returns the peer's address, nil if the stream has none.
func (c *Conn) RemoteAddr() net.Addr { return c.cfg.RemoteAddr }

// SetMaxMessage changes Options.MaxMessage for the messages that begin after it,
// for example once a user has logged in: 0 is DefaultMaxMessage, a negative
// number no limit.
func (c *Conn) SetMaxMessage(n int64) { c.maxMessage.Store(limit(n, DefaultMaxMessage)) }

// ID returns a name for the connection that nobody can guess: 26 letters and
// digits with 128 bits of chance, made at the first call.
func (c *Conn) ID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.id == "" {
		c.id = rand.Text()
	}
	return c.id
}

// Set keeps value under key for as long as the connection is referenced. As with
// context.WithValue, key should be of a type of your own.
func (c *Conn) Set(key, value any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.values == nil {
		c.values = make(map[any]any)
	}
	c.values[key] = value
}

// Value returns what was Set under key, nil if nothing was.
func (c *Conn) Value(key any) any {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.values[key]
}

// A Phase is how far a connection is in its life (§4.1, §7.1.3, §7.1.4).
type Phase uint8

// The phases. There is none for the opening handshake: a Conn begins open.
const (
	Open    Phase = iota
	Closing       // one side has sent its Close frame
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
	select {
	case <-c.done:
		return Closed
	default:
	}
	if c.closeSent.Load() || c.closeCame.Load() {
		return Closing
	}
	return Open
}

// Context returns a context that ends when the connection is Closed, for what is
// done on its behalf: queries, writes from callbacks and goroutines.
func (c *Conn) Context() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx == nil {
		c.ctx, c.cancel = context.WithCancel(context.Background())
		if c.shut {
			c.cancel()
		}
	}
	return c.ctx
}

// Done returns a channel that is closed when the connection is Closed.
func (c *Conn) Done() <-chan struct{} { return c.done }

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
	reason, cancel := c.err, c.cancel
	c.mu.Unlock()
	c.stream.Close()
	c.alive.stop()
	c.watch.release(c)
	c.out.stop(reason)
	c.tellEnded(reason)
	close(c.done)
	if cancel != nil {
		cancel()
	}
	if events := c.events.Load(); events != nil {
		go events.ready() // which ends it, if nobody is at it
	}
	if c.cfg.OnDone != nil {
		c.cfg.OnDone(c)
	}
}
