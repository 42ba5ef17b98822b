package deflate

import (
	"cmp"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
)

// tail is what a flush ends with, and what is not sent (§7.2.1).
const tail = "\x00\x00\xff\xff"

// A Compressor deflates the messages of one direction. Between messages it holds
// the window that takeover needs, and nothing without it. Not for use by two
// goroutines at once.
type Compressor struct {
	level    int
	bits     int
	takeover bool
	window   []byte // the last 1<<bits bytes that the peer has inflated
}

// NewCompressor returns a Compressor for windows of 1<<bits bytes, 8 to 15. A level
// of 0 is DefaultLevel.
func NewCompressor(level, bits int, takeover bool) Compressor {
	level = cmp.Or(level, DefaultLevel)
	return Compressor{level: level, bits: bits, takeover: takeover}
}

// Takeover reports whether messages depend on those before them, so that they
// must be compressed in the order in which they are sent.
func (c *Compressor) Takeover() bool { return c.takeover }

// WindowBits returns the size of the window, as a power of two.
func (c *Compressor) WindowBits() int { return c.bits }

const (
	// matchless is the length below which a flate.Writer looks for no matches.
	matchless = 128
	// leastPriming is how much of the window a compressor is made to know for a
	// short message, and primingRatio for a long one, in its length. It costs as
	// much as compressing that: all of 32 KiB is many times a message, and what
	// is alike is mostly close by.
	leastPriming = 4 << 10
	primingRatio = 4
)

// Append appends p to dst as the payload of a compressed message, and reports
// whether that is worth sending: it is shorter than p, or with takeover a few
// bytes longer, but messages like it will be shorter for it. If it is not, dst is
// returned, with more room perhaps: send p as it is. p is only read.
func (c *Compressor) Append(dst, p []byte) (_ []byte, ok bool) {
	var out []byte
	if c.takeover && 0 < len(p) && len(p) < matchless {
		reach := min(1<<c.bits, shortReach) - matchless // and p itself is to be in it
		out = appendShort(dst, c.window[max(0, len(c.window)-reach):], p)
	} else {
		w := c.begin(dst, max(leastPriming, primingRatio*len(p)))
		w.flate.Write(p)
		out = w.End()
	}
	most := len(p) - 1
	if c.takeover && 16 <= len(p) && len(p) <= 256 {
		most = len(p) + 16
	}
	if len(out)-len(dst) > most {
		return out[:len(dst)], false // which has grown for the next
	}
	c.Sent(p)
	return out, true
}

// Sent tells that p has been sent as a compressed message that another Compressor,
// without takeover and with no larger a window, has made: it is in the peer's
// window now.
func (c *Compressor) Sent(p []byte) {
	if c.takeover {
		c.window = slide(c.window, p, 1<<c.bits)
	}
}

// slide appends p to the window, of which the last size bytes are kept, in memory
// of no more than that.
func slide(window, p []byte, size int) []byte {
	p = p[max(0, len(p)-size):]
	if over := len(window) + len(p) - size; over > 0 {
		window = window[:copy(window, window[over:])]
	}
	if need := len(window) + len(p); need > cap(window) {
		grown := make([]byte, len(window), min(max(need, 2*cap(window)), size))
		copy(grown, window)
		window = grown
	}
	return append(window, p...)
}

// A Writer deflates one message in pieces. It must be ended before the next
// message of its Compressor begins.
type Writer struct {
	c     *Compressor
	out   []byte
	flate *flate.Writer
}

// Begin starts a message that is written in pieces. What it becomes is put into dst, from
// its start, as long as there is room.
func (c *Compressor) Begin(dst []byte) *Writer { return c.begin(dst[:0], len(c.window)) }

// begin primes a compressor with so much of the window.
func (c *Compressor) begin(dst []byte, priming int) *Writer {
	w := writers.Get().(*Writer)
	w.c, w.out, w.flate = c, dst, getFlate(c.level, c.bits)
	known := c.window[max(0, len(c.window)-priming):]
	w.flate.ResetDict((*sink)(w), known) // also forgets who used it last
	return w
}

// Write deflates p, of which nothing is kept but in the window.
func (w *Writer) Write(p []byte) {
	w.flate.Write(p)
	w.c.Sent(p)
}

// Take returns what can be sent of the message by now. It is valid until the next Write
// or End.
func (w *Writer) Take() []byte {
	out := w.out
	w.out = out[:0]
	return out
}

// End returns the rest of the message, which is the caller's. The Writer is not to be used
// any more.
func (w *Writer) End() []byte {
	w.flate.Flush()
	out := w.out[:len(w.out)-len(tail)]
	putFlate(w.c.level, w.c.bits, w.flate)
	*w = Writer{}
	writers.Put(w)
	return out
}

var writers = sync.Pool{New: func() any { return new(Writer) }}

// sink is a Writer as its flate.Writer sees it.
type sink Writer

func (s *sink) Write(p []byte) (int, error) {
	s.out = append(s.out, p...)
	return len(p), nil
}

// flates are pools by level for the full window, by window for smaller ones.
var (
	byLevel [10]sync.Pool
	byBits  [MaxWindowBits]sync.Pool
)

func flatePool(level, bits int) *sync.Pool {
	if bits < MaxWindowBits {
		return &byBits[bits]
	}
	return &byLevel[level]
}

func getFlate(level, bits int) *flate.Writer {
	if f, ok := flatePool(level, bits).Get().(*flate.Writer); ok {
		return f
	}
	var f *flate.Writer
	var err error
	if bits < MaxWindowBits {
		f, err = flate.NewWriterWindow(io.Discard, 1<<bits)
	} else {
		f, err = flate.NewWriter(io.Discard, level)
	}
	if err != nil {
		panic("deflate: " + err.Error()) // level and bits have been checked
	}
	return f
}

func putFlate(level, bits int, f *flate.Writer) { flatePool(level, bits).Put(f) }
