package conn

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/swan-ws/websocket/frame"
)

// NetConn makes c a net.Conn, for protocols that want a stream: each Write sends
// one message of type t, and Read gives out the payloads of messages of that type
// one after the other, as if they were one. A message of the other type closes
// the connection with 1003.
//
// Read returns io.EOF when the peer closes with 1000 or 1001. Deadlines that pass
// leave the connection usable, as far as c itself does. Close is c.Close with
// 1000. Do not use c's own reads at the same time.
func NetConn(c *Conn, t MessageType) net.Conn {
	return &netConn{c: c, t: t, read: newDeadline(), write: newDeadline()}
}

type netConn struct {
	c           *Conn
	t           MessageType
	read, write *deadline

	mu     sync.Mutex    // one reader at a time
	r      messageReader // of the message being read
	inside bool          // there is one
}

func (n *netConn) Read(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	ctx := n.read.context()
	for {
		if err := n.begin(ctx); err != nil {
			return 0, n.asNet(err)
		}
		n.r.ctx = ctx
		got, err := n.r.Read(p)
		if err == io.EOF {
			n.inside = false
			if got == 0 && len(p) > 0 {
				continue
			}
			err = nil
		}
		return got, n.asNet(err)
	}
}

// begin makes sure that there is a message to read from.
func (n *netConn) begin(ctx context.Context) error {
	if n.inside {
		return nil
	}
	t, err := n.c.beginReader(ctx, &n.r)
	if err != nil {
		return err
	}
	if t != n.t {
		n.c.Close(frame.CloseUnsupportedData, "only "+n.t.String()+" messages here")
		return n.c.Err()
	}
	n.inside = true
	return nil
}

func (n *netConn) Write(p []byte) (int, error) {
	if err := n.c.Write(n.write.context(), n.t, p); err != nil {
		return 0, n.asNet(err)
	}
	return len(p), nil
}

// asNet turns a connection's error into what users of a net.Conn look for.
func (n *netConn) asNet(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return os.ErrDeadlineExceeded
	}
	if e, ok := errors.AsType[*CloseError](err); ok && e.Remote && (e.Code == frame.CloseNormal || e.Code == frame.CloseGoingAway) {
		return io.EOF
	}
	return err
}

func (n *netConn) Close() error         { return n.c.Close(frame.CloseNormal, "") }
func (n *netConn) LocalAddr() net.Addr  { return addrOr(n.c.LocalAddr()) }
func (n *netConn) RemoteAddr() net.Addr { return addrOr(n.c.RemoteAddr()) }

func (n *netConn) SetDeadline(t time.Time) error {
	n.read.set(t)
	n.write.set(t)
	return nil
}

func (n *netConn) SetReadDeadline(t time.Time) error  { n.read.set(t); return nil }
func (n *netConn) SetWriteDeadline(t time.Time) error { n.write.set(t); return nil }

// deadline is a context whose end can be moved while it is waited for.
type deadline struct {
	mu     sync.Mutex
	ctx    context.Context
	cancel context.CancelFunc
	timer  *time.Timer
	dated  context.Context // ctx, which knows its end
}

// dated tells a write when it must be done: a stream that is stuck in one looks
// at no Done.
type dated struct {
	context.Context
	end time.Time
}

func (d dated) Deadline() (time.Time, bool) { return d.end, true }

func newDeadline() *deadline {
	d := new(deadline)
	d.ctx, d.cancel = context.WithCancel(context.Background())
	d.dated = d.ctx
	return d
}

func (d *deadline) context() context.Context {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dated
}

func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil && !d.timer.Stop() {
		d.cancel() // it is about to, and must not meet the context that follows
	}
	d.timer = nil
	if d.ctx.Err() != nil {
		d.ctx, d.cancel = context.WithCancel(context.Background())
	}
	d.dated = d.ctx
	if !t.IsZero() {
		d.dated = dated{d.ctx, t}
	}
	switch left := time.Until(t); {
	case t.IsZero():
	case left <= 0:
		d.cancel()
	default:
		d.timer = time.AfterFunc(left, d.cancel)
	}
}

type noAddr struct{}

func (noAddr) Network() string { return "websocket" }
func (noAddr) String() string  { return "websocket" }

// addrOr is for streams without an address: a net.Conn must have one.
func addrOr(a net.Addr) net.Addr {
	if a == nil {
		return noAddr{}
	}
	return a
}
