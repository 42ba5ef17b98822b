package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/handshake"
	"github.com/swan-ws/websocket/internal/loop"
	deflate "github.com/swan-ws/websocket/permessage-deflate"
	"github.com/swan-ws/websocket/subprotocol"
)

// Options say which handshakes are accepted, and what the connections are like.
// The zero value, and nil, accept what is from no browser or from a page of the
// same site, with the limits of the zero conn.Options.
type Options struct {
	// Subprotocols are those the server speaks. The first of the client's that
	// is among them is agreed on, or the first of these that the client offers
	// if PreferServerOrder is set; none if there is none.
	Subprotocols      []string
	PreferServerOrder bool

	// Origins are patterns of sites beside the server's own whose pages may
	// connect: [scheme://]host[:port], where the host may begin with "*." and
	// the port be "*". See handshake.CheckOrigin.
	Origins []string
	// InsecureAllowAnyOrigin lets the pages of all sites connect, with the
	// cookies that their visitors have here (§10.2).
	InsecureAllowAnyOrigin bool

	// Header is added to the 101 response, as is what has been set on the
	// http.ResponseWriter.
	Header http.Header

	// Check is asked last, before the connection is accepted: who is it, may
	// they. Its error refuses: with what a *Rejection says, otherwise with 403
	// and no further word.
	Check func(*http.Request) error

	// Group, if set, gets the connection, so that it can be shut down.
	Group *Group

	// Conn are the limits and habits of the connection.
	Conn conn.Options

	eventLoop bool
}

// A Rejection is an error that says how to refuse a handshake.
type Rejection struct {
	Status int         // of the HTTP response, 400 to 599; 500 instead of others
	Header http.Header // such as WWW-Authenticate; may be nil
	Body   string      // for the reader of the response; may be empty
}

// Error returns for example "refused with 401 Unauthorized: log in first".
func (e *Rejection) Error() string {
	s := fmt.Sprintf("refused with %d %s", e.Status, http.StatusText(e.Status))
	if e.Body != "" {
		s += ": " + e.Body
	}
	return s
}

// Accept answers the opening handshake in r and returns the connection, which
// then has nothing to do with w and r any more. On an error the HTTP response
// has been sent: return from the handler. The error is a *handshake.Error if the
// handshake was at fault, else what Options.Check or the stream said.
func Accept(w http.ResponseWriter, r *http.Request, o *Options) (*conn.Conn, error) {
	if o == nil {
		o = &Options{}
	}
	groups := new(seats)
	groups.find(r, o)
	return acceptHeld(w, r, o, groups, 1)
}

// acceptHeld is Accept for a connection that is over for its groups when it has
// been let go so many times: once by itself, once by a Service.
func acceptHeld(w http.ResponseWriter, r *http.Request, o *Options, groups *seats, holds int) (*conn.Conn, error) {
	c, err := accept(w, r, o, groups, holds)
	if err != nil {
		return nil, fmt.Errorf("websocket: handshake from %s: %w", r.RemoteAddr, err)
	}
	return c, nil
}

// wireBuffers hold responses, as long as it takes to write them. Longer ones are rare.
var wireBuffers = sync.Pool{New: func() any { return new([wireSize]byte) }}

const wireSize = 512

