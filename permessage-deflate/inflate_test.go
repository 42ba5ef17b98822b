package deflate

import (
	"bytes"
	stdflate "compress/flate"
	"encoding/hex"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	p, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// final is p in one stored block that says it is the last.
func final(p string) string {
	n := len(p)
	return string([]byte{1, byte(n), byte(n >> 8), ^byte(n), ^byte(n >> 8)}) + p
}

// stored is p in one stored block.
func stored(p string) string { return "\x00" + final(p)[1:] }

// The examples of §7.2.3, and what else a message may be made of. window is what
// the messages before have left.
func TestDecompressor_Inflates(t *testing.T) {
	hello := string(unhex(t, "f248cdc9c90700"))
	helloFinal := string(unhex(t, "f348cdc9c90700")) // the block ends within its last byte
	for _, tc := range []struct {
		name, wire, window, want string
	}{
		{"7.2.3.1 one block", hello, "", "Hello"},
		{"7.2.3.2 sharing the window", string(unhex(t, "f200110000")), "Hello", "Hello"},
		{"7.2.3.3 no compression", string(unhex(t, "000500faff48656c6c6f00")), "", "Hello"},
		{"7.2.3.4 BFINAL", string(unhex(t, "f348cdc9c9070000")), "", "Hello"},
		{"7.2.3.5 two blocks", string(unhex(t, "f248050000 00ffffcac9c90700")), "", "Hello"},
		{"7.2.3.6 empty message", "\x00", "Hello", ""},
		{"7.2.3.6 empty fragment at the end", string(unhex(t, "f248cdc9c90700 0000ffff 00")), "", "Hello"},
		{"empty fixed block", string(unhex(t, "0200")), "", ""},
		{"empty stored blocks", strings.Repeat(stored(""), 10) + "\x00", "", ""},
		{"stored blocks", stored("Hel") + stored("lo") + "\x00", "", "Hello"},
		{"largest stored block", stored(strings.Repeat("x", 65535)) + "\x00", "", strings.Repeat("x", 65535)},
		{"BFINAL at the end", helloFinal, "", "Hello"},
		{"BFINAL, stored, at the end", final("Hello"), "", "Hello"},
		{"BFINAL, then a block", helloFinal + hello, "", "HelloHello"},
		{"BFINAL, then a stored block", helloFinal + stored("!") + "\x00", "", "Hello!"},
		{"BFINAL, then one that refers to it", helloFinal + string(unhex(t, "f200110000")), "", "HelloHello"},
		{"BFINAL, then one that refers to the message before", final("") + string(unhex(t, "f200110000")), "Hello", "Hello"},
		{"BFINAL, then one that refers to both", final("llo") + string(unhex(t, "f200110000")), "He", "lloHello"},
		{"BFINAL in the middle", hello + "\x00\x00\xff\xff" + final("-") + hello, "", "Hello-Hello"},
		{"BFINAL several times", strings.Repeat(helloFinal, 5) + final("!") + "\x00", "", "HelloHelloHelloHelloHello!"},
		{"BFINAL in each of many blocks", strings.Repeat(final("a"), 6500), "", strings.Repeat("a", 6500)},
		{"BFINAL behind more than a window", stored(strings.Repeat("y", 40000)) + final("") + string(unhex(t, "f200110000")), "", strings.Repeat("y", 40000) + "Hyyyy"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := Decompressor{bits: 15, takeover: true, window: []byte(tc.window)}
			got, err := d.Append([]byte("before "), []byte(tc.wire), int64(len(tc.want)))
			if string(got) != "before "+tc.want || err != nil {
				t.Fatalf("got %d bytes, %.200q, %v", len(got), got, err)
			}
			if all := tc.window + tc.want; string(d.window) != all[max(0, len(all)-1<<15):] {
				t.Errorf("window of %d bytes: %.200q", len(d.window), d.window)
			}
		})
	}
}

