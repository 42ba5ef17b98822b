package conn

// An EventStream is a stream that says when there may be something to read, so that
// nobody has to wait for it: what an event loop makes of a socket. Attach wants one.
// Its Read and Write wait all the same; they are used in closing, and for what
// TryWrite leaves.
type EventStream interface {
	stream
	// TryRead reads what there is into p, or returns 0 and nil if there is nothing.
	TryRead(p []byte) (n int, err error)
	// TryWrite writes as much of p as the peer takes at once. An error is left to
	// the next Write.
	TryWrite(p []byte) (n int)
	// WriteBoth is Write of two pieces, with one call if that can be. Neither is empty.
	WriteBoth(p, q []byte) (n int, err error)
	// OnReadable has f called whenever something comes that TryRead may return, an
	// error too: what has come before is read after this. f returns when there is
	// nothing left to do, and is called again even while it runs.
	OnReadable(f func())
}

// notReady is the error of a hasty read, and not final: as when a context has ended.
type notReady struct{}

func (notReady) Error() string { return "websocket: nothing to read now" }

// rawStream is what a socket can do beside waiting.
type rawStream interface {
	// read waits for bytes and returns a buffer, borrowed only then, with the first
	// n of them.
	read(burst bool) (b *buffer, n int, err error)
	// tryWrite writes as much of p as the socket takes at once. An error is left to
	// the next write to find.
	tryWrite(p []byte) (n int)
}

// tryWrite writes as much of p as goes without waiting: all of it, as a rule, if the
// stream is a socket. It is inlined: the way of a write must not be deep.
func (c *Conn) tryWrite(p []byte) int {
	if c.raw == nil {
		return 0
	}
	return c.raw.tryWrite(p)
}

// eventReader is a connection over an EventStream, for those who write, and for a reader
// that waits: Close, as a rule.
type eventReader Conn

func (r *eventReader) read(burst bool) (*buffer, int, error) {
	b := getReadBuffer(burst)
	n, err := r.eventStream.Read(b.b)
	if n == 0 {
		freeReadBuffer(b)
		b = nil
	}
	return b, n, err
}

func (r *eventReader) tryWrite(p []byte) int { return r.eventStream.TryWrite(p) }
