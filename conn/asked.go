package conn

import (
	"context"
	"crypto/rand"
	"net"
)

// asked is what a connection has because somebody has asked for it.
type asked struct {
	local, remote net.Addr // of the Config
	id            string
	values        map[any]any
	pings         *pings
	done          chan struct{}
	ctx           context.Context
	cancel        context.CancelFunc
}

// ask returns c.asked; mu is held.
func (c *Conn) ask() *asked {
	if c.asked == nil {
		c.asked = new(asked)
	}
	return c.asked
}

// addrs returns what the Config says.
func (c *Conn) addrs() (local, remote net.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked == nil {
		return nil, nil
	}
	return c.local, c.remote
}

// LocalAddr returns this side's address, nil if the stream has none.
func (c *Conn) LocalAddr() net.Addr {
	if local, _ := c.addrs(); local != nil {
		return local
	}
	if nc, ok := c.stream.(net.Conn); ok {
		return nc.LocalAddr()
	}
	return nil
}

// RemoteAddr returns the peer's address, nil if the stream has none.
func (c *Conn) RemoteAddr() net.Addr {
	if _, remote := c.addrs(); remote != nil {
		return remote
	}
	if nc, ok := c.stream.(net.Conn); ok {
		return nc.RemoteAddr()
	}
	return nil
}

// ID returns a name for the connection that nobody can guess: 26 letters and
// digits with 128 bits of chance, made at the first call.
func (c *Conn) ID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.ask()
	if a.id == "" {
		a.id = rand.Text()
	}
	return a.id
}

// Set keeps value under key for as long as the connection is referenced. As with
// context.WithValue, key should be of a type of your own.
func (c *Conn) Set(key, value any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.ask()
	if a.values == nil {
		a.values = make(map[any]any)
	}
	a.values[key] = value
}

// Value returns what was Set under key, nil if nothing was.
func (c *Conn) Value(key any) any {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked == nil {
		return nil
	}
	return c.values[key]
}

// Context returns a context that ends when the connection is Closed, for what is
// done on its behalf: queries, writes from callbacks and goroutines.
func (c *Conn) Context() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.ask()
	if a.ctx == nil {
		a.ctx, a.cancel = context.WithCancel(context.Background())
		if c.flags.has(streamClosed) {
			a.cancel()
		}
	}
	return a.ctx
}

// Done returns a channel that is closed when the connection is Closed.
func (c *Conn) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.ask()
	if a.done == nil {
		a.done = make(chan struct{})
		if c.flags.has(streamClosed) {
			close(a.done)
		}
	}
	return a.done
}

// setClosed ends Done and Context.
func (c *Conn) setClosed() {
	c.mu.Lock()
	c.flags.set(streamClosed)
	var cancel context.CancelFunc
	if a := c.asked; a != nil {
		if a.done != nil {
			close(a.done)
		}
		cancel = a.cancel
	}
	c.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}
