package load

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/swan-ws/websocket/bench"
	"github.com/swan-ws/websocket/handshake"
)

// A dialer does handshakes, some at a time.
type dialer struct {
	l       *Load
	request []byte
	accept  []byte   // what must be in the answer
	fds     []int    // -1: none
	heads   [][]byte // what has come of the answers
}

func newDialer(l *Load) *dialer {
	d := &dialer{l: l, request: request(bench.Off), accept: []byte(handshake.AcceptKey(key)), heads: make([][]byte, l.s.Conns)}
	for range l.s.Conns {
		d.fds = append(d.fds, -1)
	}
	return d
}

func (d *dialer) start() error {
	for i := range d.fds {
		if err := d.dial(i); err != nil {
			return err
		}
	}
	return nil
}

// dial begins a handshake in the place i, unless the run is over.
func (d *dialer) dial(i int) error {
	if d.l.over() {
		return nil
	}
	b, err := connect(d.l.addr)
	if err != nil {
		return err
	}
	d.fds[i], d.heads[i] = int(b), d.heads[i][:0]
	d.l.sent++
	d.l.waiting++
	if err := b.write(d.request); err != nil {
		return err
	}
	return d.l.poll.add(int(b), i)
}

func (d *dialer) event(i int) error {
	n, errno := read(d.fds[i], d.l.poll.buffer)
	switch {
	case errno == syscall.EAGAIN:
		return nil
	case errno != 0:
		return os.NewSyscallError("read", errno)
	case n == 0:
		return errors.New("the server has closed a connection")
	}
	d.heads[i] = append(d.heads[i], d.l.poll.buffer[:n]...)
	d.l.count.Bytes += n
	if head := d.heads[i]; bytes.HasSuffix(head, []byte("\r\n\r\n")) {
		if !bytes.HasPrefix(head, []byte("HTTP/1.1 101 ")) || !bytes.Contains(head, d.accept) {
			return fmt.Errorf("the handshake is answered by %.200q", head)
		}
		d.l.count.Messages++
		d.l.waiting--
		syscall.Close(d.fds[i])
		d.fds[i] = -1
		return d.dial(i)
	}
	return nil
}

func (d *dialer) close() {
	for _, fd := range d.fds {
		if fd >= 0 {
			syscall.Close(fd)
		}
	}
}
