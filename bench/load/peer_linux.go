package load

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/swan-ws/websocket/frame"
)

// A peer is a connection of a Load.
type peer struct {
	fd   int
	left int // answers to its flight that are still to come

	next   int // frame of the cycle
	at     int // where in the cycle what is not written yet begins
	unsent int // and its length

	header []byte // the beginning of one that has not come as a whole
	skip   int    // bytes of the payload still to come
	length int    // of the message so far
	want   int    // of each message; 0: any
	last   bool   // the payload ends a message
}

// queue adds the next n frames of c to what is to be written.
func (p *peer) queue(c *cycle, n int) {
	for range n {
		begin := 0
		if p.next > 0 {
			begin = c.ends[p.next-1]
		}
		p.unsent += c.ends[p.next] - begin
		p.next = (p.next + 1) % len(c.ends)
	}
}

// flush writes as much as the socket takes; epoll tells when it takes more.
func (p *peer) flush(c *cycle) error {
	for p.unsent > 0 {
		n, errno := write(p.fd, c.wire[p.at:p.at+p.unsent])
		if errno == syscall.EAGAIN {
			return nil
		}
		if errno != 0 {
			return os.NewSyscallError("write", errno)
		}
		p.at, p.unsent = (p.at+n)%c.size(), p.unsent-n
	}
	return nil
}

// read takes what has come and returns how many messages and bytes that were.
func (p *peer) read(buf []byte) (messages, size int, err error) {
	for {
		n, errno := read(p.fd, buf)
		switch {
		case errno == syscall.EAGAIN:
			return messages, size, nil
		case errno != 0:
			return messages, size, os.NewSyscallError("read", errno)
		case n == 0:
			return messages, size, errors.New("the server has closed a connection")
		}
		size += n
		m, err := p.parse(buf[:n])
		messages += m
		if err != nil || n < len(buf) { // epoll tells what comes from now on
			return messages, size, err
		}
	}
}

// parse looks at the headers of what has come and returns how many messages end in it.
func (p *peer) parse(b []byte) (messages int, err error) {
	for {
		n := min(p.skip, len(b))
		b, p.skip = b[n:], p.skip-n
		if p.skip == 0 && p.last {
			p.last = false
			messages++
			if p.want > 0 && p.length != p.want {
				return messages, fmt.Errorf("a message of %d bytes came back, not of %d", p.length, p.want)
			}
			p.length = 0
		}
		if len(b) == 0 {
			return messages, nil
		}
		if b, err = p.parseHeader(b); err != nil {
			return messages, err
		}
	}
}

func (p *peer) parseHeader(b []byte) (rest []byte, err error) {
	head := b
	if len(p.header) > 0 {
		head = append(p.header, b[:min(len(b), frame.MaxHeaderSize)]...)
	}
	var h frame.Header
	n, err := h.Parse(head)
	switch {
	case err != nil:
		return nil, err
	case n == 0:
		p.header = append(p.header[:0], head...)
		return nil, nil
	case h.Masked:
		return nil, errors.New("the server masks its frames")
	case h.Opcode == frame.OpClose:
		return nil, errors.New("the server says goodbye")
	}
	rest = b[n-len(p.header):]
	p.header = p.header[:0]
	p.skip = int(h.Length)
	if !h.Opcode.IsControl() {
		p.last = h.Fin
		p.length += p.skip
	}
	return rest, nil
}
