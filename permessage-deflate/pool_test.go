package deflate

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
)

// bitWriter makes blocks that no compressor would.
type bitWriter struct {
	out  []byte
	bits int
}

func (w *bitWriter) bit(b int) {
	if w.bits%8 == 0 {
		w.out = append(w.out, 0)
	}
	w.out[len(w.out)-1] |= byte(b&1) << (w.bits % 8)
	w.bits++
}

// number is written from its least significant bit, a code from its most.
func (w *bitWriter) number(v, n int) {
	for i := range n {
		w.bit(v >> i)
	}
}

func (w *bitWriter) code(s string) {
	for _, c := range s {
		w.bit(int(c))
	}
}

// distanceWithoutCode is a message of a block that refers to what came before,
// and has no code for how far.
func distanceWithoutCode() []byte {
	const zero, one, two, zeros = "00", "01", "10", "11" // the code of code lengths
	w := new(bitWriter)
	w.number(0b10<<1, 3) // dynamic
	w.number(1, 5)       // 258 literals and lengths
	w.number(0, 5)       // 1 distance
	w.number(18-4, 4)
	for _, symbol := range []int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1} {
		w.number(map[int]int{18: 2, 0: 2, 1: 2, 2: 2}[symbol], 3)
	}
	for _, run := range []struct {
		n      int
		length string
	}{{97, one}, {138, ""}, {20, two + two}} { // a, end of block, a length of 3
		w.code(zeros)
		w.number(run.n-11, 7)
		w.code(run.length)
	}
	w.code(zero) // no distance has a code
	for range 5000 {
		w.code("0") // a
	}
	w.code("11")
	for range 32 {
		w.code("0") // whatever somebody takes it for
	}
	w.code("10")
	w.number(0, 3) // the empty stored block
	return w.out
}

// Inflaters are shared by all connections. What one has received must not change
// what another's messages mean.
func TestDecompressor_OfOtherConnections_LeavesNoCodesBehind(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 15))
	z := distanceWithoutCode()
	if got, err := (&strict{size: 1 << 15}).inflate(z); err == nil {
		t.Fatalf("%d bytes", len(got))
	}
	for range 100 {
		other, d := NewDecompressor(15, false), NewDecompressor(15, false)
		if _, err := other.Append(nil, byStandard(t, 9, sample(r, kinds[r.IntN(len(kinds))], 5000)), 0); err != nil {
			t.Fatal(err)
		}
		if got, err := d.Append(nil, z, 0); err != ErrCorrupt {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
	}
}

// Nor does the window of one.
func TestCompressor_OfOtherConnections_LeavesNoWindowBehind(t *testing.T) {
	r := rand.New(rand.NewPCG(16, 16))
	for _, s := range settings() {
		if s.takeover {
			continue
		}
		a, b := NewCompressor(s.level, s.bits, true), s.compressor()
		for range fewer(20) {
			p := sample(r, "json", 200+r.IntN(1<<s.bits))
			a.Append(nil, p)
			a.Append(nil, p) // by reference to the first
			w := a.Begin(nil)
			w.Write(p)
			w.End()
			z, _ := b.Append(nil, p)
			got, err := (&strict{size: 1 << s.bits}).inflate(z)
			if err != nil || !bytes.Equal(got, p) {
				t.Fatalf("%v: %v, %d bytes of %d", s, err, len(got), len(p))
			}
		}
	}
}

func TestDecompressor_OfOtherConnections_LeavesNoWindowBehind(t *testing.T) {
	hello := unhex(t, "f200110000") // of which the most is in the message before
	for range 100 {
		a, b := NewDecompressor(15, true), NewDecompressor(15, false)
		a.Append(nil, byStandard(t, 1, []byte("Hello")), 0)
		if got, err := a.Append(nil, hello, 0); string(got) != "Hello" || err != nil {
			t.Fatalf("%q, %v", got, err)
		}
		if got, err := b.Append(nil, hello, 0); err != ErrCorrupt {
			t.Fatalf("%q, %v", got, err)
		}
	}
}

// Many connections at once, each with a setting of its own, from the same pools.
func TestPools_ServeManyConnections(t *testing.T) {
	all := settings()
	var conns sync.WaitGroup
	for i := range 4 * len(all) {
		conns.Go(func() {
			s := all[i%len(all)]
			if err := converse(rand.New(rand.NewPCG(17, uint64(i))), s); err != nil {
				t.Errorf("%v: %v", s, err)
			}
		})
	}
	conns.Wait()
}

// converse sends messages of which some end in errors, whole and in pieces.
func converse(r *rand.Rand, s setting) error {
	c, d, peer := s.compressor(), s.decompressor(), &strict{size: 1 << s.bits}
	for n := range fewer(90) {
		p := someSample(r, 5000)
		z, ok := c.Append(nil, p)
		if !ok {
			w := c.Begin(nil)
			w.Write(p)
			runtime.Gosched() // another may take what this one must not have given back
			z = append(w.Take(), w.End()...)
		}
		if !s.takeover {
			peer.window = nil
		}
		if got, err := peer.inflate(z); err != nil || !bytes.Equal(got, p) {
			return fmt.Errorf("message %d: strict: %v, %d bytes of %d", n, err, len(got), len(p))
		}
		if got, err := d.Append(nil, z, 0); err != nil || !bytes.Equal(got, p) {
			return fmt.Errorf("message %d: %v, %d bytes of %d", n, err, len(got), len(p))
		}
		bad := NewDecompressor(s.bits, false)
		if _, err := bad.Append(nil, z, 1); err == nil && len(p) > 1 {
			return fmt.Errorf("message %d: limit of 1 byte", n)
		}
		if _, err := bad.Append(nil, []byte{6}, 0); err != ErrCorrupt {
			return fmt.Errorf("message %d: block type 3: %v", n, err)
		}
	}
	return nil
}
