package deflate

import (
	"bytes"
	stdflate "compress/flate"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
)

// setting is what a compressor is made with.
type setting struct {
	level, bits int
	takeover    bool
}

func (s setting) String() string {
	return fmt.Sprintf("level=%d/bits=%d/takeover=%v", s.level, s.bits, s.takeover)
}

func (s setting) compressor() Compressor     { return NewCompressor(s.level, s.bits, s.takeover) }
func (s setting) decompressor() Decompressor { return NewDecompressor(s.bits, s.takeover) }

// worthSending is Append's promise: shorter, or with takeover a little longer for
// the sake of the next messages.
func (s setting) worthSending(deflated, plain int) bool {
	forTheNext := s.takeover && 16 <= plain && plain <= 256 && deflated <= plain+16
	return deflated < plain || forTheNext
}

// settings are all that differ: smaller windows know no levels.
func settings() (all []setting) {
	for _, takeover := range []bool{false, true} {
		for bits := 8; bits < 15; bits++ {
			all = append(all, setting{1, bits, takeover})
		}
		for level := 1; level <= 9; level++ {
			all = append(all, setting{level, 15, takeover})
		}
	}
	return all
}

// messages for a connection: 300, of which most are short, and one large one of
// each kind somewhere among them.
func messages(r *rand.Rand) [][]byte {
	all := [][]byte{{}, {0}, []byte("Hello"), []byte("Hello")}
	most, count := fewer(1<<20), 300
	if raceDetector {
		count = 6 // and the large ones
	}
	for len(all) < count {
		all = append(all, someSample(r, 10_000))
	}
	for i, kind := range kinds {
		all = slices.Insert(all, (i+1)*len(all)/8, sample(r, kind, most-r.IntN(2)))
	}
	return append(all, sample(r, "json", 65_535), sample(r, "json", 65_536), sample(r, "echoes", 1<<15), sample(r, "letters", 1<<15+1))
}

// Windows as agreed on (D27), and none without takeover (D28).
func TestCompressor_KeepsToTheWindow(t *testing.T) {
	for i, s := range settings() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			c, d := s.compressor(), s.decompressor()
			peer, standard := &strict{size: 1 << s.bits}, &lenient{takeover: s.takeover}
			for i, p := range messages(rand.New(rand.NewPCG(3, uint64(i)))) {
				z, ok := c.Append([]byte("before"), p)
				if !ok { // the peer's window has not seen it
					if string(z) != "before" {
						t.Fatalf("message %d: %q", i, z)
					}
					continue
				}
				if !bytes.HasPrefix(z, []byte("before")) || !s.worthSending(len(z)-len("before"), len(p)) {
					t.Fatalf("message %d: %d bytes of %d", i, len(z), len(p))
				}
				z = z[len("before"):]
				if !s.takeover {
					peer.window = nil
				}
				if got, err := peer.inflate(z); err != nil || !bytes.Equal(got, p) {
					t.Fatalf("message %d: %v, %d bytes of %d", i, err, len(got), len(p))
				}
				if got, err := standard.inflate(z); err != nil || !bytes.Equal(got, p) {
					t.Fatalf("message %d: compress/flate: %v, %d bytes of %d", i, err, len(got), len(p))
				}
				if got, err := d.Append(nil, z, int64(len(p))); err != nil || !bytes.Equal(got, p) {
					t.Fatalf("message %d: Decompressor: %v, %d bytes of %d", i, err, len(got), len(p))
				}
			}
		})
	}
}

// lenient is compress/flate.
type lenient struct {
	takeover bool
	window   []byte
}

func (l *lenient) inflate(payload []byte) ([]byte, error) {
	got, err := io.ReadAll(stdflate.NewReaderDict(io.MultiReader(bytes.NewReader(payload), strings.NewReader(ending)), l.window))
	if l.takeover {
		all := slices.Concat(l.window, got)
		l.window = all[max(0, len(all)-1<<15):]
	}
	return got, err
}

// What is not shorter is left alone, and the peer's window with it.
func TestCompressor_IncompressibleMessage_IsSentAsItIs(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for _, s := range settings() {
		t.Run(s.String(), func(t *testing.T) {
			c, peer := s.compressor(), &strict{size: 1 << s.bits}
			noise := sample(r, "random", 5000)
			for range 3 {
				for _, p := range [][]byte{nil, {}, {'a'}, noise} {
					if z, ok := c.Append(nil, p); ok || len(z) != 0 {
						t.Fatalf("%d bytes are %d", len(p), len(z))
					}
				}
				if z, ok := c.Append([]byte("x"), noise); ok || string(z) != "x" {
					t.Fatal("dst is not as it was")
				}
				p := sample(r, "json", 2000)
				z, ok := c.Append(nil, p)
				if !s.takeover {
					peer.window = nil
				}
				if got, err := peer.inflate(z); !ok || err != nil || !bytes.Equal(got, p) {
					t.Fatal("out of sync:", ok, err)
				}
			}
		})
	}
}

