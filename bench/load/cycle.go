package load

import (
	"bytes"
	"compress/flate"
	"fmt"
	"math/rand/v2"

	"github.com/swan-ws/websocket/bench"
	"github.com/swan-ws/websocket/frame"
)

// A cycle is the frames that a client sends, again and again, made before anything
// is measured.
type cycle struct {
	wire []byte // twice in a row, so that any flight of them is in one piece
	ends []int  // of each in the first half
}

// newCycle makes frames of messages of size bytes, enough for a flight. With
// takeover a message refers to those before it, whose bytes are the same in each
// round; the first refers to none.
func newCycle(size, flight int, d bench.Deflate) *cycle {
	count := max(flight, min(256, max(2, 1<<20/size)))
	random := rand.New(rand.NewPCG(7, 7))
	z := newZip(d)
	c := &cycle{}
	for range count {
		c.add(z.frame(frame.OpBinary, payload(random, size, d != bench.Off)))
	}
	c.wire = append(c.wire, c.wire...)
	return c
}

func (c *cycle) add(wire []byte) {
	c.wire = append(c.wire, wire...)
	c.ends = append(c.ends, len(c.wire))
}

// size returns the length of the cycle in bytes.
func (c *cycle) size() int { return c.ends[len(c.ends)-1] }

// payload returns size bytes: text like a feed's, if they are to be compressed, and
// noise otherwise.
func payload(random *rand.Rand, size int, feed bool) []byte {
	p := make([]byte, 0, size+256)
	for len(p) < size {
		if !feed {
			p = append(p, byte(random.Uint32()))
			continue
		}
		p = fmt.Appendf(p, `{"event":"%s","pair":"%s","bid":%d.%02d,"ask":%d.%02d,"volume":%d,"at":"2026-03-%02dT%02d:%02d:%02dZ"}`+"\n",
			[]string{"quote", "trade", "cancel"}[random.IntN(3)], []string{"SWAN/EUR", "DUCK/USD", "GOOSE/GBP"}[random.IntN(3)],
			100+random.IntN(20), random.IntN(100), 120+random.IntN(20), random.IntN(100), random.IntN(100000),
			1+random.IntN(28), random.IntN(24), random.IntN(60), random.IntN(60))
	}
	return p[:size]
}

// zip makes a client's frames, compressed or not.
type zip struct {
	d   bench.Deflate
	out bytes.Buffer
	w   *flate.Writer
}

func newZip(d bench.Deflate) *zip {
	z := &zip{d: d}
	if d != bench.Off {
		z.w, _ = flate.NewWriter(&z.out, flate.BestSpeed) // fails for levels only that there are not
	}
	return z
}

// tail is what a compressed message ends with and what is not sent of it (7692 §7.2.1).
const tail = "\x00\x00\xff\xff"

func (z *zip) frame(op frame.Opcode, p []byte) []byte {
	h := frame.Header{Fin: true, Opcode: op, Masked: true, Key: frame.NewKey()}
	if z.d != bench.Off && !op.IsControl() {
		z.out.Reset()
		if z.d == bench.NoTakeover {
			z.w.Reset(&z.out)
		}
		z.w.Write(p)
		z.w.Flush()
		h.RSV, p = frame.RSV1, bytes.TrimSuffix(z.out.Bytes(), []byte(tail))
	}
	h.Length = uint64(len(p))
	wire := h.Append(make([]byte, 0, h.Size()+len(p)))
	wire = append(wire, p...)
	frame.Mask(wire[len(wire)-len(p):], h.Key, 0)
	return wire
}
