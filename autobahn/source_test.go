package autobahn

import (
	"bytes"
	"testing"
	"unicode/utf8"

	"github.com/swan-ws/websocket/autobahn/internal/wire"
)

// The sources are about as hard to compress as the original's files, and are cut by
// the units of their messages.
func TestSources_AreLike_TheOriginals(t *testing.T) {
	tests := []struct {
		name            string
		text, ascii     bool
		least, most     float64 // of 128 KiB that are left, in thousandths
		reset16, kept16 float64 // of 16 octets, at most
	}{
		{"json", true, true, 40, 55, 1000, 400},
		{"picture", false, false, 830, 870, 1400, 1400},
		{"prose", true, true, 360, 410, 1200, 800},
		{"html", true, false, 50, 65, 1200, 500},
		{"document", false, false, 740, 780, 1300, 1100},
	}
	for _, tt := range tests {
		s := sources[tt.name]
		whole := s.cut(0, sourceUnits)
		if utf8.Valid(whole) != tt.text || tt.text && (utf8.RuneCount(whole) == len(whole)) != tt.ascii {
			t.Errorf("%s is not the text that it should be", tt.name)
		}
		if tt.text && utf8.RuneCount(whole) != sourceUnits {
			t.Errorf("%s has %d characters", tt.name, utf8.RuneCount(whole))
		}
		if got := ratio(s, 1<<17, false); got < tt.least || got > tt.most {
			t.Errorf("%s leaves %.0f of 1000, want %.0f to %.0f", tt.name, got, tt.least, tt.most)
		}
		if got := ratio(s, 16, false); got > tt.reset16 {
			t.Errorf("%s leaves %.0f of 1000 in pieces of 16", tt.name, got)
		}
		if got := ratio(s, 16, true); got > tt.kept16 {
			t.Errorf("%s leaves %.0f of 1000 in pieces of 16 with its window", tt.name, got)
		}
	}
}

// ratio compresses 1000 messages at the most, and returns how many of 1000 octets
// are left.
func ratio(s *source, size int, takeover bool) float64 {
	c := wire.NewCompressor(15, takeover)
	plain, left := 0, 0
	for i := range min(1000, sourceUnits/size) {
		p := s.cut(i*size, size)
		plain, left = plain+len(p), left+len(c.Compress(bytes.NewReader(p)))
	}
	return 1000 * float64(left) / float64(plain)
}

// Messages go round the end, and are whole characters.
func TestSource_GoesRound(t *testing.T) {
	for _, name := range sourceNames() {
		s := sources[name]
		want := append(bytes.Clone(s.cut(sourceUnits-5, 5)), s.cut(0, 5)...)
		if got := s.cut(3*sourceUnits-5, 10); !bytes.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for i := 0; i < sourceUnits; i += 997 {
		if p := sources["html"].cut(i, 100); !utf8.Valid(p) || utf8.RuneCount(p) != 100 {
			t.Fatalf("html from %d: %q", i, p)
		}
	}
}

// A message's compressed form is the right one wherever it stands, with all that went
// before it and however it is asked for.
func TestCompressedCycle_IsUnderstood(t *testing.T) {
	for _, takeover := range []bool{true, false} {
		for _, bits := range []int{9, 15} {
			for _, size := range []int{64, 512, 20000, 1 << 15, 1 << 17} {
				data := &cycle{source: sources["html"], size: size}
				d := wire.Decompressor{Bits: bits, Takeover: takeover, Strict: size < 1000, Limit: 1 << 20}
				forms := compressed(data, bits, takeover)
				for k := range min(600, 3*sourceUnits/size) {
					plain, err := d.Decompress(forms.message(k))
					if err != nil || !bytes.Equal(plain, data.message(k)) {
						t.Fatalf("takeover %t, %d bits, message %d of %d: %v", takeover, bits, k, size, err)
					}
				}
				if size >= keptSize && compressed(data, bits, takeover) != forms {
					t.Error("it was not kept")
				}
			}
		}
	}
}
