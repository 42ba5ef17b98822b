package loop

import (
	"encoding/binary"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/swan-ws/websocket/internal/instant"
	"github.com/swan-ws/websocket/internal/quick"
)

const (
	// batchSize is how many events one wait brings at most.
	batchSize = 128
	// slowTurn is how often it is looked at whether a callback is the one of the last
	// time. After twice that at most, another goroutine takes the loop over; or when the
	// runtime has interrupted it, if callbacks compute on all processors.
	slowTurn = 5 * time.Millisecond
)

// A poller waits for its sockets and calls back, on one goroutine at a time. The
// goroutine whose callback is slow, or has to wait for the peer, is left to it, and
// another goes on with the rest of the batch: see handOff.
type poller struct {
	epfd, wakefd int
	// The descriptor of epoll is one that the runtime waits for, with all others: no
	// thread is held while there is nothing to do.
	raw  syscall.RawConn
	poll func(fd uintptr) bool // p.collect, bound once

	mu      sync.Mutex
	count   int
	running bool
	owner   uint64  // which goroutine is the poller's: they are numbered
	current *Socket // whose callback it is in; nil: it waits
	turns   uint64
	seen    uint64       // what turns was when the timer ran out last
	armed   bool         // the timer runs
	due     instant.Time // when it is to run out
	timer   *time.Timer

	batch   [batchSize]syscall.EpollEvent
	n, next int // batch[next:n] has not been dealt with
}

// pollers share the sockets out among them. They are made at the first use that
// finds descriptors for them.
var pollers struct {
	mu   sync.Mutex
	all  []*poller
	last int
}

func nextPoller() (*poller, error) {
	ps := &pollers
	ps.mu.Lock()
	defer ps.mu.Unlock()
	for len(ps.all) < runtime.GOMAXPROCS(0) {
		p, err := newPoller()
		if err != nil && len(ps.all) == 0 {
			return nil, err
		}
		if err != nil {
			break // those that there are do it
		}
		ps.all = append(ps.all, p)
	}
	ps.last++
	return ps.all[ps.last%len(ps.all)], nil
}

func newPoller() (*poller, error) {
	epfd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	syscall.SetNonblock(epfd, true) // or the runtime would not wait for it
	file := os.NewFile(uintptr(epfd), "epoll")
	wakefd, _, errno := syscall.RawSyscall(syscall.SYS_EVENTFD2, 0, syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
	if errno != 0 {
		file.Close()
		return nil, os.NewSyscallError("eventfd2", errno)
	}
	p := &poller{epfd: epfd, wakefd: int(wakefd)}
	p.poll = p.collect
	if p.raw, err = file.SyscallConn(); err == nil {
		err = p.watch(p.wakefd, syscall.EPOLLIN)
	}
	if err != nil {
		syscall.Close(p.wakefd)
		file.Close()
		return nil, err
	}
	return p, nil
}

// collect fetches the next batch, if there is one.
func (p *poller) collect(uintptr) bool {
	n, _ := quick.EpollPoll(p.epfd, p.batch[:])
	p.n, p.next = max(n, 0), 0
	return n > 0
}

// edgeTriggered is EPOLLET, which package syscall has as a negative number.
const edgeTriggered = 1 << 31

func (p *poller) watch(fd int, events uint32) error {
	e := syscall.EpollEvent{Events: events | edgeTriggered, Fd: int32(fd)}
	return os.NewSyscallError("epoll_ctl", quick.EpollAdd(p.epfd, fd, &e))
}

// unwatch undoes watch, if it has been called.
func (p *poller) unwatch(fd int) { syscall.EpollCtl(p.epfd, syscall.EPOLL_CTL_DEL, fd, nil) }

// enter makes s one of the poller's sockets, for which it begins to wait with add.
func (p *poller) enter(s *Socket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	makeSlot(int(s.fd)).socket.Store(s)
	p.count++
}

// add begins to wait for s, on a new goroutine if there is none.
func (p *poller) add(s *Socket) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.watch(int(s.fd), syscall.EPOLLIN|syscall.EPOLLOUT|syscall.EPOLLRDHUP|syscall.EPOLLPRI); err != nil {
		return err
	}
	if !p.running {
		p.running = true
		p.start()
	}
	return nil
}

