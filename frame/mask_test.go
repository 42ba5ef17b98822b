package frame

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
)

// maskByRule is §5.3 to the letter.
func maskByRule(p []byte, key Key, pos int) {
	for i := range p {
		p[i] ^= key[(pos+i)%4]
	}
}

var testKey = Key{0x37, 0xfa, 0x21, 0x3d}

// canary surrounds what is masked: a kernel that writes outside shows.
const canary = 0xdb

func TestMask_EqualsTheRule(t *testing.T) {
	const pad = 64
	lengths := []int{}
	for n := range 300 {
		lengths = append(lengths, n)
	}
	lengths = append(lengths, 1023, 1024, 1025, 4095, 4096)
	buf := make([]byte, pad+64+4096+pad)
	for _, n := range lengths {
		for align := range 64 {
			for pos := range 4 {
				for i := range buf {
					buf[i] = canary
				}
				p := buf[pad+align:][:n]
				want := make([]byte, n)
				for i := range p {
					p[i] = byte(i * 7)
					want[i] = byte(i * 7)
				}
				maskByRule(want, testKey, pos)
				next := Mask(p, testKey, pos)
				if !bytes.Equal(p, want) {
					t.Fatalf("length %d, alignment %d, position %d: wrong bytes", n, align, pos)
				}
				if next != (pos+n)%4 {
					t.Fatalf("length %d, position %d: next position %d", n, pos, next)
				}
				if !allCanary(buf[:pad+align]) || !allCanary(buf[pad+align+n:]) {
					t.Fatalf("length %d, alignment %d, position %d: wrote outside", n, align, pos)
				}
			}
		}
	}
}

func allCanary(p []byte) bool {
	for _, c := range p {
		if c != canary {
			return false
		}
	}
	return true
}

func TestMask_OfLongPayloads_EqualsTheRule(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	buf, want := make([]byte, 1<<20), make([]byte, 1<<20)
	for i := range buf {
		buf[i] = byte(r.Uint32())
	}
	copy(want, buf)
	for range 50 {
		begin := r.IntN(len(buf))
		end := begin + r.IntN(len(buf)-begin)
		key := Key(binary.LittleEndian.AppendUint32(nil, r.Uint32()))
		pos := r.IntN(4)
		Mask(buf[begin:end], key, pos)
		maskByRule(want[begin:end], key, pos)
		if !bytes.Equal(buf, want) {
			t.Fatalf("bytes %d to %d, position %d: differs, or wrote outside", begin, end, pos)
		}
	}
}

// A machine without vectors has nothing else.
func TestMaskWords_EqualsTheRule(t *testing.T) {
	for n := range 300 {
		got, want := make([]byte, n), make([]byte, n)
		maskWords(got, binary.LittleEndian.Uint32(testKey[:]))
		maskByRule(want, testKey, 0)
		if !bytes.Equal(got, want) {
			t.Fatalf("length %d: wrong bytes", n)
		}
	}
}

func TestMask_InPieces_EqualsWhole(t *testing.T) {
	whole := make([]byte, 257)
	for i := range whole {
		whole[i] = byte(i)
	}
	pieces := bytes.Clone(whole)
	Mask(whole, testKey, 0)
	for cut := range pieces {
		got := bytes.Clone(pieces)
		pos := Mask(got[:cut], testKey, 0)
		Mask(got[cut:], testKey, pos)
		if !bytes.Equal(got, whole) {
			t.Fatalf("cut at %d: differs from masking at once", cut)
		}
	}
}

func TestMask_NegativeOrHugePosition_CountsModulo4(t *testing.T) {
	for _, pos := range []int{-3, 5, 1 << 30} {
		p := []byte{0, 0, 0, 0}
		Mask(p, testKey, pos)
		if p[0] != testKey[pos&3] {
			t.Errorf("position %d: first byte masked with %#x, want %#x", pos, p[0], testKey[pos&3])
		}
	}
}

func FuzzMask(f *testing.F) {
	f.Add([]byte("Hello"), uint32(0x37fa213d), 0)
	f.Add(bytes.Repeat([]byte{0xff}, 200), uint32(0), 3)
	f.Fuzz(func(t *testing.T, p []byte, k uint32, pos int) {
		key := Key(binary.BigEndian.AppendUint32(nil, k))
		pos &= 3
		want := bytes.Clone(p)
		maskByRule(want, key, pos)
		words := bytes.Clone(p)
		Mask(p, key, pos)
		if !bytes.Equal(p, want) {
			t.Fatalf("Mask differs from the rule")
		}
		turned := Key{key[pos&3], key[(pos+1)&3], key[(pos+2)&3], key[(pos+3)&3]}
		maskWords(words, binary.LittleEndian.Uint32(turned[:]))
		if !bytes.Equal(words, want) {
			t.Fatalf("maskWords differs from the rule")
		}
	})
}

func BenchmarkMask(b *testing.B) {
	for _, n := range []int{8, 32, 64, 125, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 1 << 20} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			benchPayloads(b, n, func(p []byte) { Mask(p, testKey, 0) })
		})
		b.Run(fmt.Sprint("words/", n), func(b *testing.B) {
			benchPayloads(b, n, func(p []byte) { maskWords(p, 0x37fa213d) })
		})
		// The yardstick: a masked payload should cost about what moving it costs.
		to := make([]byte, n)
		b.Run(fmt.Sprint("copy/", n), func(b *testing.B) {
			benchPayloads(b, n, func(p []byte) { copy(to, p) })
		})
	}
}

// benchPayloads calls f with payloads of n bytes as they lie in a read buffer:
// behind a header, and not the same one again while its bytes are on their way to
// the cache.
func benchPayloads(b *testing.B, n int, f func(p []byte)) {
	const header = 8
	buf := make([]byte, max(8<<10, n+header))
	b.SetBytes(int64(n))
	rest := buf
	for b.Loop() {
		if len(rest) < header+n {
			rest = buf
		}
		f(rest[header:][:n])
		rest = rest[header+n:]
	}
}
