package loop

import "time"

// An instant is a time in a third of the memory: the ns since epoch. 0: never.
type instant int64

var epoch = time.Now()

func now() instant { return instant(time.Since(epoch)) + 1 }

// instantOf returns 0 for no time.
func instantOf(t time.Time) instant {
	if t.IsZero() {
		return 0
	}
	return instant(max(t.Sub(epoch), 1))
}

func (t instant) add(d time.Duration) instant { return t + instant(d) }

// left returns how long it is until then.
func (t instant) left() time.Duration { return time.Duration(t - now()) }