// remove is called before the descriptor is closed, and may be somebody else's.
func (p *poller) remove(s *Socket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget(s)
}

func (p *poller) forget(s *Socket) {
	slot := slotOf(int(s.fd))
	slot.socket.Store(nil)
	slot.wakeAt.Store(0)
	if p.count--; p.count == 0 && p.running {
		syscall.Write(p.wakefd, binary.NativeEndian.AppendUint64(nil, 1)) // nobody takes it down again
	}
}

// start makes a new goroutine the poller's; mu is held.
func (p *poller) start() {
	p.owner++
	p.current = nil
	go p.run(p.owner)
}

func (p *poller) run(me uint64) {
	over := false
	defer func() {
		if !over { // runtime.Goexit in a callback
			p.replace(me)
		}
	}()
	for {
		s, events, mine := p.take(me)
		if !mine {
			over = true
			return
		}
		s.event(events)
	}
}

// take ends a turn and begins the next, with what there is or comes. The poller is
// not the caller's any more if somebody has taken it over, or nobody is left to wait
// for.
func (p *poller) take(me uint64) (s *Socket, events uint32, mine bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.owner != me {
		return nil, 0, false
	}
	p.current = nil
	for {
		for p.next < p.n {
			e := &p.batch[p.next]
			p.next++
			if s := p.socket(int(e.Fd)); s != nil {
				p.begin(s)
				return s, e.Events, true
			}
		}
		if p.count == 0 {
			p.running = false
			return nil, 0, false
		}
		p.mu.Unlock()
		err := p.raw.Read(p.poll)
		p.mu.Lock()
		if err != nil {
			panic("loop: epoll cannot be waited for: " + err.Error()) // it is never closed
		}
	}
}

// socket returns the one with that descriptor, nil if it is gone, or none.
func (p *poller) socket(fd int) *Socket {
	if slot := slotOf(fd); slot != nil {
		if s := slot.socket.Load(); s != nil && s.p == p {
			return s
		}
	}
	return nil
}

// begin begins a turn. The timer is not set for each: it runs out now and then, as
// long as there are any. mu is held.
func (p *poller) begin(s *Socket) {
	p.current = s
	p.turns++
	if !p.armed {
		p.armed = true
		p.setTimer()
	}
}

func (p *poller) setTimer() {
	p.due = instant.Now().Add(slowTurn)
	if p.timer == nil {
		p.timer = time.AfterFunc(slowTurn, p.tick)
	} else {
		p.timer.Reset(slowTurn)
	}
}

// tick takes the callback for slow that it has met before. If it comes late itself, all
// processors are computing, and it does not wait for another time.
func (p *poller) tick() {
	p.mu.Lock()
	defer p.mu.Unlock()
	late := p.due.Since() > slowTurn
	if p.turns != p.seen && (!late || p.current == nil) {
		p.seen = p.turns
		p.setTimer()
		return
	}
	if p.current != nil {
		p.leave()
	}
	p.armed = false // the next turn sets the timer
}

// leave leaves the goroutine to the callback that it is in, and calls that again: what
// has come before may be read by somebody else. mu is held.
func (p *poller) leave() {
	slow := p.current
	p.start()
	go slow.event(syscall.EPOLLIN)
}

// handOff has another goroutine take the poller over if it is in a callback of s.
func (p *poller) handOff(s *Socket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current == s {
		p.leave()
	}
}

// replace has another goroutine take the poller over if it is me.
func (p *poller) replace(me uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.owner == me {
		p.start()
	}
}
