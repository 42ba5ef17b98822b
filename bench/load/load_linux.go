// Package load is the clients of the benchmarks: frames made beforehand, one thread,
// one epoll set, one system call for a flight of messages. All servers meet the same.
package load

import (
	"fmt"
	"net/netip"
	"syscall"
	"time"

	"github.com/swan-ws/websocket/bench"
	"github.com/swan-ws/websocket/frame"
)

// A Load is the clients of a scenario, connected. It is for one goroutine.
type Load struct {
	s     bench.Scenario
	addr  netip.AddrPort
	cycle *cycle
	poll  poll
	peers []*peer
	dial  *dialer // of bench.Dial, which has no peers

	limit   Limit
	began   time.Time
	sent    int // that have an answer each: messages, deliveries asked for, handshakes
	waiting int // answers to come
	count   Count
}

// A Limit is when a Run ends: after so many messages, or so long; 0 is no limit.
type Limit struct {
	Messages int
	Time     time.Duration
}

// A Count is what a Run did.
type Count struct {
	Messages int           // that came back, deliveries or handshakes
	Bytes    int           // that came, frame headers included
	Time     time.Duration // from the first byte sent to the last one received
}

// New connects the clients of s to addr, an IPv4 address of the loopback interface.
func New(addr string, s bench.Scenario) (*Load, error) {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	if !ap.Addr().Is4() || !ap.Addr().IsLoopback() {
		return nil, fmt.Errorf("%s is not an IPv4 address of the loopback interface", addr)
	}
	l := &Load{s: s, addr: ap}
	if l.poll, err = newPoll(); err != nil {
		return nil, err
	}
	switch s.Kind {
	case bench.Dial:
		l.dial = newDialer(l)
		return l, nil
	case bench.Broadcast:
		l.cycle = command(s)
	default:
		l.cycle = newCycle(s.Size, s.Flight, s.Deflate)
	}
	for len(l.peers) < s.Conns {
		if err := l.connect(min(s.Conns-len(l.peers), 64)); err != nil {
			l.Close()
			return nil, err
		}
	}
	return l, nil
}

// command is the message that has the server send others to all.
func command(s bench.Scenario) *cycle {
	c := &cycle{}
	c.add(newZip(bench.Off).frame(frame.OpText, fmt.Appendf(nil, "bcast:%d:%d", s.Flight, s.Size)))
	return c
}

// connect adds n connections, whose handshakes are all under way at the same time.
func (l *Load) connect(n int) error {
	first := len(l.peers)
	each := func(f func(i int, b blocking) error) error {
		for i := first; i < len(l.peers); i++ {
			if err := f(i, blocking(l.peers[i].fd)); err != nil {
				return fmt.Errorf("connection %d of %d: %w", i+1, l.s.Conns, err)
			}
		}
		return nil
	}
	for range n {
		b, err := connect(l.addr)
		if err != nil {
			return err
		}
		p := &peer{fd: int(b)}
		if l.s.Deflate == bench.Off && l.s.Kind != bench.Broadcast {
			p.want = l.s.Size
		}
		l.peers = append(l.peers, p)
	}
	err := each(func(_ int, b blocking) error { return b.write(request(l.s.Deflate)) })
	if err == nil {
		err = each(func(_ int, b blocking) error { return b.upgraded(l.s.Deflate) })
	}
	if err == nil && l.s.Kind == bench.Broadcast {
		err = each(func(_ int, b blocking) error { return b.introduce() })
	}
	if err == nil {
		err = each(func(i int, b blocking) error { return l.poll.add(int(b), i) })
	}
	return err
}

// Close resets all connections.
func (l *Load) Close() {
	for _, p := range l.peers {
		syscall.Close(p.fd)
	}
	if l.dial != nil {
		l.dial.close()
	}
	l.poll.close()
}

// Run has the clients do what they are for until limit is reached, and all answers
// have come. With bench.Idle, which has a limit of its own, each sends one message.
func (l *Load) Run(limit Limit) (Count, error) {
	l.limit, l.began, l.sent, l.count = limit, time.Now(), 0, Count{}
	err := l.start()
	for err == nil && l.waiting > 0 {
		err = l.poll.wait(l.event)
	}
	l.count.Time = time.Since(l.began)
	return l.count, err
}

func (l *Load) start() error {
	switch l.s.Kind {
	case bench.Dial:
		return l.dial.start()
	case bench.Broadcast:
		return l.fly(l.peers[0])
	case bench.Idle:
		return l.fly(l.next())
	}
	for _, p := range l.peers {
		if err := l.fly(p); err != nil {
			return err
		}
	}
	return nil
}

// next returns whose turn it is of an Idle, nil at the end.
func (l *Load) next() *peer {
	if l.sent == len(l.peers) {
		return nil
	}
	return l.peers[l.sent]
}

// over reports whether nothing more is to be sent.
func (l *Load) over() bool {
	return l.limit.Messages > 0 && l.sent >= l.limit.Messages || l.limit.Time > 0 && time.Since(l.began) >= l.limit.Time
}

// fly sends p's next flight of messages, unless the run is over.
func (l *Load) fly(p *peer) error {
	if p == nil || l.over() {
		return nil
	}
	messages, answers := l.s.Flight, l.s.Flight
	if l.s.Kind == bench.Broadcast {
		messages, answers = 1, l.s.Flight*len(l.peers)
	} else if l.limit.Messages > 0 {
		messages = min(messages, l.limit.Messages-l.sent)
		answers = messages
	}
	l.sent += answers
	l.waiting += answers
	p.left = answers
	p.queue(l.cycle, messages)
	return p.flush(l.cycle)
}

// event is called with what epoll has to say of the peer number i.
func (l *Load) event(i int, writable, readable bool) error {
	if l.dial != nil {
		return l.dial.event(i)
	}
	p := l.peers[i]
	if writable {
		if err := p.flush(l.cycle); err != nil {
			return err
		}
	}
	if !readable {
		return nil
	}
	n, bytes, err := p.read(l.poll.buffer)
	if err != nil {
		return err
	}
	l.waiting -= n
	p.left -= n
	l.count.Messages += n
	l.count.Bytes += bytes
	switch {
	case l.s.Kind == bench.Idle && n > 0:
		return l.fly(l.next())
	case l.s.Kind == bench.Broadcast && l.waiting == 0:
		return l.fly(l.peers[0])
	case l.s.Kind == bench.Echo && p.left == 0 && n > 0:
		return l.fly(p)
	}
	return nil
}
