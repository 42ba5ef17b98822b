//go:build interop

package interop

import (
	"context"
	"net"
	"sync/atomic"
)

// A meter counts the bytes of our end of a connection, as TCP sees them.
type meter struct{ in, out atomic.Int64 }

// reset begins again and returns what was counted.
func (m *meter) reset() (in, out int64) { return m.in.Swap(0), m.out.Swap(0) }

// dial is for DialOptions; a nil meter does not count.
func (m *meter) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	nc, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil || m == nil {
		return nc, err
	}
	return &metered{nc, m}, nil
}

// listener is l, whose connections are counted.
func (m *meter) listener(l net.Listener) net.Listener {
	if m == nil {
		return l
	}
	return &meteredListener{l, m}
}

type meteredListener struct {
	net.Listener
	meter *meter
}

func (l *meteredListener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &metered{nc, l.meter}, nil
}

type metered struct {
	net.Conn
	meter *meter
}

func (c *metered) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.meter.in.Add(int64(n))
	return n, err
}

func (c *metered) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.meter.out.Add(int64(n))
	return n, err
}
