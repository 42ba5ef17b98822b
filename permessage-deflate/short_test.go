package deflate

import (
	"bytes"
	"fmt"
	"testing"
)

// What takeover is for: each of these is too short to be made shorter by itself.
func TestCompressor_ShortMessagesThatAreAlike_ReferToEachOther(t *testing.T) {
	for _, bits := range []int{8, 9, 10, 12, 15} {
		t.Run(fmt.Sprint(bits), func(t *testing.T) {
			c, peer := NewCompressor(1, bits, true), &strict{size: 1 << bits}
			plain, wire := 0, 0
			for i := range 100 {
				p := fmt.Appendf(nil, `{"event":"price","symbol":"SWAN","bid":%d.%02d,"ask":%d.%02d}`, 100+i, i, 101+i, 99-i)
				z, ok := c.Append(nil, p)
				if !ok {
					t.Fatalf("message %d goes out as it is", i)
				}
				if got, err := peer.inflate(z); err != nil || !bytes.Equal(got, p) {
					t.Fatalf("message %d: %q, %v", i, got, err)
				}
				plain, wire = plain+len(p), wire+len(z)
			}
			if wire > plain*2/3 {
				t.Errorf("%d bytes for %d", wire, plain)
			}
		})
	}
}
