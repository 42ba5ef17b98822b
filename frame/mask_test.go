package frame

import (
	"bytes"
	"encoding/binary"
	"fmt"
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
	for _, n := range []int{32, 64, 125, 256, 1024, 4096, 16384, 65536, 16 << 20} {
		p := make([]byte, n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.SetBytes(int64(n))
			for b.Loop() {
				Mask(p, testKey, 0)
			}
		})
		b.Run(fmt.Sprint("words/", n), func(b *testing.B) {
			b.SetBytes(int64(n))
			for b.Loop() {
				maskWords(p, 0x37fa213d)
			}
		})
		// The yardstick: a masked payload should cost about what moving it costs.
		to := make([]byte, n)
		b.Run(fmt.Sprint("copy/", n), func(b *testing.B) {
			b.SetBytes(int64(n))
			for b.Loop() {
				copy(to, p)
			}
		})
	}
}
