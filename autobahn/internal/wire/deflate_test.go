package wire

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// messages are some of each kind: none, short, long, random, and like each other.
func messages(r *rand.Rand) (all [][]byte) {
	all = append(all, nil, []byte("a"), []byte("aaaaaaaaaaaaaaaaaaaaaaaaa"))
	text := strings.Repeat("the swan is on the lake and the heron in the reed; ", 3000)
	for range 12 {
		i := r.IntN(len(text) / 2)
		all = append(all, []byte(text[i:i+r.IntN(len(text)/4)]))
		noise := make([]byte, r.IntN(3000))
		for j := range noise {
			noise[j] = byte(r.IntN(1 + r.IntN(256)))
		}
		all = append(all, noise)
	}
	return append(all, bytes.Repeat([]byte{7}, 1<<16), []byte("end"))
}

func TestCompressor_IsUnderstood(t *testing.T) {
	for bits := 8; bits <= 15; bits++ {
		for _, takeover := range []bool{true, false} {
			for _, strict := range []bool{true, false} {
				t.Run(fmt.Sprint(bits, takeover, strict), func(t *testing.T) {
					c := NewCompressor(bits, takeover)
					d := Decompressor{Bits: bits, Takeover: takeover, Strict: strict, Limit: 1 << 20}
					for i, m := range messages(rand.New(rand.NewPCG(1, uint64(bits)))) {
						z := c.Compress(bytes.NewReader(m))
						plain, err := d.Decompress(z)
						if err != nil || !bytes.Equal(plain, m) {
							t.Fatalf("message %d of %d octets, compressed to %d: %v", i, len(m), len(z), err)
						}
					}
				})
			}
		}
	}
}

// Data that refers back 600 octets is refused with a window of 512, and only if that
// is strict.
func TestDecompressor_Refuses_WhatIsBeyondTheWindow(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	noise := make([]byte, 600)
	for i := range noise {
		noise[i] = byte(r.IntN(256))
	}
	z := bytes.Clone(NewCompressor(15, false).Compress(bytes.NewReader(append(noise, noise...))))
	for _, tt := range []struct {
		strict bool
		bits   int
		fault  string
	}{{true, 9, "agreed window"}, {true, 10, ""}, {false, 9, ""}} {
		d := Decompressor{Bits: tt.bits, Strict: tt.strict, Limit: 1 << 20}
		_, err := d.Decompress(z)
		if tt.fault == "" && err != nil || tt.fault != "" && (err == nil || !strings.Contains(err.Error(), tt.fault)) {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}

// Without context takeover, what refers to the message before is refused.
func TestDecompressor_Forgets_WithoutTakeover(t *testing.T) {
	message := []byte("the swan is on the lake and the heron in the reed")
	c := NewCompressor(15, true)
	first := bytes.Clone(c.Compress(bytes.NewReader(message)))
	second := bytes.Clone(c.Compress(bytes.NewReader(message)))
	for _, strict := range []bool{true, false} {
		d := Decompressor{Bits: 15, Strict: strict, Limit: 1 << 20}
		if _, err := d.Decompress(first); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Decompress(second); err == nil {
			t.Errorf("strict %t: the window was kept", strict)
		}
	}
}

// What is known need not be inflated: Remember does as well.
func TestDecompressor_Remembers(t *testing.T) {
	c := NewCompressor(15, true)
	d := Decompressor{Bits: 15, Takeover: true, Limit: 1 << 20}
	r := rand.New(rand.NewPCG(3, 3))
	for i, m := range messages(r) {
		z := c.Compress(bytes.NewReader(m))
		if i%3 != 0 {
			d.Remember(m)
			continue
		}
		if plain, err := d.Decompress(z); err != nil || !bytes.Equal(plain, m) {
			t.Fatalf("message %d: %v", i, err)
		}
	}
}

func TestDecompressor_Refuses_Damage(t *testing.T) {
	tests := []struct{ name, hex, fault string }{
		{"nothing", "", "even the empty one"},
		{"reserved type", "07", "type 3"},
		{"stored, wrong check", "000500faff48656c6c6f00", ""}, // right: RFC 7692 §7.2.3.3
		{"stored, damaged check", "000500fafe48656c6c6f00", "complement"},
		{"stored, cut", "00ff0000ff4865", "middle of a block"},
		{"ends in a block", "f248cdc9", "stands for nothing|middle of a block|reserved|refers back"},
		{"back before the beginning", "038200", "there are only 0"},
		{"a code with too many symbols", "05e08d0492244992244992244992244902", "more symbols"},
		{"first length repeats", "05c0e1ffffffffffffff", "repeats the one before|more symbols|not complete|there is a Huffman code"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := hex.DecodeString(tt.hex)
			if err != nil {
				t.Fatal(err)
			}
			d := Decompressor{Bits: 15, Strict: true, Limit: 1 << 20}
			_, err = d.Decompress(p)
			fits := tt.fault == "" && err == nil
			for part := range strings.SplitSeq(tt.fault, "|") {
				fits = fits || tt.fault != "" && err != nil && strings.Contains(err.Error(), part)
			}
			if !fits {
				t.Errorf("%v, want %q", err, tt.fault)
			}
			d.Strict = false
			if _, fast := d.Decompress(p); (fast == nil) != (err == nil) {
				t.Errorf("strictly: %v, otherwise: %v", err, fast)
			}
		})
	}
}

func TestDecompressor_Refuses_MoreThanItsLimit(t *testing.T) {
	z := bytes.Clone(NewCompressor(15, false).Compress(bytes.NewReader(make([]byte, 1001))))
	for _, strict := range []bool{true, false} {
		for limit, want := range map[int]error{1000: errTooLarge, 1001: nil} {
			d := Decompressor{Bits: 15, Strict: strict, Limit: limit}
			if _, err := d.Decompress(z); err != want {
				t.Errorf("strict %t, limit %d: %v, want %v", strict, limit, err, want)
			}
		}
	}
}

// The examples of RFC 7692 §7.2.3.
func TestDecompressor_Inflates_TheExamples(t *testing.T) {
	for _, z := range []string{"f248cdc9c90700", "000500faff48656c6c6f00", "f348cdc9c9070000", "f24805000000ffffcac9c90700"} {
		p, _ := hex.DecodeString(z)
		for _, strict := range []bool{true, false} {
			d := Decompressor{Bits: 15, Strict: strict, Limit: 100}
			if got, err := d.Decompress(p); err != nil || string(got) != "Hello" {
				t.Errorf("%s, strict %t: %q, %v", z, strict, got, err)
			}
		}
	}
}

// What the inflater here takes, the standard library's takes too. (Where a message
// ends in a block, that one takes the end of the stream for what is missing.)
func FuzzInflate(f *testing.F) {
	f.Add([]byte{0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00})
	f.Add(bytes.Clone(NewCompressor(15, false).Compress(strings.NewReader(strings.Repeat("the swan is it, ", 99)))))
	f.Add(bytes.Clone(NewCompressor(9, false).Compress(strings.NewReader("the swan, the swan, the swan"))))
	f.Fuzz(func(t *testing.T, p []byte) {
		strict := Decompressor{Bits: 15, Strict: true, Limit: 1 << 16}
		fast := Decompressor{Bits: 15, Limit: 1 << 16}
		a, errA := strict.Decompress(p)
		b, errB := fast.Decompress(p)
		if errA == nil && (errB != nil || !bytes.Equal(a, b)) {
			t.Errorf("%x: %d octets and %v here, %d and %v there", p, len(a), errA, len(b), errB)
		}
	})
}
