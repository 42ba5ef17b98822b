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
	if c.eventStream == nil {
		return false
	}
	a := &attached{c: c, f: f, end: end, most: int32(min(waiting, math.MaxInt32))}
	a.is.set(active)
	c.flags.set(away)
	c.events.Store(a)
	c.eventStream.OnReadable(a.ready)
	a.run(begin)
	return true
}

// attached is a connection that is read when its stream says so.
type attached struct {
	c    *Conn
	f    func(Message) bool
	end  func(error)
	most int32 // messages that wait
	is   flags // of the following; mu's, but for the way from resting to active and back

	mu      sync.Mutex
	*relief // nil: who is in f has the inbox
}

// What an attached connection is: resting, or a set of the others.
const (
	active   = 1 << iota // somebody reads or is in f, and goes on to the end of what there is
	again                // there has been a call since, or not all has been read
	relieved             // somebody reads on for who is in f
	over
	resting = 0
)

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
	return !a.is.has(active) || a.relief != nil && !a.is.has(again)
}

// ready is called when there may be something to read.
func (a *attached) ready() {
	for !a.is.CompareAndSwap(resting, active) {
		if a.lookAgain() {
			return
		}
	}
	a.run(nil)
}

// lookAgain has those who are active look again, and reads on for them if they are in
// f. It reports false if nobody is.
func (a *attached) lookAgain() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch is := a.is.Load(); {
	case is&over != 0:
		return true
	case is == resting, !a.is.CompareAndSwap(is, is|again): // it has come to rest
		return false
	}
	a.relieve()
	return true
}

// streamClosed has this end, by whoever is active if somebody is.
func (a *attached) streamClosed() {
	a.mu.Lock()
	is := a.is.Load()
	told := is != resting && a.is.CompareAndSwap(is, is|again)
	a.mu.Unlock()
	if !told {
		go a.ready()
	}
}

// run calls begin, if it is not nil, and then reads and calls f until there is nothing
// left to read.
func (a *attached) run(begin func() bool) {
	if !a.takeInbox() {
		defer a.leaveToClose()
		if begin != nil {
			begin()
		}
		return
	}
	var err error
	mine, goesOn := true, false
	defer func() { // whoever ends this goroutine
		if goesOn {
			return
		}
		if mine || a.c.takeBack() {
			a.c.freeInbox()
		}
		a.finish(err)
	}()
	take := func(m Message, now func(Message) bool) bool {
		mine = false
		mine, err = a.take(m, now)
		return mine
	}
	if begin != nil && !take(Message{}, func(Message) bool { return begin() }) {
		return
	}
	for {
		m, unread := a.c.nextLent(context.Background())
		switch unread.(type) {
		case nil:
			if !take(m, a.f) {
				return
			}
		case notReady:
			if goesOn = a.pause(); goesOn {
				return
			}
		default:
			err = unread
			return
		}
	}
}

// takeInbox makes the caller the reader, who does not wait, unless that is Close.
func (a *attached) takeInbox() bool {
	if !a.c.becomeReader() {
		return false
	}
	a.c.in.hasty = true
	return true
}

// leaveToClose has this end with Close, which reads to the end.
func (a *attached) leaveToClose() {
	go func() {
		<-a.c.Done()
		a.finish(a.c.Err())
	}()
}

// pause ends the activity, with the inbox free. If there has been a call meanwhile it
// takes the inbox again and reports false.
func (a *attached) pause() bool {
	a.c.freeInbox()
	if a.rest() {
		return true
	}
	if a.takeInbox() {
		return false
	}
	a.leaveToClose()
	return true
}

// rest ends the activity, unless there has been a call meanwhile.
func (a *attached) rest() bool {
	return !a.c.flags.has(away) && a.is.CompareAndSwap(active, resting) || a.restUnlessCalled()
}

func (a *attached) restUnlessCalled() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.is.has(again) {
		a.is.clear(again)
		return false
	}
	a.c.flags.clear(away)
	a.is.clear(active)
	return true
}

// take has now called with m, then f with what has been read meanwhile. The inbox is
// the caller's before, and after if there may be more; otherwise it may be lent.
func (a *attached) take(m Message, now func(Message) bool) (more bool, err error) {
	a.c.lend()
	if !a.watched(now)(m) {
		return false, a.c.Err()
	}
	if a.c.takeBack() {
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

// watched returns f, which does not go unseen if it takes its time where the loop
// would not see it.
func (a *attached) watched(f func(Message) bool) func(Message) bool {
	if !a.c.flags.has(away) || a.most <= 0 {
		return f
	}
	return func(m Message) bool {
		timer := time.AfterFunc(slowCallback, func() { a.lookAgain() })
		defer timer.Stop()
		return f(m)
	}
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
		for len(a.waiting) == 0 && a.is.has(relieved) {
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
	return a.watched(a.f)(m)
}

// relieve reads on for those who are in f with a message that is lent; mu is held.
func (a *attached) relieve() {
	a.c.flags.set(away)
	if a.is.has(relieved) || a.most <= 0 {
		return
	}
	if a.relief == nil {
		if !a.c.takeLent() {
			return // they read themselves
		}
		a.relief = &relief{change: sync.Cond{L: &a.mu}}
		a.c.flags.set(atWork)
	}
	a.is.set(relieved)
	defer func() {
		a.is.clear(relieved)
		a.change.Broadcast()
	}()
	for a.is.has(again) && len(a.waiting) < int(a.most) && a.err == nil {
		a.putAside()
	}
}

// putAside reads one message, if it is there. mu is held.
func (a *attached) putAside() {
	a.is.clear(again)
	a.err = errHookExit
	m, err := a.readNow()
	switch a.err = nil; err.(type) {
	case nil:
		a.is.set(again)
		a.waiting = append(a.waiting, m)
		a.change.Broadcast()
		a.tellWaiting(len(a.waiting))
	case notReady:
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
	return a.c.readTaken(context.Background(), nil)
}

func (a *attached) finish(err error) {
	a.mu.Lock()
	a.is.set(over)
	for a.is.has(relieved) {
		a.change.Wait()
	}
	a.c.flags.clear(atWork)
	a.mu.Unlock()
	a.end(err)
}
