package servers

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"sync"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"
	"github.com/gobwas/ws/wsutil"

	"github.com/swan-ws/websocket/bench"
)

// gobwasServer works on frames, which is what makes that library fast: a message in
// fragments is echoed in the same fragments. batched holds answers back while there
// is more to read.
func gobwasServer(batched bool) func(l net.Listener, d bench.Deflate) error {
	return func(l net.Listener, d bench.Deflate) error {
		g := &gobwas{d: d, batched: batched}
		for {
			c, err := l.Accept()
			if err != nil {
				return err
			}
			go g.serve(c)
		}
	}
}

type gobwas struct {
	d       bench.Deflate
	batched bool
	crowd   crowd[net.Conn]
}

func (g *gobwas) serve(c net.Conn) {
	defer c.Close()
	var u ws.Upgrader
	if g.d != bench.Off {
		e := wsflate.Extension{Parameters: wsflate.DefaultParameters}
		u.Negotiate = e.Negotiate
	}
	if _, err := u.Upgrade(c); err != nil {
		return
	}
	g.crowd.add(c)
	defer g.crowd.remove(c)
	g.echo(c)
}

// writers are buffers to write through, which connections have while they do.
var writers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, 4096) }}

func (g *gobwas) echo(c net.Conn) {
	in := bufio.NewReaderSize(c, 4096)
	var out *bufio.Writer
	var head [ws.MaxHeaderSize]byte
	var buf []byte
	for {
		h, err := ws.ReadHeaderBuffer(in, head[:])
		if err != nil || h.Length > maxMessage {
			return
		}
		if h.OpCode.IsControl() {
			control := wsutil.ControlHandler{Src: io.LimitReader(in, h.Length), Dst: c, State: ws.StateServerSide}
			if control.Handle(h) != nil {
				return
			}
			continue
		}
		if int64(cap(buf)) < h.Length {
			buf = make([]byte, h.Length)
		}
		buf = buf[:h.Length]
		if _, err := io.ReadFull(in, buf); err != nil {
			return
		}
		ws.Cipher(buf, h.Mask, 0)
		if h.OpCode == ws.OpText {
			if n, size, ok := broadcast(buf); ok {
				g.broadcast(n, make([]byte, size))
				continue
			}
		}
		if out == nil {
			out = writers.Get().(*bufio.Writer)
			out.Reset(c)
		}
		if err := g.answer(out, h, buf, head[:]); err != nil {
			return
		}
		if g.batched && in.Buffered() > 0 {
			continue
		}
		if out.Flush() != nil {
			return
		}
		writers.Put(out)
		out = nil
	}
}

// answer echoes the frame of h, whose payload is p, to out. head is to be used.
func (g *gobwas) answer(out *bufio.Writer, h ws.Header, p, head []byte) error {
	h.Masked = false
	if !h.Rsv1() {
		return writeFrame(out, h, p, head)
	}
	if !h.Fin {
		return errors.New("a compressed message in fragments is not for this server")
	}
	z := gobwasZips.Get().(*gobwasZip)
	defer gobwasZips.Put(z)
	p, err := z.again(p)
	if err != nil {
		return err
	}
	h.Length = int64(len(p))
	return writeFrame(out, h, p, head)
}

func writeFrame(out *bufio.Writer, h ws.Header, p, head []byte) error {
	if err := ws.WriteHeaderBuffer(out, h, head); err != nil {
		return err
	}
	_, err := out.Write(p)
	return err
}

func (g *gobwas) broadcast(n int, p []byte) {
	frame := ws.MustCompileFrame(ws.NewBinaryFrame(p))
	if g.batched {
		frame, n = bytes.Repeat(frame, n), 1
	}
	for range n {
		g.crowd.each(func(c net.Conn) { c.Write(frame) })
	}
}