func accept(w http.ResponseWriter, r *http.Request, o *Options, groups *seats, holds int) (*conn.Conn, error) {
	watch := observerOf(r, o)
	response, params, err := agree(w, r, o)
	if err != nil {
		return nil, refuse(w, r, watch, err)
	}
	buf := wireBuffers.Get().(*[wireSize]byte)
	defer wireBuffers.Put(buf)
	var wire []byte
	var header http.Header // instead of it, over HTTP/2
	if isConnect(r) {
		header, err = handshake.ResponseHeader(response)
	} else {
		wire, err = handshake.AppendResponse(buf[:0], response)
	}
	if err != nil {
		return nil, refuse(w, r, watch, err)
	}
	if err := groups.enter(); err != nil {
		return nil, refuse(w, r, watch, err)
	}
	t, err := take(w, r)
	if err != nil {
		groups.cancel()
		return nil, refuse(w, r, watch, err)
	}
	made := false
	defer func() {
		if !made { // be it for what an Observer did
			groups.cancel()
			t.close()
		}
	}()
	if err := t.answer(wire, header, o.Conn.WriteTimeout); err != nil {
		return nil, tellRefused(watch, 0, err)
	}
	cfg := conn.Config{
		Options:     o.Conn,
		Role:        machine.Server,
		Subprotocol: response.Subprotocol,
		Secure:      r.TLS != nil,
		Deflate:     params,
		Buffered:    t.ahead,
		OnDone:      groups.letGo,
	}
	cfg.Observer = watch
	if t.stream != nil {
		cfg.LocalAddr, cfg.RemoteAddr = addrsOf(r)
	}
	c := conn.New(t.under(o), cfg)
	if p := PrincipalOf(r.Context()); p != nil {
		c.Set(principalKey{}, p)
	}
	groups.hold(c, holds)
	made = true
	return c, nil
}

// agree returns what the response is to hold, and what of it is about compression.
func agree(w http.ResponseWriter, r *http.Request, o *Options) (handshake.Response, *deflate.Params, error) {
	req, err := judge(r, o)
	if err != nil {
		return handshake.Response{}, nil, err
	}
	params, extensions, err := compression(o, req.Extensions)
	if err != nil {
		return handshake.Response{}, nil, err
	}
	return handshake.Response{
		Key:         req.Key,
		Subprotocol: selectSubprotocol(o, req.Subprotocols),
		Extensions:  extensions,
		Header:      headerOf(w, o),
	}, params, nil
}

// under returns what the connection runs on: nc itself if no event loop takes it.
func (t *taken) under(o *Options) io.ReadWriteCloser {
	if t.stream != nil {
		return t.stream
	}
	if tcp, ok := t.nc.(*net.TCPConn); ok && o.eventLoop {
		if s, err := loop.Take(tcp); err == nil {
			return s
		}
	}
	return t.nc
}

func (t *taken) close() {
	if t.stream != nil {
		t.stream.Close()
	} else {
		t.nc.Close()
	}
}

// judge asks everybody who may refuse, the application last.
func judge(r *http.Request, o *Options) (handshake.Request, error) {
	req, err := handshake.ParseRequest(r)
	if err != nil {
		return req, err
	}
	if !o.InsecureAllowAnyOrigin {
		if err := handshake.CheckOrigin(r, o.Origins); err != nil {
			return req, err
		}
	}
	if o.Check != nil {
		return req, o.Check(r)
	}
	return req, nil
}

// compression answers an offer of permessage-deflate, if there is one to be met.
func compression(o *Options, offers []handshake.Extension) (*deflate.Params, []handshake.Extension, error) {
	wish := o.Conn.Compression
	if err := wish.Check(); err != nil {
		return nil, nil, &handshake.Error{Status: http.StatusInternalServerError, Section: "4.2.2", Reason: err.Error()}
	}
	if len(offers) == 0 {
		return nil, nil, nil
	}
	p, answer, ok := wish.Accept(offers)
	if !ok {
		return nil, nil, nil
	}
	return &p, append(offers[:0], answer), nil // nobody looks at the offers again
}

func selectSubprotocol(o *Options, offered []string) string {
	if o.PreferServerOrder {
		return subprotocol.SelectPreferred(offered, o.Subprotocols)
	}
	return subprotocol.Select(offered, o.Subprotocols)
}

// headerOf returns what has been set on w, and o's.
func headerOf(w http.ResponseWriter, o *Options) http.Header {
	if v, ok := w.(*responseWriter); ok && v.header == nil {
		return o.Header
	}
	set := w.Header()
	if len(set) == 0 {
		return o.Header
	}
	set = set.Clone()
	maps.Copy(set, o.Header)
	return set
}

