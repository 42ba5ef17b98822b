package conn

import (
	"bytes"
	"sync"
	"unsafe"
	"weak"

	"github.com/swan-ws/websocket/conn/machine"
)

// settled is what a connection keeps of its Config and does not change. Most have it in
// common with others, and share it.
type settled struct {
	Options
	role        machine.Role
	secure      bool
	subprotocol string
}

// recent are those of connections that are still there.
var recent struct {
	mu   sync.Mutex
	all  [8]weak.Pointer[settled]
	next int
}

func settle(cfg *Config) *settled {
	s := settled{cfg.Options.withDefaults(), cfg.Role, cfg.Secure, cfg.Subprotocol}
	recent.mu.Lock()
	defer recent.mu.Unlock()
	for _, w := range recent.all {
		if r := w.Value(); r != nil && r.same(&s) {
			return r
		}
	}
	r := new(s) // and not before: most need none
	recent.all[recent.next] = weak.Make(r)
	recent.next = (recent.next + 1) % len(recent.all)
	return r
}

// same reports whether t is s, down to its functions and its Codec, which have no ==.
func (s *settled) same(t *settled) bool {
	o, p := &s.Options, &t.Options
	return s.role == t.role && s.secure == t.secure && s.subprotocol == t.subprotocol &&
		o.MaxMessage == p.MaxMessage && o.MaxFragments == p.MaxFragments &&
		o.WriteTimeout == p.WriteTimeout && o.CloseTimeout == p.CloseTimeout &&
		o.PingEvery == p.PingEvery && o.PongWithin == p.PongWithin &&
		o.IdleTimeout == p.IdleTimeout && identical(o.OnIdle, p.OnIdle) &&
		o.Compression == p.Compression &&
		identical(o.OnPing, p.OnPing) && identical(o.OnPong, p.OnPong) && identical(o.AnswerPing, p.AnswerPing) &&
		o.Observer == p.Observer && identical(o.Codec, p.Codec)
}

// identical reports whether a and b are the same in memory; T has no padding.
func identical[T any](a, b T) bool { return bytes.Equal(memory(&a), memory(&b)) }

func memory[T any](v *T) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(v)), unsafe.Sizeof(*v)) }
