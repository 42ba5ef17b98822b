//go:build !race && !386 && !s390x

package quick

import (
	"sync/atomic"
	"syscall"
	"time"
)

// monitor is what is done for that of the runtime. It rests when all goroutines wait,
// until there is a call that it is told of, or the next timer is due. The first of our
// calls after a rest goes with one that it is told of, and then there is a timer that
// is due soon, as long as there are calls.
var monitor struct {
	called atomic.Bool // there has been a call since the timer was set
	awake  atomic.Bool // there is a timer
}

// soon is how long the monitor may rest while there are calls.
const soon = 5 * time.Millisecond

// watch is part of a call that may be the first after a rest. Writes are not: who writes
// has read before, or was woken by a timer, as the monitor then is.
func watch() {
	if !monitor.called.Load() {
		rouse()
	}
}

// rouse is seldom called, and at the bottom of stacks that are to stay small: the timer
// is for another goroutine to set. That has its turn before all wait.
func rouse() {
	monitor.called.Store(true)
	if monitor.awake.CompareAndSwap(false, true) {
		syscall.Syscall(syscall.SYS_GETPID, 0, 0, 0)
		go stayAwake()
	}
}

func stayAwake() {
	m := &monitor
	for ok := true; ok; ok = m.called.Load() && m.awake.CompareAndSwap(false, true) {
		for m.called.Swap(false) {
			time.Sleep(soon)
		}
		m.awake.Store(false)
	}
}