// refuse answers with the status that err stands for, tells watch, and returns err.
// The stream is not used for anything else afterwards: what a proxy might take for
// an upgraded connection must not be one.
func refuse(w http.ResponseWriter, r *http.Request, watch *conn.Observer, err error) error {
	status, body := http.StatusForbidden, ""
	h := w.Header()
	if e, ok := errors.AsType[*handshake.Error](err); ok {
		status, body = e.Status, e.Error()
		maps.Copy(h, e.Header)
	}
	if e, ok := errors.AsType[*Rejection](err); ok {
		status, body = e.Status, e.Body
		maps.Copy(h, e.Header)
	}
	if status < 400 || status > 599 {
		// Anything below could be taken for a success.
		status = http.StatusInternalServerError
	}
	// Over HTTP/2 it would end what goes on beside r, unless that is to end.
	if r.ProtoMajor < 2 || errors.Is(err, errCrowded) {
		// It stands first, where net/http looks for it.
		h["Connection"] = append([]string{"close"}, h["Connection"]...)
	}
	if body == "" {
		body = http.StatusText(status)
	}
	http.Error(w, body, status)
	return tellRefused(watch, status, err)
}

// taken is what has been HTTP's: a connection, or a stream of HTTP/2.
type taken struct {
	stream *http2Stream // nil: all the rest
	nc     net.Conn
	ahead  []byte // what has been read behind the request
	fresh  bool   // nothing has been written
}

// take takes it from a visit, or from net/http.
func take(w http.ResponseWriter, r *http.Request) (taken, error) {
	if isConnect(r) {
		s, err := takeStream(r)
		return taken{stream: s}, err
	}
	if v := visitOf(w); v != nil && !v.taken {
		nc, ahead := v.take()
		return taken{nc: nc, ahead: ahead, fresh: !v.written}, nil
	}
	nc, brw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return taken{}, &handshake.Error{
			Status:  http.StatusInternalServerError,
			Section: "4.2.2",
			Reason:  fmt.Sprintf("http.ResponseWriter is a %T, which gives no access to the connection: does a middleware lack an Unwrap method?", w),
		}
	}
	nc.SetDeadline(time.Time{}) // those of the http.Server were for the request
	ahead, _ := brw.Reader.Peek(brw.Reader.Buffered())
	nc, ahead = unbegun(nc, ahead)
	return taken{nc: nc, ahead: ahead}, nil
}

// visitOf returns the responseWriter of a visit if w is one, or a middleware's around
// it that leaves Hijack to it.
func visitOf(w http.ResponseWriter) *responseWriter {
	for {
		switch t := w.(type) {
		case *responseWriter:
			return t
		case http.Hijacker:
			return nil
		case interface{ Unwrap() http.ResponseWriter }:
			w = t.Unwrap()
		default:
			return nil
		}
	}
}

// answer sends the response: wire, or header over HTTP/2.
func (t *taken) answer(wire []byte, header http.Header, timeout time.Duration) error {
	if t.stream != nil {
		return t.stream.answer(header)
	}
	return t.write(wire, timeout)
}

// write writes the response. TCP takes the first bytes without waiting.
func (t *taken) write(wire []byte, timeout time.Duration) error {
	switch t.nc.(type) {
	case *net.TCPConn, eventSocket:
		if t.fresh && len(wire) <= wireSize {
			_, err := t.nc.Write(wire)
			return err
		}
	}
	if timeout <= 0 {
		timeout = conn.DefaultWriteTimeout
	}
	if err := t.nc.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	if _, err := t.nc.Write(wire); err != nil {
		return err
	}
	return t.nc.SetWriteDeadline(time.Time{})
}

type groupKey struct{}

// find adds who wants to know of a connection: the group named in the options, that of
// the Server that the request came to, and its place there.
func (s *seats) find(r *http.Request, o *Options) {
	if o.Group != nil {
		s.add(o.Group)
	}
	ctx := r.Context()
	if g, ok := ctx.Value(groupKey{}).(*Group); ok && g != o.Group {
		s.add(g)
	}
	if p := placeOf(r); p != nil {
		s.others = append(s.others, p)
	}
}

func withGroup(ctx context.Context, g *Group) context.Context {
	return context.WithValue(ctx, groupKey{}, g)
}
