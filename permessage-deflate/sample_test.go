package deflate

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// kinds are what sample makes messages of.
var kinds = []string{"zeros", "random", "letters", "json", "echoes"}

// sample returns n bytes. "echoes" repeats itself at distances about powers of
// two, which a compressor may use or not, depending on its window.
func sample(r *rand.Rand, kind string, n int) []byte {
	p := make([]byte, 0, n)
	for len(p) < n {
		switch kind {
		case "zeros":
			p = append(p, 0)
		case "random":
			p = append(p, byte(r.Uint32()))
		case "letters":
			p = append(p, "etaoin shrdlu"[min(r.IntN(13), r.IntN(13))])
		case "json":
			p = fmt.Appendf(p, `{"id":%d,"user":"user%d","text":"%s %s","price":%d.%02d,"at":"2024-05-%02dT12:%02d:00Z"},`,
				r.IntN(1e6), r.IntN(50), words[r.IntN(len(words))], words[r.IntN(len(words))], r.IntN(1000), r.IntN(100), 1+r.IntN(28), r.IntN(60))
		case "echoes":
			back := 1<<(7+r.IntN(9)) + r.IntN(5) - 2
			if back > len(p) || r.IntN(3) == 0 {
				for range 1 + r.IntN(300) {
					p = append(p, byte(r.Uint32()))
				}
				continue
			}
			for range 4 + r.IntN(40) {
				p = append(p, p[len(p)-back])
			}
		}
	}
	return p[:n]
}

var words = []string{"swan", "lake", "feather", "a quick brown fox", "over the lazy dog", "hello", "world", "true", "null"}

// fewer rounds are enough where each takes long, and where only races are looked for.
func fewer(n int) int {
	if raceDetector || testing.Short() {
		return 1 + n/10
	}
	return n
}

// someSample is of any kind and mostly short.
func someSample(r *rand.Rand, most int) []byte {
	return sample(r, kinds[r.IntN(len(kinds))], r.IntN(1+r.IntN(1+most)))
}
