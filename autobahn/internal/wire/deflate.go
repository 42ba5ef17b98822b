package wire

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
)

// level is that of the original suite's compressor.
const level = 6

// windowSize is the largest window, of 15 bits.
const windowSize = 1 << 15

// tail is what a message leaves out at its end (7692 §7.2.1).
var tail = []byte{0, 0, 0xff, 0xff}

// A Compressor compresses messages one after the other (7692 §7.2.1).
type Compressor struct {
	takeover bool
	w        *flate.Writer     // for a window of 15 bits
	narrow   *narrowCompressor // for a smaller one
	out      bytes.Buffer
}

// NewCompressor returns a compressor with a window of so many bits, 8 to 15, which it
// keeps from message to message if there is context takeover.
func NewCompressor(bits int, takeover bool) *Compressor {
	c := &Compressor{takeover: takeover}
	if bits < 15 {
		c.narrow = &narrowCompressor{window: 1 << bits}
		return c
	}
	c.w, _ = flate.NewWriter(&c.out, level) // which is a good one
	return c
}

// Compress compresses a message. The result is valid until the next call.
func (c *Compressor) Compress(message io.WriterTo) []byte {
	c.out.Reset()
	if c.narrow != nil {
		message.WriteTo(&c.out) // which cannot fail
		return c.narrow.compress(c.out.Bytes(), c.takeover)
	}
	if !c.takeover {
		c.w.Reset(&c.out)
	}
	message.WriteTo(c.w)
	c.w.Flush()
	return bytes.TrimSuffix(c.out.Bytes(), tail)
}

// A Decompressor inflates messages one after the other (7692 §7.2.2).
type Decompressor struct {
	Bits     int  // the peer's window
	Takeover bool // which it keeps from message to message
	Strict   bool // references beyond the window are an error
	Limit    int  // of an inflated message

	r      io.ReadCloser // of flate
	window []byte        // what came before; more than is needed
	out    bytes.Buffer
}

// Decompress inflates a message. The result is valid until the next call.
func (d *Decompressor) Decompress(p []byte) ([]byte, error) {
	if len(p) == 0 {
		return nil, errors.New("a compressed message has no octets, but even the empty one has one (7692 §7.2.3.6)")
	}
	inflate := d.fast
	if d.Strict {
		inflate = d.strict
	}
	plain, err := inflate(append(bytes.Clone(p), tail...))
	if err != nil {
		return nil, err
	}
	d.Remember(plain)
	return plain, nil
}

func (d *Decompressor) strict(p []byte) ([]byte, error) {
	plain, err := inflate(bytes.Clone(d.history()), p, 1<<d.Bits, d.Limit)
	return plain[len(d.history()):], err
}

func (d *Decompressor) fast(p []byte) ([]byte, error) {
	in := io.MultiReader(bytes.NewReader(p), bytes.NewReader([]byte{1, 0, 0, 0xff, 0xff})) // an empty block that is the last
	if d.r == nil {
		d.r = flate.NewReaderDict(in, d.history())
	} else if err := d.r.(flate.Resetter).Reset(in, d.history()); err != nil {
		return nil, err
	}
	d.out.Reset()
	n, err := io.Copy(&d.out, io.LimitReader(d.r, int64(d.Limit)+1))
	switch {
	case n > int64(d.Limit):
		return nil, errTooLarge
	case err != nil:
		return nil, fmt.Errorf("the compressed data is damaged: %w", err)
	}
	return d.out.Bytes(), nil
}

// Remember takes note of a message that the peer compressed, and that was not
// inflated because it is known already.
func (d *Decompressor) Remember(plain []byte) {
	if !d.Takeover {
		return
	}
	if len(plain) >= windowSize {
		d.window = append(d.window[:0], plain[len(plain)-windowSize:]...)
		return
	}
	if len(d.window)+len(plain) > 4*windowSize {
		d.window = append(d.window[:0], d.history()...)
	}
	d.window = append(d.window, plain...)
}

// history returns what came before, as much as references can reach.
func (d *Decompressor) history() []byte { return d.window[max(0, len(d.window)-windowSize):] }
