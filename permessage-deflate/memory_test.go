package deflate

import (
	"bytes"
	stdflate "compress/flate"
	"math/rand/v2"
	"runtime"
	"testing"
)

// bomb is 1 GiB of zeros, deflated: a thousandth of that.
func bomb(t testing.TB) []byte {
	var out bytes.Buffer
	w, err := stdflate.NewWriter(&out, 9)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(make([]byte, 1<<20))
	w.Flush()
	return bytes.TrimSuffix(bytes.Repeat(out.Bytes(), 1<<10), []byte(tail))
}

func TestDecompressor_Bomb_CostsNoMoreThanTheLimit(t *testing.T) {
	const limit, window, slack = 1 << 20, 1 << 15, 64 << 10
	z := bomb(t)
	for _, takeover := range []bool{false, true} {
		d := NewDecompressor(15, takeover)
		for range 3 { // the pools, and a window
			if _, err := d.Append(nil, byStandard(t, 1, make([]byte, window)), 0); err != nil {
				t.Fatal(err)
			}
		}
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		p, err := d.Append(nil, z, limit)
		runtime.ReadMemStats(&after)
		allocated := after.TotalAlloc - before.TotalAlloc
		runtime.GC()
		runtime.ReadMemStats(&after)
		if err != ErrTooBig || len(p) > limit {
			t.Fatalf("%d bytes, %v", len(p), err)
		}
		if raceDetector {
			continue
		}
		if held := int64(after.HeapAlloc) - int64(before.HeapAlloc); held > limit+window+slack {
			t.Errorf("takeover %v: the heap has grown by %d bytes", takeover, held)
		}
		// A buffer that doubles is, with all it has been before, twice as large.
		if allocated > 2*limit+window+slack {
			t.Errorf("takeover %v: %d bytes allocated", takeover, allocated)
		}
		runtime.KeepAlive(p)
		runtime.KeepAlive(&d)
	}
}

// A bomb of a gigabyte in many small steps, with the limit of a small message.
func TestDecompressor_Bomb_IntoABufferThatSuffices_AllocatesNothing(t *testing.T) {
	z := bomb(t)
	d := NewDecompressor(15, true)
	buffer := make([]byte, 0, 1<<16+1)
	allocs := testing.AllocsPerRun(10, func() {
		if p, err := d.Append(buffer, z, 1<<16); err != ErrTooBig || len(p) != 1<<16 {
			t.Fatalf("%d bytes, %v", len(p), err)
		}
	})
	if allocs > 2 && !raceDetector { // short tables of the inflater
		t.Error(allocs, "allocations")
	}
}

func TestWithoutTakeover_NothingIsHeldBetweenMessages(t *testing.T) {
	r := rand.New(rand.NewPCG(18, 18))
	for _, s := range settings() {
		if s.takeover {
			continue
		}
		c, d := s.compressor(), s.decompressor()
		for range fewer(10) {
			p := sample(r, "json", 1+r.IntN(100_000))
			z, ok := c.Append(nil, p)
			if ok {
				if _, err := d.Append(nil, z, 0); err != nil {
					t.Fatal(err)
				}
			}
			w := c.Begin(nil)
			w.Write(p)
			w.End()
			c.Sent(p)
			if c.window != nil || d.window != nil {
				t.Fatalf("%v: windows of %d and %d bytes", s, cap(c.window), cap(d.window))
			}
		}
	}
}

func TestTakeover_HoldsNoMoreThanAWindow(t *testing.T) {
	r := rand.New(rand.NewPCG(19, 19))
	for bits := 8; bits <= 15; bits++ {
		size := 1 << bits
		for range fewer(30) { // connections
			c, d := NewCompressor(1, bits, true), NewDecompressor(bits, true)
			var sent []byte
			for range 8 {
				p := sample(r, "json", []int{r.IntN(size / 4), r.IntN(size), size - 1 + r.IntN(3), r.IntN(4 * size)}[r.IntN(4)])
				if z, ok := c.Append(nil, p); ok {
					sent = append(sent, p...)
					if _, err := d.Append(nil, z, 0); err != nil {
						t.Fatal(err)
					}
				}
				if cap(c.window) > size || cap(d.window) > size {
					t.Fatalf("%d bits: room for %d and %d bytes", bits, cap(c.window), cap(d.window))
				}
				want := sent[max(0, len(sent)-size):]
				if !bytes.Equal(c.window, want) || !bytes.Equal(d.window, want) {
					t.Fatalf("%d bits: windows are not the last bytes of what was sent", bits)
				}
			}
		}
	}
}

// slide, for every way in which a window can be full.
func TestSlide_KeepsTheLastBytes_InNoMoreRoom(t *testing.T) {
	all := sample(rand.New(rand.NewPCG(20, 20)), "random", 600)
	for first := range 130 {
		for second := range 300 {
			for _, third := range []int{0, 1, 63, 127, 128, 129, 170} {
				const size = 128
				var window []byte
				n := 0
				for _, more := range []int{first, second, third} {
					window = slide(window, all[n:n+more], size)
					n += more
				}
				if want := all[max(0, n-size):n]; !bytes.Equal(window, want) || cap(window) > size {
					t.Fatalf("%d, %d, %d: %d bytes in room for %d", first, second, third, len(window), cap(window))
				}
			}
		}
	}
}