func TestDecompressor_Refuses(t *testing.T) {
	helloFinal := string(unhex(t, "f348cdc9c90700"))
	for _, tc := range []struct{ name, wire string }{
		{"no block", ""},
		{"block type 3", "\x06"},
		{"distance beyond the beginning", string(unhex(t, "f200110000"))},
		{"stored, wrong length", string(unhex(t, "000500fbff48656c6c6f00"))},
		{"stored, truncated", string(unhex(t, "000500faff4865"))},
		{"truncated in a dynamic block's header", "\x04"},
		{"BFINAL, then garbage", helloFinal + "\xff\xff\xff"},
		{"BFINAL, then text", helloFinal + "garbage"},
		{"BFINAL, then a distance beyond the beginning", final("Hel") + string(unhex(t, "f200110000"))},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, takeover := range []bool{false, true} {
				d := NewDecompressor(15, takeover)
				if got, err := d.Append(nil, []byte(tc.wire), 0); err != ErrCorrupt {
					t.Errorf("%.100q, %v", got, err)
				}
			}
		})
	}
}

// wires are some messages, compressed in every way there is.
func wires(t testing.TB) (list [][]byte) {
	r := rand.New(rand.NewPCG(11, 11))
	for _, kind := range kinds {
		for _, level := range []int{stdflate.HuffmanOnly, 0, 1, 9} {
			list = append(list, byStandard(t, level, sample(r, kind, 300)))
		}
	}
	for _, s := range []string{"f248cdc9c90700", "f348cdc9c9070000", "f24805000000ffffcac9c90700"} {
		list = append(list, unhex(t, s))
	}
	return append(list, []byte(strings.Repeat(final("ab"), 5)+stored("c")+"\x00"))
}

// check inflates z, with limits too, and checks what holds for any input.
func check(t testing.TB, window, z []byte, limit int64) {
	t.Helper()
	d := Decompressor{bits: 15, takeover: true, window: slices.Clone(window)}
	before := slices.Clone(z)
	got, err := d.Append(nil, z, limit)
	want, wantErr := reference(window, z, limit)
	// How much comes of corrupt blocks before they are found to be so, and whether
	// that is too much, is left open.
	if (err == nil) != (wantErr == nil) || err == nil && !bytes.Equal(got, want) || err != nil && err != ErrTooBig && err != ErrCorrupt {
		t.Fatalf("%x, limit %d: %d bytes, %v, but compress/flate says %d bytes, %v", z, limit, len(got), err, len(want), wantErr)
	}
	if it, itsErr := (&strict{size: 1 << 15, window: window}).inflate(z); itsErr == nil && err == nil && !bytes.Equal(got, it) {
		t.Fatalf("%x: %d bytes, but strictly %d bytes", z, len(got), len(it))
	} else if itsErr == nil && err == ErrCorrupt {
		t.Fatalf("%x: %v, but strictly %d bytes", z, err, len(it))
	}
	if !bytes.Equal(z, before) {
		t.Fatal("the payload has been written to")
	}
	if limit == 0 && len(got) < 1<<20 {
		d := Decompressor{bits: 15, takeover: true, window: slices.Clone(window)}
		if cut, cutErr := inPieces(&d, z, 1+len(z)%23, int64(1+len(got)%300)); cutErr != err || err == nil && !bytes.Equal(cut, got) {
			t.Fatalf("%x: %d bytes, %v, but in pieces %d bytes, %v", z, len(got), err, len(cut), cutErr)
		}
	}
	if limit > 0 && (int64(len(got)) > limit || int64(cap(got)) > limit+1) {
		t.Fatalf("%d bytes in room for %d, limit %d", len(got), cap(got), limit)
	}
}

var standard = stdflate.NewReader(nil)

// reference is Decompressor.Append made of compress/flate, in windows of 15 bits.
func reference(window, z []byte, limit int64) (out []byte, _ error) {
	if limit <= 0 {
		limit = math.MaxInt64 - 1
	}
	const ending = tail + "\x01\x00\x00\xff\xff" // so that it knows the end
	in := bytes.NewReader(slices.Concat(z, []byte(ending)))
	for {
		all := slices.Concat(window, out)
		standard.(stdflate.Resetter).Reset(in, all[max(0, len(all)-1<<15):])
		more, err := io.ReadAll(io.LimitReader(standard, limit+1-int64(len(out))))
		out = append(out, more...)
		switch {
		case int64(len(out)) > limit:
			return out[:limit], ErrTooBig
		case err != nil:
			return out, ErrCorrupt
		case in.Len() == len(ending), in.Len() == 0:
			return out, nil
		}
	}
}

