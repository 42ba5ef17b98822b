package conntest

import (
	"net"
	"sync/atomic"
)

// Chop wraps nc so that no Read or Write moves more than size bytes at a time;
// with size 1 everything travels byte by byte. A long Write becomes several on
// nc, which other Writes do not interleave with. The result has a CloseWrite
// if nc has one. Chop panics if size is less than 1.
func Chop(nc net.Conn, size int) net.Conn {
	if size < 1 {
		panic("conntest: Chop needs pieces of at least 1 byte")
	}
	c := &chopped{Conn: nc, size: size, turn: make(chan struct{}, 1)}
	if half, ok := nc.(closeWriter); ok {
		return &struct {
			*chopped
			closeWriter
		}{c, half}
	}
	return c
}

type chopped struct {
	net.Conn
	size int
	turn chan struct{} // a lock, but one on which synctest sees a goroutine block
}

func (c *chopped) Read(p []byte) (int, error) {
	return c.Conn.Read(p[:min(len(p), c.size)])
}

func (c *chopped) Write(p []byte) (int, error) {
	c.turn <- struct{}{}
	defer func() { <-c.turn }()
	for n := 0; ; {
		k, err := c.Conn.Write(p[n:min(len(p), n+c.size)])
		if n += k; err != nil || n >= len(p) {
			return n, err
		}
	}
}

// Stall wraps nc so that its Reads deliver n bytes in all. What arrives after
// those is thrown away, as on a link that died without a word: a Read waits
// until its deadline, or the end of the connection. Writes still go through.
func Stall(nc net.Conn, n int64) net.Conn {
	s := &stalled{Conn: nc}
	s.left.Store(n)
	if half, ok := nc.(closeWriter); ok {
		return &struct {
			*stalled
			closeWriter
		}{s, half}
	}
	return s
}

type stalled struct {
	net.Conn
	left atomic.Int64
}

func (s *stalled) Read(p []byte) (int, error) {
	if left := s.left.Load(); left > 0 {
		n, err := s.Conn.Read(p[:min(int64(len(p)), left)])
		s.left.Add(-int64(n))
		return n, err
	}
	for {
		if _, err := s.Conn.Read(p); err != nil || len(p) == 0 {
			return 0, err
		}
	}
}
