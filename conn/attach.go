package conn

import (
	"context"
	"math"
	"sync"
	"time"
)

// Attach is Handle for a connection over an EventStream, of which it reports whether
// this is one. It returns when begin has, and f with what was there to be read. From
// then on f is called from where the stream says that there is more, with one message
// after the other, and end once, with the error that Handle would return; nil if a
// callback ended its goroutine.
//
// While f takes its time, what the stream says is read by whoever it says it to: Pings
// are answered, the peer's Close is seen, and up to waiting messages are kept.
func (c *Conn) Attach(waiting int, begin func() bool, f func(Message) bool, end func(error)) bool {
	s, ok := c.stream.(EventStream)
	if !ok {
		return false
	}
	a := &attached{c: c, f: f, end: end, most: int32(min(waiting, math.MaxInt32)), active: true}
	c.flags.set(away)
	c.events.Store(a)
	s.OnReadable(a.ready)
	a.run(begin)
	return true
}

// attached is a connection that is read when its stream says so.
type attached struct {
	c    *Conn
	f    func(Message) bool
	end  func(error)
	most int32 // messages that wait

	active  bool // mu's: somebody reads or is in f, and goes on to the end of what there is
	again   bool // there has been a call since, or not all has been read
	over    bool
	reading bool // somebody reads on for who is in f
	mu      sync.Mutex
	*relief // nil: who is in f has the inbox
}

// relief is what has been read on for a callback that is slow.
type relief struct {
	change  sync.Cond
	waiting []Message
	err     error // that ended the reading
}

// idle reports whether the stream's word is waited for: nothing is left unread.
func (a *attached) idle() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.active || a.relief != nil && !a.again
}

// ready is called when there may be something to read.
func (a *attached) ready() {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.over:
	case a.active:
		a.relieve()
	default:
		a.active = true
		a.mu.Unlock()
		defer a.mu.Lock()
		a.run(nil)
	}
}

// slow is called when f takes its time.
func (a *attached) slow() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.active && !a.over {
		a.relieve()
	}
}

// run reads and calls f until there is nothing left to read.
func (a *attached) run(begin func() bool) {
	if !a.takeInbox() {
		defer a.leaveToClose()
		if begin != nil {
			begin()
		}
		return
	}
	over, more := true, true
	var err error
	defer func() {
		if over { // or somebody ends this goroutine
			a.finish(err)
		}
	}()
	if begin != nil {
		if more, err = a.take(Message{}, func(Message) bool { return begin() }); !more {
			return
		}
	}
	for {
		m, unread := a.next()
		switch {
		case unread == nil:
			if more, err = a.take(m, a.f); !more {
				return
			}
		case unread != errNotReady:
			err = unread
			return
		case !a.rest():
			over = false
			return
		case !a.takeInbox():
			over = false
			a.leaveToClose()
			return
		}
	}
}

// next is nextLent of what there is. The inbox is free afterwards, if there is no
// message.
func (a *attached) next() (m Message, err error) {
	lent := false
	defer func() {
		if !lent { // or a hook ends this goroutine
			a.c.freeInbox()
		}
	}()
	a.c.in.hasty = true
	m, err = a.c.nextLent(context.Background())
	lent = err == nil
	return m, err
}

// takeInbox makes the caller the reader, unless that is Close.
func (a *attached) takeInbox() bool { return a.c.becomeReader() }

// leaveToClose has this end with Close, which reads to the end.
func (a *attached) leaveToClose() {
	go func() {
		<-a.c.Done()
		a.finish(a.c.Err())
	}()
}

// rest ends the activity, unless there has been a call meanwhile.
func (a *attached) rest() (again bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	again, a.again = a.again, false
	a.active = again
	if !again {
		a.c.flags.clear(away)
	}
	return again
}

// take has now called with m, then f with what has been read meanwhile. The inbox is
// the caller's before, and after if there may be more.
func (a *attached) take(m Message, now func(Message) bool) (more bool, err error) {
	out := true
	defer func() {
		if out && a.c.takeBack() { // now panicked
			a.c.freeInbox()
		}
	}()
	a.c.lend()
	more = a.watched(now, m)
	mine := a.c.takeBack()
	out = false
	switch {
	case !more:
		if mine {
			a.c.freeInbox()
		}
		return false, a.c.Err()
	case mine:
		return true, nil
	}
	if more, err = a.drain(); !more {
		return false, err
	}
	if !a.takeInbox() {
		<-a.c.Done()
		return false, a.c.Err()
	}
	return true, nil
}

// watched calls f, and slow if that takes its time, where the loop would not see it.
func (a *attached) watched(f func(Message) bool, m Message) (more bool) {
	if a.c.flags.has(away) && a.most > 0 {
		timer := time.AfterFunc(slowCallback, a.slow)
		defer timer.Stop()
	}
	return f(m)
}

// drain handles what has been read by others, until nothing is left.
func (a *attached) drain() (more bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.relief == nil { // Close has read on to the end, or is about to
		a.mu.Unlock()
		<-a.c.Done()
		a.mu.Lock()
		return false, a.c.Err()
	}
	for {
		for len(a.waiting) == 0 && a.reading {
			a.change.Wait()
		}
		if len(a.waiting) == 0 {
			break
		}
		m := a.waiting[0]
		a.waiting = a.waiting[1:]
		if !a.call(m) {
			return false, a.c.Err()
		}
	}
	err = a.err
	a.relief = nil
	a.c.flags.clear(atWork)
	return err == nil, err
}

// call calls f without mu.
func (a *attached) call(m Message) (more bool) {
	a.mu.Unlock()
	defer a.mu.Lock()
	return a.watched(a.f, m)
}

// relieve reads on for those who are in f with a message that is lent; mu is held.
func (a *attached) relieve() {
	a.again = true
	a.c.flags.set(away)
	if a.reading || a.most <= 0 {
		return
	}
	if a.relief == nil {
		if !a.c.takeLent() {
			return // they read themselves
		}
		a.relief = &relief{change: sync.Cond{L: &a.mu}}
		a.c.flags.set(atWork)
	}
	a.reading = true
	defer func() {
		a.reading = false
		a.change.Broadcast()
	}()
	for a.again && len(a.waiting) < int(a.most) && a.err == nil {
		a.putAside()
	}
}

// putAside reads one message, if it is there. mu is held.
func (a *attached) putAside() {
	a.again = false
	a.err = errHookExit
	m, err := a.readNow()
	switch a.err = nil; err {
	case nil:
		a.again = true
		a.waiting = append(a.waiting, m)
		a.change.Broadcast()
		a.tellWaiting(len(a.waiting))
	case errNotReady:
	default:
		a.err = err
	}
}

// tellWaiting tells the Observer, without mu.
func (a *attached) tellWaiting(n int) {
	if a.c.opt.Observer != nil {
		a.mu.Unlock()
		defer a.mu.Lock()
		a.c.tellWaiting(n)
	}
}

// readNow is Read of what there is, for the reader that has been relieved. mu is free
// meanwhile.
func (a *attached) readNow() (m Message, err error) {
	a.mu.Unlock()
	defer a.mu.Lock()
	if !a.takeInbox() { // Close reads
		<-a.c.Done()
		return m, a.c.Err()
	}
	defer a.c.freeInbox()
	a.c.in.hasty = true
	return a.c.readTaken(context.Background(), nil)
}

func (a *attached) finish(err error) {
	a.mu.Lock()
	a.over = true
	for a.reading {
		a.change.Wait()
	}
	a.c.flags.clear(atWork)
	a.mu.Unlock()
	a.end(err)
}
