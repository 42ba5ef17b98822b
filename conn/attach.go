package conn

import (
	"context"
	"sync"
)

// Attach is Handle for a connection over an EventStream, of which it reports whether
// this is one. It returns when begin has, and f with what was there to be read. From
// then on f is called from where the stream says that there is more, with one message
// after the other, and end once, with the error that Handle would return.
//
// While f takes its time, what the stream says is read by whoever it says it to: Pings
// are answered, the peer's Close is seen, and up to waiting messages are kept.
func (c *Conn) Attach(waiting int, begin func() bool, f func(Message) bool, end func(error)) bool {
	s, ok := c.stream.(EventStream)
	if !ok {
		return false
	}
	a := &attached{c: c, f: f, end: end, most: waiting, active: true}
	a.change.L = &a.mu
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
	most int

	mu       sync.Mutex
	change   sync.Cond
	active   bool // somebody reads or is in f, and goes on to the end of what there is
	again    bool // there has been a call since
	over     bool
	relieved bool // the inbox is not that of who is in f
	reading  bool // but of somebody who reads on for them
	waiting  []Message
	err      error // that ended their reading
}

// idle reports whether the stream's word is waited for.
func (a *attached) idle() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.active || a.relieved && len(a.waiting) < a.most
}

// ready is called when there may be something to read.
func (a *attached) ready() {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.over:
	case a.active:
		a.again = true
		if !a.reading && a.most > 0 {
			a.relieve()
		}
	default:
		a.active = true
		a.mu.Unlock()
		defer a.mu.Lock()
		a.run(nil)
	}
}

// run reads and calls f until there is nothing left to read.
func (a *attached) run(begin func() bool) {
	over, err := true, errCallbackExit // unless this returns in order
	defer func() {
		if over {
			a.finish(err)
		}
	}()
	if over = a.takeInbox(); !over {
		if begin != nil {
			begin()
		}
		return
	}
	more := true
	if begin != nil {
		if more, err = a.take(Message{}, func(Message) bool { return begin() }); !more {
			return
		}
	}
	for {
		a.c.in.hasty = true
		var m Message
		if m, err = a.c.nextLent(context.Background()); err == nil {
			err = errCallbackExit
			if more, err = a.take(m, a.f); !more {
				return
			}
			continue
		}
		a.c.freeInbox()
		if err != errNotReady {
			return
		}
		err = errCallbackExit // or a hook's
		if over = a.rest() && a.takeInbox(); !over {
			return
		}
	}
}

// takeInbox makes the caller the reader. If it cannot, that is Close, which reads to
// the end.
func (a *attached) takeInbox() bool {
	if a.c.in.state.CompareAndSwap(free, busy) {
		return true
	}
	go func() {
		<-a.c.done
		a.finish(a.c.Err())
	}()
	return false
}

// rest ends the activity, unless there has been a call meanwhile.
func (a *attached) rest() (again bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	again, a.again = a.again, false
	a.active = again
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
	more = now(m)
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
	if !a.c.in.state.CompareAndSwap(free, busy) {
		<-a.c.done
		return false, a.c.Err()
	}
	return true, nil
}

// drain handles what has been read by others, until nothing is left.
func (a *attached) drain() (more bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.relieved { // Close has read on to the end, or is about to
		a.mu.Unlock()
		<-a.c.done
		a.mu.Lock()
		return false, a.c.Err()
	}
	for {
		for a.reading {
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
	a.relieved, a.waiting = false, nil
	a.c.handling.Store(false)
	return a.err == nil, a.err
}

// call calls f without mu.
func (a *attached) call(m Message) (more bool) {
	a.mu.Unlock()
	defer a.mu.Lock()
	return a.f(m)
}

// relieve reads on for those who are in f with a message that is lent; mu is held.
func (a *attached) relieve() {
	if !a.relieved {
		if !a.c.takeLent() {
			return // they read themselves
		}
		a.relieved = true
		a.c.handling.Store(true)
	}
	a.reading = true
	for a.again && len(a.waiting) < a.most && a.err == nil {
		a.again = false
		for len(a.waiting) < a.most && a.err == nil {
			a.mu.Unlock()
			m, err := a.c.readNow()
			a.mu.Lock()
			if err == errNotReady {
				break
			}
			if a.err = err; err == nil {
				a.waiting = append(a.waiting, m)
				a.tellWaiting(len(a.waiting))
			}
		}
	}
	a.reading = false
	a.change.Broadcast()
}

// tellWaiting tells the Observer, without mu.
func (a *attached) tellWaiting(n int) {
	if a.c.opt.Observer != nil {
		a.mu.Unlock()
		defer a.mu.Lock()
		a.c.tellWaiting(n)
	}
}

// readNow is Read of what there is, for the reader that has been relieved.
func (c *Conn) readNow() (m Message, err error) {
	if !c.in.state.CompareAndSwap(free, busy) { // Close reads
		<-c.done
		return m, c.Err()
	}
	defer c.freeInbox()
	c.in.hasty = true
	return c.readTaken(context.Background(), nil)
}

func (a *attached) finish(err error) {
	a.mu.Lock()
	a.over = true
	for a.reading {
		a.change.Wait()
	}
	a.c.handling.Store(false)
	a.mu.Unlock()
	a.end(err)
}
