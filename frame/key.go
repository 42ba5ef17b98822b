package frame

import (
	"crypto/rand"
	"sync"
)

// keyBatch is how many random bytes are drawn at once: drawing four at a time
// would cost more than masking a short message.
const keyBatch = 512

type keyStock struct {
	bytes [keyBatch]byte
	used  int
}

// A stock belongs to one goroutine between Get and Put, so no key is ever given
// out twice.
var keyStocks = sync.Pool{New: func() any { return &keyStock{used: keyBatch} }}

// NewKey returns a masking key from the system's cryptographic source. §5.3:
// "The masking key needs to be unpredictable", and every frame needs its own.
func NewKey() Key {
	s := keyStocks.Get().(*keyStock)
	if s.used == keyBatch {
		rand.Read(s.bytes[:]) // never fails: it would end the program instead
		s.used = 0
	}
	k := Key(s.bytes[s.used : s.used+4])
	clear(s.bytes[s.used : s.used+4]) // a key on the wire is no longer in memory
	s.used += 4
	keyStocks.Put(s)
	return k
}
