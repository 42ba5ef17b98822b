package conn

import (
	"context"
	"sync"
	"time"
)

// watch turns the end of a reader's context into a passed read deadline. It
// stays with the context from one read to the next, so that a loop of reads
// with the same context costs nothing for it.
type watch struct {
	mu    sync.Mutex
	done  <-chan struct{} // of the context that is watched; nil: none
	stop  func() bool
	fired bool // the deadline has been passed on purpose
	over  bool // released for good
}

var longAgo = time.Unix(1, 0)

// watchContext makes reads fail when ctx ends. It is called by whoever reads.
func (c *Conn) watchContext(ctx context.Context) error {
	done := ctx.Done()
	if done != nil {
		select {
		case <-done:
			return ctx.Err()
		default:
		}
	}
	w := c.watch // only readers write it, and what is in it
	if w == nil {
		if done == nil {
			return nil
		}
		w = c.newWatch()
	}
	if done == w.done {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forget(c)
	if done == nil || w.over {
		return nil
	}
	w.done = done
	w.stop = context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.done == done {
			w.fired = true
			c.stream.SetReadDeadline(longAgo)
		}
	})
	return nil
}

func (c *Conn) newWatch() *watch {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watch = &watch{over: c.shut}
	return c.watch
}

// forget ends the watch; mu is held.
func (w *watch) forget(c *Conn) {
	if w.stop != nil {
		w.stop()
	}
	if w.fired {
		c.stream.SetReadDeadline(time.Time{})
	}
	w.done, w.stop, w.fired = nil, nil, false
}

// rearm reports whether a read failed because the watched context ended, and
// makes the next read possible again.
func (w *watch) rearm(c *Conn) bool {
	if w == nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.fired {
		return false
	}
	w.forget(c)
	return true
}

// drop ends the watch until the next read. It is called by whoever reads.
func (w *watch) drop(c *Conn) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forget(c)
}

// release ends the watch for good, so that a long-lived context does not keep a
// closed connection.
func (w *watch) release() {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stop != nil {
		w.stop()
	}
	w.stop, w.over = nil, true
}
