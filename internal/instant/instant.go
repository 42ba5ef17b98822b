// Package instant has times that take a third of the memory of a time.Time.
package instant

import (
	"math"
	"time"
)

// A Time is the ns since epoch. 0 is none, and before all others that there are.
type Time int64

// epoch is before all that package testing/synctest calls now.
var epoch = time.Now().Add(-50 * 365 * 24 * time.Hour)

// Now is time.Now.
func Now() Time { return Time(time.Since(epoch)) }

// Of returns the Time that is nearest to t, 0 for the zero t.
func Of(t time.Time) Time {
	if t.IsZero() {
		return 0
	}
	return Time(max(t.Sub(epoch), 1))
}

// Add returns the last Time there is for one beyond it: d may stand for ever.
func (t Time) Add(d time.Duration) Time {
	if sum := t + Time(d); sum >= t || d < 0 {
		return sum
	}
	return math.MaxInt64
}

// Sub returns how long after u t is.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t - u) }

// Since returns how long ago t was.
func (t Time) Since() time.Duration { return Now().Sub(t) }

// Until returns how long it is until t.
func (t Time) Until() time.Duration { return t.Sub(Now()) }
