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

// receive waits for the first bytes.
func (v *visit) receive() {
	s := v.f.s
	defer s.handlers.add(-1)
	var by time.Time
	if timeout := s.http.ReadHeaderTimeout; timeout > 0 {
		by = time.Now().Add(timeout)
		v.nc.SetReadDeadline(by)
	}
	buf := headBuffers.Get().(*[headSize]byte)
	n, err := v.nc.Read(buf[:])
	ours := err == nil && v.read(buf[:n])
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
		v.f.pass(&begun{v.nc, first, by}, nil)
		s.streams.state(v.nc, http.StateClosed) // it goes by another name now
	}
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
	text := string(appendAddr(p[:end], v.nc.RemoteAddr())) // one string costs less than two
	copy(p[end:], v.ctx.ahead)
	if !v.head.Parse(text[:end]) {
		return false
	}
	v.head.Request.RemoteAddr = text[end:]
	return true
}

// appendAddr appends addr.String, with less ado for what is usual.
func appendAddr(dst []byte, addr net.Addr) []byte {
	switch a := addr.(type) {
	case nil:
		return dst
	case *net.TCPAddr:
		if ap := a.AddrPort(); ap.IsValid() {
			return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()).AppendTo(dst)
		}
	}
	return append(dst, addr.String()...)
}

// serve has the Handler answer the request, as net/http would.
func (v *visit) serve() {
	s, r := v.f.s, &v.head.Request
	v.nc.SetReadDeadline(time.Time{})
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

// mayComeAgain reports whether nobody but this package has seen the visit, so that it
// may be another's.
func (v *visit) mayComeAgain() bool {
	s, ok := v.f.s.Handler.(*Service)
	return ok && s.OnOpen == nil && s.Check == nil
}

func (v *visit) close() {
	v.nc.Close()
	v.f.s.http.ConnState(v.nc, http.StateClosed)
}
