package server

import (
	"context"
	"errors"
	"net/http"
	"os"
	"sync"
	"time"
)

// A requestContext is the context of a visit's request. It ends when the Handler
// returns, or when the client goes away before the connection is taken over: which is
// watched for as soon as somebody wants to know.
type requestContext struct {
	v     *visit
	place *place // nil: there is no limit
	ahead []byte // what came behind the head

	mu      sync.Mutex
	ctx     context.Context // made at the first Done
	cancel  context.CancelFunc
	stopped bool          // nobody may watch any more
	ended   bool          // the Handler has returned
	watched chan struct{} // closed when the watch is over; nil: there is none
}

// Deadline returns none.
func (c *requestContext) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done is closed when the request is over.
func (c *requestContext) Done() <-chan struct{} { return c.made().Done() }

// Err returns context.Canceled when the request is over.
func (c *requestContext) Err() error { return c.made().Err() }

// Value returns what net/http has in its contexts, and what the Server has.
func (c *requestContext) Value(key any) any {
	switch key {
	case http.LocalAddrContextKey:
		return c.v.nc.LocalAddr()
	case placeKey{}:
		return c.place
	}
	return c.v.f.base.Value(key)
}

func (c *requestContext) made() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx == nil {
		c.ctx, c.cancel = context.WithCancel(c.v.f.base)
		switch {
		case c.ended:
			c.cancel()
		case !c.stopped:
			c.watched = make(chan struct{})
			go c.watch()
		}
	}
	return c.ctx
}

// watch reads a byte, for there is no other way to see the end of a stream.
func (c *requestContext) watch() {
	defer close(c.watched)
	var next [1]byte
	n, err := c.v.nc.Read(next[:])
	c.ahead = append(c.ahead, next[:n]...)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		c.cancel()
	}
}

// stop ends the watch and returns what has been read behind the head.
func (c *requestContext) stop() []byte {
	c.mu.Lock()
	c.stopped = true
	watched := c.watched
	c.mu.Unlock()
	if watched != nil {
		c.v.nc.SetReadDeadline(time.Unix(1, 0))
		<-watched
		c.v.nc.SetReadDeadline(time.Time{})
	}
	return c.ahead
}

func (c *requestContext) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	if c.cancel != nil {
		c.cancel()
	}
}
