package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/handshake"
)

// openStream does one handshake over HTTP/2 (RFC 8441).
func (d dialer) openStream(ctx context.Context, target handshake.Target, offer handshake.Offer) (*conn.Conn, *http.Response, error) {
	offer.Key = ""
	r, err := handshake.NewConnect(offer)
	if err != nil {
		return nil, nil, err
	}
	withoutExtras(r.Header)
	// The request lasts as long as the connection, ctx only as long as the handshake.
	lasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, cancel)
	defer stop()
	var via net.Conn
	var sent atomic.Bool
	lasting = httptrace.WithClientTrace(lasting, &httptrace.ClientTrace{
		GotConn:      func(info httptrace.GotConnInfo) { via = info.Conn },
		WroteHeaders: func() { sent.Store(true) },
	})
	s := &http2Stream{cancel: cancel}
	r = r.WithContext(lasting)
	r.GetBody = func() (in io.ReadCloser, err error) { // for another TCP connection: nothing has been written
		in, s.out = io.Pipe()
		return in, nil
	}
	r.Body, _ = r.GetBody()
	resp, err := d.HTTP2.RoundTrip(r)
	if err != nil {
		cancel()
		err = fmt.Errorf("over HTTP/2: %w", err)
		if sent.Load() && ctx.Err() == nil {
			err = &HandshakeError{Err: fmt.Errorf("%w: %w", io.ErrUnexpectedEOF, err)}
		}
		return nil, nil, blame(ctx, err)
	}
	s.in = resp.Body
	agreed, err := d.judge(resp, offer)
	if err != nil {
		err = d.refusal(resp, offer, err)
	}
	if !stop() && err == nil {
		err = ctx.Err()
	}
	d.keepCookies(target.HTTPURL(), resp)
	if err != nil {
		s.reset()
		return nil, resp, err
	}
	cfg := d.config(target, agreed)
	if via != nil {
		cfg.LocalAddr, cfg.RemoteAddr = via.LocalAddr(), via.RemoteAddr()
	}
	resp.Body = http.NoBody
	return conn.New(s, cfg), resp, nil
}

// withoutExtras keeps a transport from adding an encoding, which it would take for that
// of the stream, and a name, which there is none of over HTTP/1.1.
func withoutExtras(h http.Header) {
	for name, value := range map[string]string{"Accept-Encoding": "identity", "User-Agent": ""} {
		if _, set := h[name]; !set {
			h[name] = []string{value}
		}
	}
}

// An http2Stream is what a connection over HTTP/2 runs on: the bodies of a request and
// its response.
type http2Stream struct {
	in     io.ReadCloser
	out    *io.PipeWriter
	cancel context.CancelFunc

	shut  atomic.Bool // by this side
	ended atomic.Bool // by the server, as far as who reads knows
	late  sync.Once   // a Write was
}

// endTime is how long an end in order may take.
const endTime = time.Second

var errEnded = errors.New("the server has ended the stream")

// Read reads what the server sends.
func (s *http2Stream) Read(p []byte) (int, error) {
	n, err := s.in.Read(p)
	if err != nil {
		s.ended.Store(true)
	}
	return n, err
}

// Write sends p, as far as the transport is ready to take it. What comes when the server
// has ended the stream is lost, as it is over TCP, and for a while that is no error
// either: whoever reads is to find first what the server has said before.
func (s *http2Stream) Write(p []byte) (int, error) {
	n, err := s.out.Write(p)
	switch {
	case err == nil:
		return n, nil
	case s.shut.Load():
		return n, net.ErrClosed
	case s.ended.Load():
		return n, errEnded
	}
	s.late.Do(func() { time.AfterFunc(endTime, func() { s.ended.Store(true) }) })
	return len(p), nil
}

// CloseWrite ends this side's direction, behind what has been written.
func (s *http2Stream) CloseWrite() error {
	s.shut.Store(true)
	return s.out.Close()
}

// Close is CloseWrite, and takes nothing more. What has been written still goes out, as
// it would over TCP.
func (s *http2Stream) Close() error {
	time.AfterFunc(endTime, s.reset)
	return s.CloseWrite()
}

// reset sends CANCEL, which stands for a reset of TCP, unless both directions have ended.
func (s *http2Stream) reset() {
	s.cancel()
	go s.in.Close() // which may wait for a TCP connection that takes nothing
}
