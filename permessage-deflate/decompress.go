package deflate

import (
	"compress/flate" // its state is all forgotten in Reset
	"errors"
	"io"
	"math"
	"slices"
	"sync"
)

// Errors of a message that cannot be inflated.
var (
	ErrTooBig  = errors.New("inflated message too big")
	ErrCorrupt = errors.New("compressed message is corrupt")
)

// maxRestarts is how many blocks of a message may claim to be the last (BFINAL),
// which §7.2.3.4 allows: each costs a new start with the whole window.
const maxRestarts = 64

// ending is what a message is given back (§7.2.2), and an empty last block, so
// that the inflater knows that it is over.
const ending = tail + "\x01\x00\x00\xff\xff"

// A Decompressor inflates the messages of one direction. Between messages it
// holds the window that takeover needs, and nothing without it. Not for use by
// two goroutines at once.
type Decompressor struct {
	bits     int
	takeover bool
	window   []byte
}

// NewDecompressor returns a Decompressor for windows of 1<<bits bytes, 8 to 15.
func NewDecompressor(bits int, takeover bool) Decompressor {
	return Decompressor{bits: bits, takeover: takeover}
}

// Append inflates the payload p of a compressed message and appends it to dst,
// limit bytes at the most; 0 is no limit. It returns ErrTooBig as soon as there is
// one byte more, and ErrCorrupt for what cannot be inflated. p is only read. After
// an error the connection must be failed.
func (d *Decompressor) Append(dst, p []byte, limit int64) ([]byte, error) {
	in := readers.Get().(*reader)
	defer in.free()
	in.data, in.pos = p, 0
	start := len(dst)
	dict := d.window
	for restarts := 0; ; restarts++ {
		if restarts > maxRestarts {
			return dst, ErrCorrupt
		}
		in.f.(flate.Resetter).Reset(in, dict)
		var err error
		if dst, err = in.inflate(dst, start, limit); err != nil {
			return dst, err
		}
		if in.pos >= len(p) {
			break
		}
		// A block of the message's own said that it is the last (§7.2.3.4): what
		// follows starts at the next byte, with the same window.
		dict = lastBytes(d.window, dst[start:])
	}
	if d.takeover {
		d.window = slide(d.window, dst[start:], 1<<d.bits)
	}
	return dst, nil
}

// lastBytes returns the last 32 KiB of a and b together.
func lastBytes(a, b []byte) []byte {
	const most = 1 << MaxWindowBits
	if len(b) >= most {
		return b[len(b)-most:]
	}
	a = a[max(0, len(a)+len(b)-most):]
	return slices.Concat(a, b)
}

// reader is an inflater and its input: a message and the ending behind it.
type reader struct {
	data []byte
	pos  int
	f    io.ReadCloser
}

var readers = sync.Pool{New: func() any {
	in := new(reader)
	in.f = flate.NewReader(in)
	return in
}}

func (in *reader) free() {
	in.data = nil
	in.f.(flate.Resetter).Reset(in, nil) // it must not keep a dictionary
	readers.Put(in)
}

// inflate reads to the end of a last block. The room grows with what has come,
// and beyond the limit there is room for one byte, which shows that it is passed.
func (in *reader) inflate(dst []byte, start int, limit int64) ([]byte, error) {
	if limit <= 0 || limit == math.MaxInt64 {
		limit = math.MaxInt64 - 1
	}
	for {
		came := len(dst) - start
		left := limit + 1 - int64(came)
		if len(dst) == cap(dst) {
			more := int64(max(512, came))
			if left < more+512 {
				more = left // rather than grow again for so little
			}
			dst = append(make([]byte, 0, int64(len(dst))+more), dst...)
		}
		room := dst[len(dst):cap(dst)]
		n, err := in.f.Read(room[:min(int64(len(room)), left)])
		dst = dst[:len(dst)+n]
		switch {
		case int64(n) == left:
			return dst[:len(dst)-1], ErrTooBig
		case err == io.EOF:
			return dst, nil
		case err != nil:
			return dst, ErrCorrupt
		}
	}
}

// ReadByte makes the inflater take no more than it needs.
func (in *reader) ReadByte() (byte, error) {
	i := in.pos
	in.pos++
	if i < len(in.data) {
		return in.data[i], nil
	}
	if i -= len(in.data); i < len(ending) {
		return ending[i], nil
	}
	in.pos--
	return 0, io.EOF
}

// Read is io.Reader's, for stored blocks.
func (in *reader) Read(p []byte) (int, error) {
	if in.pos < len(in.data) {
		n := copy(p, in.data[in.pos:])
		in.pos += n
		return n, nil
	}
	if i := in.pos - len(in.data); i < len(ending) {
		n := copy(p, ending[i:])
		in.pos += n
		return n, nil
	}
	return 0, io.EOF
}
