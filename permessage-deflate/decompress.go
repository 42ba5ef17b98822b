package deflate

import (
	"errors"
	"math"
	"sync"
)

// Errors of a message that cannot be inflated.
var (
	ErrTooBig  = errors.New("inflated message too big")
	ErrCorrupt = errors.New("compressed message is corrupt")
)

// A Decompressor inflates the messages of one direction. Between messages it
// holds the window that takeover needs, and nothing without it; within one also an
// inflater from a pool, of about 72 KiB. Not for use by two goroutines at once.
type Decompressor struct {
	bits     int
	takeover bool
	window   []byte
	f        *inflater // of the message in progress, or of what was given out last
	inside   bool      // a message is in progress
	owed     []byte    // what its payload is given back, as far as it has not been yet
}

// NewDecompressor returns a Decompressor for windows of 1<<bits bytes, 8 to 15.
func NewDecompressor(bits int, takeover bool) Decompressor {
	return Decompressor{bits: bits, takeover: takeover}
}

var tailBytes = []byte(tail) // only read

var inflaters = sync.Pool{New: func() any { return new(inflater) }}

// Step goes on with a message, or begins the next. in is payload that has come, cut
// anywhere, and last says that nothing is behind it. Step returns how much of in it
// has used and what came of it, at most bytes at a time; piece is d's own until the
// next Step or Free. The message is over when it is done. If it is not and nothing
// came, there must be more payload. The error is ErrCorrupt; then the connection
// must be failed.
func (d *Decompressor) Step(in []byte, last bool, most int64) (used int, piece []byte, done bool, err error) {
	if !d.inside {
		d.begin()
	}
	f := d.f
	f.slide()
	end := f.w + int(min(int64(len(f.buf)-f.w), most))
	used, sound := f.inflate(in, end)
	if sound && last && used == len(in) && f.w < end {
		done, sound = d.end(end)
	}
	if !sound {
		return used, nil, false, ErrCorrupt
	}
	if done {
		d.inside = false
		if d.takeover {
			d.window = slide(d.window[:0], f.buf[:f.w], 1<<d.bits)
		}
	}
	return used, f.buf[f.r:f.w], done, nil
}

func (d *Decompressor) begin() {
	if d.f == nil {
		d.f = inflaters.Get().(*inflater)
	}
	d.f.start(d.window)
	d.inside, d.owed = true, tailBytes
}

// end goes on when all the payload has been used. A message that ends with a block
// which says that it is the last is over: it may lack the empty one that is to
// follow (§7.2.3.4).
func (d *Decompressor) end(end int) (done, sound bool) {
	f := d.f
	if f.final && f.atEnd() && len(d.owed) == len(tail) {
		return true, true
	}
	n, sound := f.inflate(d.owed, end)
	d.owed = d.owed[n:]
	if !sound || f.w == end {
		return false, sound
	}
	return f.atEnd(), f.atEnd()
}

// Free gives the inflater back, and with it the last piece. Call it when a message
// has been dealt with; the next Step would only reuse the inflater, but a connection
// that waits for a message should hold none. A message in progress is lost.
func (d *Decompressor) Free() {
	if d.f != nil {
		inflaters.Put(d.f)
		d.f, d.inside = nil, false
	}
}

// Append inflates a message whose whole payload is p and appends it to dst, limit
// bytes at the most; 0 is no limit. It returns ErrTooBig as soon as there is one
// byte more, and ErrCorrupt for what cannot be inflated. p is only read. After an
// error the connection must be failed.
func (d *Decompressor) Append(dst, p []byte, limit int64) ([]byte, error) {
	defer d.Free()
	if limit <= 0 || limit == math.MaxInt64 {
		limit = math.MaxInt64 - 1
	}
	for left := limit; ; {
		n, piece, done, err := d.Step(p, true, left+1)
		if err != nil {
			return dst, err
		}
		p = p[n:]
		big := int64(len(piece)) > left
		if big {
			piece = piece[:left]
		}
		left -= int64(len(piece))
		dst = appendWithin(dst, piece, left)
		if big {
			return dst, ErrTooBig
		}
		if done {
			return dst, nil
		}
	}
}

// appendWithin is append for a slice of which at most left bytes more will be
// needed after that.
func appendWithin(dst, p []byte, left int64) []byte {
	if need := len(dst) + len(p); need > cap(dst) {
		more := int64(len(dst))
		if left < 2*more {
			more = left // rather than grow again for so little
		}
		dst = append(make([]byte, 0, int64(need)+more), dst...)
	}
	return append(dst, p...)
}
