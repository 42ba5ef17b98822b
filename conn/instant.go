package conn

import (
	"math"
	"time"
)

// An instant is a time in a third of the memory: the ns since epoch. 0 is long ago.
type instant int64

// epoch is before all that package testing/synctest calls now.
var epoch = time.Now().Add(-50 * 365 * 24 * time.Hour)

func now() instant { return instant(time.Since(epoch)) }

// add returns the last instant there is for one beyond it: d may stand for ever.
func (t instant) add(d time.Duration) instant {
	if sum := t + instant(d); sum >= t || d < 0 {
		return sum
	}
	return math.MaxInt64
}

func (t instant) sub(u instant) time.Duration { return time.Duration(t - u) }

// since returns how long ago t was.
func (t instant) since() time.Duration { return now().sub(t) }
