package client

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/handshake"
)

// openStream does one handshake over HTTP/2 (RFC 8441).
func (d dialer) openStream(ctx context.Context, target handshake.Target, offer handshake.Offer) (*conn.Conn, *http.Response, error) {
	offer.Key = ""
	r, err := handshake.NewConnect(offer)
	if err != nil {
		return nil, nil, err
	}
	// The request lasts as long as the connection, ctx only as long as the handshake.
	lasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, cancel)
	var via net.Conn
	lasting = httptrace.WithClientTrace(lasting, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		via = info.Conn
	}})
	s := &http2Stream{cancel: cancel}
	r = r.WithContext(lasting)
	r.Body, s.out = io.Pipe()
	resp, err := d.HTTP2.RoundTrip(r)
	if err != nil {
		cancel()
		return nil, nil, blame(ctx, fmt.Errorf("over HTTP/2: %w", err))
	}
	s.in = resp.Body
	agreed, err := d.judge(resp, offer)
	if err != nil {
		err = d.refusal(resp, offer, err)
	}
	if !stop() && err == nil {
		err = ctx.Err()
	}
	d.keepCookies(httpURL(target), resp)
	if err != nil {
		s.reset()
		return nil, resp, err
	}
	cfg := conn.Config{
		Options:     d.Conn,
		Role:        machine.Client,
		Subprotocol: agreed.subprotocol,
		Secure:      target.Secure,
		Deflate:     agreed.deflate,
	}
	if via != nil {
		cfg.LocalAddr, cfg.RemoteAddr = via.LocalAddr(), via.RemoteAddr()
	}
	resp.Body = http.NoBody
	return conn.New(s, cfg), resp, nil
}

// An http2Stream is what a connection over HTTP/2 runs on: the bodies of a request and
// its response.
type http2Stream struct {
	in     io.ReadCloser
	out    *io.PipeWriter
	cancel context.CancelFunc
}

// endTime is how long an end in order may take.
const endTime = time.Second

// Read reads what the server sends.
func (s *http2Stream) Read(p []byte) (int, error) { return s.in.Read(p) }

// Write sends p, as far as the transport is ready to take it.
func (s *http2Stream) Write(p []byte) (int, error) { return s.out.Write(p) }

// CloseWrite ends this side's direction, behind what has been written.
func (s *http2Stream) CloseWrite() error { return s.out.Close() }

// Close is CloseWrite, and takes nothing more. What has been written still goes out, as
// it would over TCP.
func (s *http2Stream) Close() error {
	time.AfterFunc(endTime, s.reset)
	return s.out.Close()
}

// reset sends CANCEL, which stands for a reset of TCP, unless both directions have ended.
func (s *http2Stream) reset() {
	s.cancel()
	go s.in.Close() // which may wait for a TCP connection that takes nothing
}
