package server

import (
	"bytes"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"time"

	"github.com/swan-ws/websocket/handshake"
)

// A visit is a connection of a front's, from its beginning until it is known whose it
// is, or until its handshake is answered.
type visit struct {
	f    *front
	nc   net.Conn
	head handshake.Head
	ctx  requestContext
	w    responseWriter
}

// begin makes v the visit of nc, whatever it was before.
func (v *visit) begin(f *front, nc net.Conn) {
	v.f, v.nc = f, nc
	v.ctx, v.w = requestContext{v: v}, responseWriter{v: v}
}

// receive waits for the first bytes, unless that is an event loop's part.
func (v *visit) receive() {
	buf := headBuffers.Get().(*[headSize]byte)
	if c, ok := v.nc.(*caller); ok {
		if n, err, came := c.read(buf[:]); came {
			v.meet(buf, n, err, c.by)
		} else {
			headBuffers.Put(buf)
		}
		return
	}
	var by time.Time
	if timeout := v.f.s.http.ReadHeaderTimeout; timeout > 0 {
		by = time.Now().Add(timeout)
		v.nc.SetReadDeadline(by)
	}
	n, err := v.nc.Read(buf[:])
	if !by.IsZero() {
		v.nc.SetReadDeadline(time.Time{})
	}
	v.meet(buf, n, err, by)
}

// meet deals with what the first read has brought, in buf, which it gives back.
func (v *visit) meet(buf *[headSize]byte, n int, err error, by time.Time) {
	defer v.f.s.handlers.add(-1)
	ours := err == nil && n < len(buf) && v.read(buf[:n]) // or there may be more behind it
	var first []byte
	if !ours {
		first = slices.Clone(buf[:n])
	}
	headBuffers.Put(buf)
	switch {
	case ours:
		v.serve()
	case n == 0 && err != nil:
		v.close()
	default:
		v.leave(first, by)
	}
}

// leave leaves the connection to net/http, with what has come.
func (v *visit) leave(first []byte, by time.Time) {
	if c, ok := v.nc.(*caller); ok {
		v.f.s.handlers.add(1)
		go c.leave(first) // an event loop does not wait
		return
	}
	v.f.pass(&begun{v.nc, first, by, v.nc.RemoteAddr()}, nil)
	v.f.s.streams.state(v.nc, http.StateClosed) // it goes by another name now
}

// read makes a request of p, if it begins with a whole head that can be read here.
func (v *visit) read(p []byte) bool {
	const emptyLine = "\r\n\r\n"
	last := bytes.Index(p, []byte(emptyLine))
	if last < 0 {
		return false
	}
	end := last + len(emptyLine)
	v.ctx.ahead = slices.Clone(p[end:])
	text := string(appendRemoteAddr(p[:end], v.nc)) // one string costs less than two
	copy(p[end:], v.ctx.ahead)
	if !v.head.Parse(text[:end]) {
		return false
	}
	v.head.Request.RemoteAddr = text[end:]
	return true
}

// appendRemoteAddr appends nc.RemoteAddr().String(), with less ado for what is usual.
func appendRemoteAddr(dst []byte, nc net.Conn) []byte {
	var at netip.AddrPort
	if c, ok := nc.(*caller); ok {
		at = c.RemoteAddrPort()
	} else if tcp, ok := nc.RemoteAddr().(*net.TCPAddr); ok {
		at = tcp.AddrPort()
	}
	if at.IsValid() {
		return netip.AddrPortFrom(at.Addr().Unmap(), at.Port()).AppendTo(dst)
	}
	if addr := nc.RemoteAddr(); addr != nil {
		return append(dst, addr.String()...)
	}
	return dst
}

// serve has the Handler answer the request, as net/http would.
func (v *visit) serve() {
	s, r := v.f.s, &v.head.Request
	s.http.ConnState(v.nc, http.StateActive)
	if s.crowd != nil {
		v.ctx.place = s.crowd.placeOf(v.nc)
	}
	*r = *r.WithContext(&v.ctx)
	defer func() {
		if p := recover(); p != nil && p != http.ErrAbortHandler {
			s.http.ErrorLog.Printf("http: panic serving %v: %v\n%s", r.RemoteAddr, p, debug.Stack())
		}
		v.ctx.end()
		if !v.w.taken {
			v.close()
		}
	}()
	s.handle(&v.w, r)
	v.w.finish()
}

func (v *visit) close() {
	v.nc.Close()
	v.f.s.http.ConnState(v.nc, http.StateClosed)
}