func TestCompressor_Takeover_Pays(t *testing.T) {
	p := sample(rand.New(rand.NewPCG(5, 5)), "json", 500)
	for _, bits := range []int{9, 15} {
		c := NewCompressor(0, bits, true)
		first, _ := c.Append(nil, p)
		second, ok := c.Append(nil, p)
		if !ok || len(second) > len(first)/4 {
			t.Errorf("%d bits: %d bytes, then %d", bits, len(first), len(second))
		}
		if !c.Takeover() || c.WindowBits() != bits {
			t.Error(c.Takeover(), c.WindowBits())
		}
	}
}

func TestCompressor_LevelZero_IsTheDefault(t *testing.T) {
	p := sample(rand.New(rand.NewPCG(6, 6)), "json", 5000)
	zero, standard := NewCompressor(0, 15, false), NewCompressor(DefaultLevel, 15, false)
	got, _ := zero.Append(nil, p)
	if want, _ := standard.Append(nil, p); !bytes.Equal(got, want) {
		t.Errorf("%d bytes, not %d", len(got), len(want))
	}
}

// A message compressed once, without context, is sent to connections that have one.
func TestCompressor_Sent_KeepsTheWindowsInSync(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for bits := 8; bits <= 15; bits++ {
		for alone := 8; alone <= bits; alone++ {
			c, once, peer := NewCompressor(1, bits, true), NewCompressor(1, alone, false), &strict{size: 1 << bits}
			d := NewDecompressor(bits, true)
			for i := range 20 {
				p := sample(r, "json", 300+r.IntN(1+1<<(i%16)))
				var z []byte
				var ok bool
				if i%3 == 1 {
					if z, ok = once.Append(nil, p); ok {
						c.Sent(p)
					}
				} else {
					z, ok = c.Append(nil, p)
				}
				got, err := peer.inflate(z)
				if !ok || err != nil || !bytes.Equal(got, p) {
					t.Fatalf("%d bits, %d alone, message %d: %v, %v", bits, alone, i, ok, err)
				}
				if got, err = d.Append(nil, z, 0); err != nil || !bytes.Equal(got, p) {
					t.Fatalf("%d bits, %d alone, message %d: Decompressor: %v", bits, alone, i, err)
				}
				if !bytes.Equal(c.window, peer.window) || !bytes.Equal(d.window, peer.window) {
					t.Fatalf("%d bits, %d alone, message %d: windows differ", bits, alone, i)
				}
			}
		}
	}
}

// A compressor counts the bytes that have gone through it, whoever used it, in 31
// bits. It must get over their end.
func TestCompressor_AfterTwoGigabytes_StillKeepsToTheWindow(t *testing.T) {
	if raceDetector {
		t.Skip("the pool forgets compressors at random")
	}
	r := rand.New(rand.NewPCG(8, 8))
	for _, s := range settings() {
		if !s.takeover || s.level > 6 || s.bits < 11 {
			continue // levels above 6 count otherwise; small windows count slowly
		}
		*flatePool(s.level, s.bits) = sync.Pool{} // begin with one that has counted nothing
		f := getFlate(s.level, s.bits)
		for range (1<<31 - 1<<20) >> s.bits {
			f.ResetDict(io.Discard, nil) // counts a window's size
		}
		putFlate(s.level, s.bits, f)
		c, peer := s.compressor(), &strict{size: 1 << s.bits}
		for i := range 1000 {
			p := sample(r, "json", 200+r.IntN(2000))
			z, ok := c.Append(nil, p)
			if got, err := peer.inflate(z); !ok || err != nil || !bytes.Equal(got, p) {
				t.Fatalf("%v: message %d: %v, %v", s, i, ok, err)
			}
		}
	}
}

func TestCompressor_OfAWindowThatIsNone_Panics(t *testing.T) {
	defer func() {
		if s, ok := recover().(string); !ok || !strings.HasPrefix(s, "deflate: ") {
			t.Error(s)
		}
	}()
	c := NewCompressor(1, 2, false)
	c.Append(nil, []byte("x"))
}
