package deflate

import (
	"bytes"
	"testing"

	"github.com/swan-ws/websocket/handshake"
)

// What compress/flate accepts of a message and what stood before it, and nothing
// else, is accepted, with the same result, within the limit.
func FuzzInflate(f *testing.F) {
	f.Add([]byte(nil), []byte("\xf2\x48\xcd\xc9\xc9\x07\x00"), int64(5))
	f.Fuzz(func(t *testing.T, window, z []byte, limit int64) {
		window = window[max(0, len(window)-1<<15):]
		if limit <= 0 || limit > 1<<20 { // nor is the fuzzer's memory without end
			limit = 1 << 20
		}
		check(t, window, z, limit)
		if d := (&Decompressor{bits: 15, window: window}); inflatesTo(d, z) < 1<<20 {
			check(t, window, z, 0)
		}
	})
}

// inflatesTo is what becomes of z, a MiB at the most.
func inflatesTo(d *Decompressor, z []byte) int {
	p, _ := d.Append(nil, z, 1<<20)
	return len(p)
}

// Messages survive, in windows as agreed on: data is cut where it has a zero, and
// each part is sent whole or, if it begins with a byte above 0x80, in pieces.
func FuzzRoundTrip(f *testing.F) {
	f.Add(1, 15, true, []byte("Hello\x00Hello\x00\x81Hello"), 3)
	f.Fuzz(func(t *testing.T, level, bits int, takeover bool, data []byte, times int) {
		s := setting{1 + abs(level)%9, 8 + abs(bits)%8, takeover}
		c, d, peer := s.compressor(), s.decompressor(), &strict{size: 1 << s.bits}
		for i, p := range bytes.Split(data, []byte{0}) {
			pieces := len(p) > 0 && p[0] > 0x80
			p = bytes.Repeat(p, 1+abs(times)%(1+1<<14/(1+len(data)))) // so that windows fill
			var z []byte
			ok := true
			if pieces {
				w := c.Begin(nil)
				w.Write(p[:len(p)/3])
				w.Write(p[len(p)/3:])
				z = append(w.Take(), w.End()...)
			} else if z, ok = c.Append(nil, p); !ok {
				continue
			} else if !s.worthSending(len(z), len(p)) {
				t.Fatalf("%v: part %d: %d bytes of %d", s, i, len(z), len(p))
			}
			if !takeover {
				peer.window = nil
			}
			if got, err := peer.inflate(z); err != nil || !bytes.Equal(got, p) {
				t.Fatalf("%v: part %d: strict: %v, %d bytes of %d", s, i, err, len(got), len(p))
			}
			if got, err := d.Append(nil, z, int64(len(p))); err != nil || !bytes.Equal(got, p) {
				t.Fatalf("%v: part %d: %v, %d bytes of %d", s, i, err, len(got), len(p))
			}
			if len(p) > 1 {
				alone := Decompressor{bits: s.bits, window: bytes.Clone(c.window)}
				if got, err := alone.Append(nil, z, int64(len(p))-1); err == nil {
					t.Fatalf("%v: part %d: %d bytes, limit %d", s, i, len(got), len(p)-1)
				}
			}
		}
	})
}

func abs(n int) int { return max(n, -(n + 1)) }

// Whatever a header says: what is answered or agreed on is as §7 has it, and what
// §7 has us decline is declined.
func FuzzNegotiate(f *testing.F) {
	f.Add("permessage-deflate; client_max_window_bits", uint8(0), uint8(0))
	f.Fuzz(func(t *testing.T, header string, mode, bits uint8) {
		list, err := handshake.ParseExtensions([]string{header})
		if err != nil {
			return
		}
		o := Options{Mode: Mode(mode % 3), WindowBits: []int{0, 8, 9, 10, 11, 12, 13, 14, 15}[bits%9]}
		var taken *handshake.Extension
		for i, e := range list {
			if o.Mode != Off && legal(e, false) == nil {
				taken = &list[i]
				break
			}
		}
		p, reply, ok := o.Accept(list)
		if ok != (taken != nil) {
			t.Fatalf("%+v: Accept(%v) = %v, %v", o, list, reply, ok)
		}
		if ok && (obeys(*taken, reply) != nil || p != agreed(reply)) {
			t.Fatalf("%+v: Accept(%v) = %v, %+v: %v", o, list, reply, p, obeys(*taken, reply))
		}
		for _, e := range list {
			fits := false
			for _, offer := range o.Offer() {
				fits = fits || obeys(offer, e) == nil
			}
			if p, err := o.Confirm(e); (err == nil) != fits || fits && p != agreed(e) {
				t.Fatalf("%+v: Confirm(%v) = %+v, %v, want agreement: %v", o, e, p, err, fits)
			}
		}
	})
}
