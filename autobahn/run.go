package autobahn

import (
	"context"
	"net"
	"runtime"
	"sync"
	"time"

	"github.com/swan-ws/websocket/autobahn/internal/wire"
)

// A run is one case on one connection. A goroutine reads, another writes; all else
// happens in loop, one thing after the other, so that nothing needs a lock.
type run struct {
	c     *Case
	o     *Options
	conn  net.Conn
	out   *sender
	in    chan chunk
	gone  chan struct{} // closed when nobody takes chunks any more
	timer *time.Timer

	trace trace
	log   wirelog
	stats traffic

	phase     phase
	deadlines [deadlineKinds]time.Time
	mercies   int
	deaf      bool     // nothing is read
	awaiting  bool     // the answer to our Close
	waiting   []func() // what goes on when all is sent
	steps     []step   // that are still to be done
	pause     pause    // the one under way
	key       string   // nonce of our request
	ours      string   // our half of the opening handshake
	head      []byte   // of the opening handshake, as far as it has come
	request   head     // ours, or the client's
	fits      []fit    // the events with each list
	fitted    int      // how many
	agreed    agreement
	bits      int  // of the window that we compress with
	takeover  bool // which is kept
	reader    wire.Reader
	inflater  *wire.Decompressor
	deflater  *wire.Compressor
	mask      masker
	owed      uint64 // octets that the last frame's head announced and that are not sent
	series    *seriesRun
	keys      map[[4]byte]bool // of the peer's frames
	started   time.Time
	opened    time.Time
}

// chunk is what one read brought.
type chunk struct {
	octets []byte
	err    error
}

// phase is where a connection is.
type phase byte

const (
	opening phase = iota
	open
	closing
	closed // for us: TCP may still be there
)

func newRun(c *Case, o *Options, conn net.Conn, server bool) *run {
	r := &run{c: c, o: o, conn: conn, out: newSender(conn), in: make(chan chunk), gone: make(chan struct{}),
		log: newWirelog(), steps: c.steps, started: time.Now()}
	r.trace.isServer = server
	r.reader.FromClient = server
	r.reader.Limit = c.limit()
	if c.series != nil {
		r.series = newSeriesRun(c.series, o)
	}
	return r
}

// begin sends our half of the opening handshake and runs the case to its end. rest is
// what was read of the connection already.
func (r *run) begin(ctx context.Context, ours, rest []byte) {
	var both sync.WaitGroup
	both.Go(r.out.run)
	both.Go(r.read)
	r.timer = time.NewTimer(patience)
	defer r.timer.Stop()
	r.start(tooLong, r.c.most())
	r.sendOpening(ours)
	if len(rest) > 0 {
		r.fault(1002, "the client did not wait for the answer to its request (§4.1)")
		r.receive(rest)
	}
	r.loop(ctx)
	close(r.gone)
	r.out.finish(!r.trace.droppedByMe || !r.trace.isServer)
	r.awaitFlush(ctx)
	r.conn.Close()
	both.Wait()
}

// read passes on what comes, in two buffers by turns: the loop is done with one when
// it takes the other.
func (r *run) read() {
	var buffers [2][64 << 10]byte
	for i := 0; ; i = 1 - i {
		n, err := r.conn.Read(buffers[i][:])
		select {
		case r.in <- chunk{buffers[i][:n], err}:
		case <-r.gone:
			return
		}
		if err != nil {
			return
		}
	}
}

// loop is the life of a connection.
func (r *run) loop(ctx context.Context) {
	for r.phase != closed {
		r.setTimer()
		in := r.in
		if r.deaf {
			in = nil
		}
		select {
		case c := <-in:
			r.take(c)
		case <-r.timer.C:
			r.takeWaiting()
			r.overdue()
		case <-r.out.idle:
			if r.out.drained() {
				r.sent()
			}
		case <-ctx.Done():
			r.trace.notClean = "the suite was stopped"
			r.drop()
		}
	}
}

// takeWaiting takes what has come before time was up: if it has not been taken yet,
// it is this machine that is late, and not the peer.
func (r *run) takeWaiting() {
	const most = 8 // a peer that never pauses gets no more time
	for range most {
		if r.deaf {
			return
		}
		runtime.Gosched()
		select {
		case c := <-r.in:
			if r.take(c); r.phase == closed {
				return
			}
		default:
			return
		}
	}
}

func (r *run) take(c chunk) {
	if len(c.octets) > 0 {
		r.receive(c.octets)
	}
	if c.err != nil && r.phase != closed {
		r.lost()
	}
}

// lost is the end of TCP by the peer.
func (r *run) lost() {
	t := &r.trace
	if t.opening.kind == openingNone {
		r.refused()
	}
	if !t.wasClean && t.notClean == "" {
		t.notClean = "the peer ended TCP without a closing handshake"
	}
	r.phase = closed
}

// drop ends TCP.
func (r *run) drop() {
	r.trace.droppedByMe = true
	r.phase = closed
}

// awaitFlush gives what is queued the time to be written, which only matters if we
// end the connection.
func (r *run) awaitFlush(ctx context.Context) {
	late := time.NewTimer(flushTime)
	defer late.Stop()
	for !r.out.drained() {
		select {
		case <-r.out.idle:
		case <-late.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// finished looks whether all events are there, and begins to close if that is ours
// to do. It is not while what is there may still become another list.
func (r *run) finished() {
	if !r.c.end.byUs && !r.c.end.either || r.c.end.quiet || r.phase != open {
		return
	}
	r.fitEvents()
	complete := false
	for i := range r.fits {
		if r.fits[i].open() {
			return
		}
		complete = complete || r.fits[i].equal()
	}
	if complete {
		r.sendClose(normalClose, false)
	}
}

// fitEvents compares the events that are new with the lists. That a tested client is
// content with the handshake goes without saying until it shows.
func (r *run) fitEvents() {
	t := r.trace
	if r.fits == nil {
		silent := r.c.shake != nil && t.opening.kind == openingNone
		if silent {
			t.opening.kind = openingDone
		}
		received := t.received
		t.received = nil
		for _, w := range r.c.wants {
			f := t.fit(w)
			if silent {
				f.next(Event{Kind: Handshake, Data: "open"})
			}
			r.fits = append(r.fits, f)
		}
		t.received = received
	}
	for ; r.fitted < len(t.received); r.fitted++ {
		for i := range r.fits {
			r.fits[i].next(t.received[r.fitted])
		}
	}
}

// normalClose is the payload of a Close 1000.
var normalClose = []byte{1000 >> 8, 1000 & 0xff}
