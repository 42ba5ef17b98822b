package load

import (
	"bufio"
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/swan-ws/websocket/bench"
	"github.com/swan-ws/websocket/frame"
	"github.com/swan-ws/websocket/handshake"
)

// patience is how long a server may take over anything.
const patience = 10 * time.Second

// A Conn is a plain client that looks at all it gets, to try servers out before they
// are measured.
type Conn struct {
	conn   net.Conn
	r      *bufio.Reader
	zip    *zip
	window []byte // the end of what has been received, for context takeover
}

// Open connects to the server at addr, a TCP address. It is an error if the server
// does not agree to d.
func Open(addr string, d bench.Deflate) (*Conn, error) {
	nc, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return nil, err
	}
	c := &Conn{conn: nc, r: bufio.NewReader(nc), zip: newZip(d)}
	if err := c.upgrade(d); err != nil {
		nc.Close()
		return nil, err
	}
	return c, nil
}

func (c *Conn) upgrade(d bench.Deflate) error {
	c.conn.SetDeadline(time.Now().Add(patience))
	if _, err := c.conn.Write(request(d)); err != nil {
		return err
	}
	r, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return err
	}
	return agreed(r, d)
}

// Close resets the connection.
func (c *Conn) Close() {
	c.conn.(*net.TCPConn).SetLinger(0) // leaves no port in TIME_WAIT
	c.conn.Close()
}

// Send sends a message, or a control frame, compressed as agreed.
func (c *Conn) Send(op frame.Opcode, p []byte) error {
	c.conn.SetDeadline(time.Now().Add(patience))
	_, err := c.conn.Write(c.zip.frame(op, p))
	return err
}

// SendFragments sends a message in as many frames as pieces, not compressed.
func (c *Conn) SendFragments(op frame.Opcode, pieces ...[]byte) error {
	c.conn.SetDeadline(time.Now().Add(patience))
	plain := newZip(bench.Off)
	for i, p := range pieces {
		if i > 0 {
			op = frame.OpContinuation
		}
		wire := plain.frame(op, p)
		if i < len(pieces)-1 {
			wire[0] &^= 0x80 // FIN
		}
		if _, err := c.conn.Write(wire); err != nil {
			return err
		}
	}
	return nil
}

// Receive returns the next message, inflated, or control frame, and whether it came
// compressed.
func (c *Conn) Receive() (op frame.Opcode, p []byte, deflated bool, err error) {
	c.conn.SetDeadline(time.Now().Add(patience))
	for {
		h, part, err := c.frame()
		if err != nil {
			return 0, nil, false, err
		}
		if h.Opcode.IsControl() {
			return h.Opcode, part, false, nil
		}
		if h.Opcode != frame.OpContinuation {
			op, deflated = h.Opcode, h.RSV == frame.RSV1
		}
		p = append(p, part...)
		if !h.Fin {
			continue
		}
		if deflated {
			p, err = c.inflate(p)
		}
		return op, p, deflated, err
	}
}

func (c *Conn) frame() (h frame.Header, p []byte, err error) {
	for have := 2; ; have++ {
		head, err := c.r.Peek(have)
		if err != nil {
			return h, nil, err
		}
		n, err := h.Parse(head)
		switch {
		case err != nil:
			return h, nil, err
		case h.Masked:
			return h, nil, errors.New("the server masks its frames")
		case n > 0:
			c.r.Discard(n)
			p = make([]byte, h.Length)
			_, err = io.ReadFull(c.r, p)
			return h, p, err
		}
	}
}

func (c *Conn) inflate(p []byte) ([]byte, error) {
	const last = "\x01\x00\x00\xff\xff" // an empty block, so that the reader sees an end
	r := flate.NewReaderDict(io.MultiReader(bytes.NewReader(p), bytes.NewReader([]byte(tail+last))), c.window)
	p, err := io.ReadAll(r)
	if c.zip.d == bench.Takeover {
		c.window = append(c.window, p...)
		c.window = slices.Clone(c.window[max(0, len(c.window)-1<<15):])
	}
	return p, err
}

const key = "c3dhbnMgc3dpbSBpbiBHbw=="

// request is the opening handshake, the same for all.
func request(d bench.Deflate) []byte {
	text := "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + "\r\n"
	switch d {
	case bench.NoTakeover:
		text += "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"
	case bench.Takeover:
		text += "Sec-WebSocket-Extensions: permessage-deflate\r\n"
	}
	return []byte(text + "\r\n")
}

// agreed says whether the server's response is the one wanted.
func agreed(r *http.Response, d bench.Deflate) error {
	o := handshake.Offer{Key: key}
	if d != bench.Off {
		o.Extensions = []handshake.Extension{{Name: "permessage-deflate"}}
	}
	a, err := handshake.CheckResponse(r, o)
	if err != nil {
		return err
	}
	if d == bench.Off {
		return nil
	}
	if len(a.Extensions) == 0 {
		return errors.New("the server does not compress")
	}
	for _, p := range a.Extensions[0].Params {
		if d == bench.Takeover && p.Name != "server_max_window_bits" {
			return fmt.Errorf("the server wants no context takeover as offered: it answers %s %s", p.Name, p.Value)
		}
	}
	return nil
}
