package autobahn

import (
	"net"
	"sync"
	"time"
)

const (
	// moment is how long a write that is alone waits.
	moment = 10 * time.Microsecond
	// quickOctets is what can be taken as sent once it is queued.
	quickOctets = 16 << 10
	// joinOctets is how much of several frames is written at once.
	joinOctets = 64 << 10
	// flushTime is how long the last octets of a connection may take.
	flushTime = time.Second
)

// A sender writes to a connection what is put in its queue, so that the one who puts
// it there can go on reading.
type sender struct {
	conn net.Conn
	idle chan struct{} // has an element when the queue has become empty

	mu     sync.Mutex
	more   sync.Cond
	queue  []outgoing
	held   bool // what is queued stays there
	slow   bool // what is queued takes its time
	ending bool // nothing more is put in the queue
	busy   bool // a write is under way
	dead   bool // the connection takes no more
}

// outgoing is some octets, in pieces of chop octets if it is not 0, and after a
// moment if it is alone.
type outgoing struct {
	octets []byte
	chop   int
	alone  bool
}

func newSender(conn net.Conn) *sender {
	s := &sender{conn: conn, idle: make(chan struct{}, 1)}
	s.more.L = &s.mu
	return s
}

// put queues octets, which the sender keeps.
func (s *sender) put(octets []byte, chop int, alone bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead {
		return
	}
	behind := s.busy || len(s.queue) > 0 // another write: a moment that nothing waits for is none
	s.slow = s.slow || alone && behind || chop > 0 || len(octets) > quickOctets
	if n := len(s.queue); n > 0 && chop == 0 && !alone && len(octets) < joinOctets {
		if last := &s.queue[n-1]; last.chop == 0 && !last.alone && len(last.octets)+len(octets) <= joinOctets {
			last.octets = append(last.octets, octets...)
			return
		}
	}
	s.queue = append(s.queue, outgoing{octets, chop, alone})
	s.more.Signal()
}

// hold keeps what is put in the queue there until it is held no more, so that it can
// leave in one write.
func (s *sender) hold(held bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = held
	s.more.Signal()
}

// quick reports whether all that was put in the queue is as good as sent.
func (s *sender) quick() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dead || !s.slow
}

// drained reports whether all that was put in the queue is written.
func (s *sender) drained() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dead || len(s.queue) == 0 && !s.busy
}

// run writes until finish or a write that fails.
func (s *sender) run() {
	for {
		o, ok := s.next()
		if !ok {
			return
		}
		if err := s.write(o); err != nil {
			s.mu.Lock()
			s.dead, s.queue = true, nil
			s.mu.Unlock()
		}
	}
}

// next waits for something to write.
func (s *sender) next() (outgoing, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = false
	for len(s.queue) == 0 || s.held {
		if len(s.queue) == 0 {
			s.slow = false
			select {
			case s.idle <- struct{}{}:
			default:
			}
			if s.ending {
				return outgoing{}, false
			}
		}
		s.more.Wait()
	}
	o := s.queue[0]
	s.queue[0] = outgoing{}
	s.queue = s.queue[1:]
	s.busy = true
	return o, true
}

func (s *sender) write(o outgoing) error {
	if o.chop == 0 || o.chop >= len(o.octets) {
		if o.alone {
			time.Sleep(moment)
		}
		_, err := s.conn.Write(o.octets)
		return err
	}
	for p := o.octets; len(p) > 0; p = p[min(o.chop, len(p)):] {
		time.Sleep(moment)
		if _, err := s.conn.Write(p[:min(o.chop, len(p))]); err != nil {
			return err
		}
	}
	return nil
}

// finish lets run return, after what is in the queue is written, or at once.
func (s *sender) finish(abort bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if abort {
		s.queue, s.dead = nil, true
	}
	s.ending = true
	s.conn.SetWriteDeadline(time.Now().Add(flushTime))
	s.more.Signal()
}