// ending is what a message is given back (§7.2.2), and an empty last block, so
// that the standard library knows that it is over.
const ending = tail + "\x01\x00\x00\xff\xff"

func TestDecompressor_TruncatedAnywhere_IsAsCompressFlateSays(t *testing.T) {
	for _, z := range wires(t) {
		for n := range z {
			check(t, nil, z[:n], 0)
			check(t, []byte("some context"), z[:n], 100)
		}
	}
}

func TestDecompressor_AnyByteCorrupted_IsAsCompressFlateSays(t *testing.T) {
	for i, z := range wires(t) {
		z = slices.Clone(z)
		step := 1
		if i%4 != 3 || raceDetector {
			step = 19 // not every value
		}
		for i, was := range z[:min(len(z), 150)] {
			for change := 1; change < 256; change += step {
				z[i] = was ^ byte(change)
				check(t, nil, z, 1000)
			}
			z[i] = was
		}
	}
}

func TestDecompressor_Limit(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 12))
	for _, kind := range kinds {
		for _, n := range []int{1, 2, 511, 512, 513, 4096, 65535, 65536, 100_000} {
			p := sample(r, kind, n)
			z := byStandard(t, 6, p)
			for _, dst := range [][]byte{nil, []byte("before"), make([]byte, 6, 600), make([]byte, 6, 200_000)} {
				d := NewDecompressor(15, false)
				for _, limit := range []int64{int64(n), int64(n) + 1, 0, math.MaxInt64, math.MaxInt64 - 1} {
					if got, err := d.Append(dst, z, limit); err != nil || !bytes.Equal(got[len(dst):], p) {
						t.Errorf("%s: %d bytes, limit %d: %d bytes, %v", kind, n, limit, len(got)-len(dst), err)
					}
				}
				limit := max(1, int64(n)-1)
				if got, err := d.Append(dst, z, limit); n > 1 && (err != ErrTooBig || int64(len(got)-len(dst)) > limit) {
					t.Errorf("%s: %d bytes, limit %d: %d bytes, %v", kind, n, limit, len(got)-len(dst), err)
				}
			}
		}
	}
}

// The limit is that of the message, not of each of its parts.
func TestDecompressor_Limit_CountsAcrossBFINAL(t *testing.T) {
	wire := []byte(strings.Repeat(final("12345678"), 10))
	for limit := int64(1); limit < 80; limit++ {
		d := NewDecompressor(15, true)
		if got, err := d.Append(nil, wire, limit); err != ErrTooBig || int64(len(got)) > limit {
			t.Errorf("limit %d: %d bytes, %v", limit, len(got), err)
		}
	}
	d := NewDecompressor(15, true)
	if got, err := d.Append(nil, wire, 80); err != nil || len(got) != 80 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestDecompressor_RefusesADistanceBeyondTheAgreedWindow_IntoTheMessagesBefore(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 13))
	for bits := 8; bits < 15; bits++ {
		c, d := NewCompressor(1, bits+1, true), NewDecompressor(bits, true) // the peer breaks the agreement
		first := append([]byte(strings.Repeat("seen before, and far away ", 20)), sample(r, "letters", 1<<bits)...)
		z, _ := c.Append(nil, first)
		if _, err := d.Append(nil, z, 0); err != nil {
			t.Fatal(err)
		}
		z, ok := c.Append(nil, []byte(strings.Repeat("seen before, and far away ", 20)))
		if len(d.window) != 1<<bits {
			t.Errorf("%d bits: window of %d bytes", bits, len(d.window))
		}
		if got, err := d.Append(nil, z, 0); ok && err == nil && !bytes.HasPrefix(got, []byte("seen before")) {
			t.Errorf("%d bits: inflated from what should be forgotten: %.40q", bits, got)
		}
	}
}
