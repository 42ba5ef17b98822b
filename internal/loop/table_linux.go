package loop

import (
	"slices"
	"sync"
	"sync/atomic"
)

// table holds the sockets of all pollers, by descriptor. What is in it is looked up
// without a lock; it grows by chunks, which stay where they are.
var table struct {
	mu     sync.Mutex
	chunks atomic.Pointer[[]*chunk]
}

const chunkSize = 512

type chunk [chunkSize]slot

// slot is what is known of a descriptor.
type slot struct {
	socket atomic.Pointer[Socket]
	wakeAt atomic.Int64 // an instant; 0: never
}

func chunks() []*chunk {
	if all := table.chunks.Load(); all != nil {
		return *all
	}
	return nil
}

// slotOf returns nil if the table does not go so far.
func slotOf(fd int) *slot {
	if all := chunks(); fd < len(all)*chunkSize {
		return &all[fd/chunkSize][fd%chunkSize]
	}
	return nil
}

// makeSlot is slotOf in a table that goes so far.
func makeSlot(fd int) *slot {
	table.mu.Lock()
	defer table.mu.Unlock()
	for fd >= len(chunks())*chunkSize {
		more := append(slices.Clone(chunks()), new(chunk)) // others read the old list
		table.chunks.Store(&more)
	}
	return slotOf(fd)
}
