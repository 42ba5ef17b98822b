package client

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/handshake"
	deflate "github.com/swan-ws/websocket/permessage-deflate"
)

// Dial opens a connection to rawURL, whose scheme is ws or wss. ctx is for the
// handshake only, and for the waits between attempts if o.Retry asks for more than
// one.
//
// The response is the server's, its body empty; it is nil if there was none. If
// the server did not open a connection, the error is a *HandshakeError, and the
// response has the first 4 KiB of the body. A rawURL or an option that cannot be
// used is a *handshake.Error; nothing has been sent then.
func Dial(ctx context.Context, rawURL string, o *Options) (*conn.Conn, *http.Response, error) {
	if o == nil {
		o = &Options{}
	}
	if o.Retry == nil {
		return o.attempt(ctx, rawURL)
	}
	t := tries{Retry: o.Retry}
	for {
		c, resp, err := o.attempt(ctx, rawURL)
		if err == nil {
			return c, resp, nil
		}
		if err = t.again(ctx, err); err != nil {
			return nil, resp, err
		}
	}
}

// attempt is Dial without Retry.
func (o *Options) attempt(ctx context.Context, rawURL string) (*conn.Conn, *http.Response, error) {
	d := dialer{Options: o}
	if timeout := cmp.Or(o.HandshakeTimeout, DefaultHandshakeTimeout); timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	c, resp, err := d.dial(ctx, rawURL)
	if err != nil {
		err = fmt.Errorf("websocket: dial %.128q: %w", handshake.RedactURL(rawURL), err)
		o.tellRefused(err)
		return nil, resp, err
	}
	return c, resp, nil
}

func (o *Options) tellRefused(err error) {
	if w := o.Conn.Observer; w != nil && w.Refused != nil {
		status := 0
		if e, ok := errors.AsType[*HandshakeError](err); ok {
			status = e.Status
		}
		w.Refused(status, err)
	}
}

type dialer struct{ *Options }

// dial follows redirects.
func (d dialer) dial(ctx context.Context, rawURL string) (*conn.Conn, *http.Response, error) {
	var header http.Header
	for hop := 0; ; hop++ {
		target, err := handshake.ParseURL(rawURL)
		if err == nil && hop == 0 {
			header, err = d.withAuth(ctx)
		}
		if err != nil {
			return nil, nil, err
		}
		c, resp, err := d.open(ctx, target, header)
		if hop >= d.MaxRedirects || !isRedirect(resp) {
			return c, resp, err
		}
		next, sameHost, trouble := redirect(target, resp)
		if trouble != nil {
			return nil, resp, fmt.Errorf("%w: %w", err, trouble)
		}
		if !sameHost {
			header = withoutSecrets(header)
		}
		rawURL = next
	}
}

// open does one handshake.
func (d dialer) open(ctx context.Context, target handshake.Target, header http.Header) (*conn.Conn, *http.Response, error) {
	location := target.HTTPURL()
	offer := handshake.Offer{
		Target:       target,
		Key:          handshake.NewKey(),
		Subprotocols: d.Subprotocols,
		Extensions:   d.Conn.Compression.Offer(),
		Header:       d.withCookies(header, location),
	}
	if err := d.Conn.Compression.Check(); err != nil {
		return nil, nil, &handshake.Error{Section: "9.1", Reason: err.Error()}
	}
	if d.HTTP2 != nil {
		return d.openStream(ctx, target, offer)
	}
	request, err := handshake.AppendRequest(nil, offer)
	if err != nil {
		return nil, nil, err
	}
	nc, err := d.connect(ctx, target)
	if err != nil {
		return nil, nil, blame(ctx, err)
	}
	if d.Serialize {
		unlock, err := connecting.lock(ctx, serverName(nc, target))
		if err != nil {
			nc.Close()
			return nil, nil, err
		}
		defer unlock()
	}
	release := bind(ctx, nc)
	resp, agreed, err := d.exchange(ctx, nc, request, offer)
	if cause := release(); err == nil {
		err = cause
	} else {
		err = blame(ctx, err)
	}
	d.keepCookies(location, resp)
	if err != nil {
		nc.Close()
		return nil, resp, err
	}
	return conn.New(nc, d.config(target, agreed)), resp, nil
}

// config is that of a connection to target.
func (d dialer) config(target handshake.Target, a agreement) conn.Config {
	return conn.Config{
		Options:     d.Conn,
		Role:        machine.Client,
		Subprotocol: a.subprotocol,
		Secure:      target.Secure,
		Deflate:     a.deflate,
		Buffered:    a.early,
	}
}

// serverName names the server for those who wait for their turn: by its address,
// or by what it is called if nc does not know that.
func serverName(nc net.Conn, target handshake.Target) string {
	if addr := nc.RemoteAddr(); addr != nil {
		return addr.String()
	}
	return target.Addr
}

// agreement is what a handshake has come to.
type agreement struct {
	subprotocol string
	deflate     *deflate.Params
	early       []byte // what came behind the response: frames already
}

// exchange writes the request and reads the response.
func (d dialer) exchange(ctx context.Context, nc net.Conn, request []byte, offer handshake.Offer) (resp *http.Response, agreed agreement, err error) {
	trace := httptrace.ContextClientTrace(ctx)
	_, err = nc.Write(request)
	if trace != nil && trace.WroteRequest != nil {
		trace.WroteRequest(httptrace.WroteRequestInfo{Err: err})
	}
	if err != nil {
		return nil, agreed, err
	}
	in := &limitReader{r: nc, left: d.maxHandshakeBytes()}
	br := bufio.NewReader(in)
	resp, err = readResponse(br, trace)
	err = in.orCause(err)
	if err != nil {
		return nil, agreed, &HandshakeError{Err: err}
	}
	if agreed, err = d.judge(resp, offer); err != nil {
		in.left += maxErrorBody
		return resp, agreed, d.refusal(resp, offer, err)
	}
	agreed.early, _ = br.Peek(br.Buffered())
	resp.Body = http.NoBody
	return resp, agreed, nil
}

func (d dialer) judge(resp *http.Response, offer handshake.Offer) (a agreement, err error) {
	answer, err := handshake.CheckResponse(resp, offer)
	if err != nil {
		return a, err
	}
	a.subprotocol = answer.Subprotocol
	if len(answer.Extensions) > 0 { // one at the most has been offered
		params, err := d.Conn.Compression.Confirm(answer.Extensions[0])
		if err != nil {
			return a, &handshake.Error{Section: "RFC 7692 §7", Reason: err.Error()}
		}
		a.deflate = &params
	}
	return a, nil
}

func (d dialer) maxHandshakeBytes() int {
	if d.MaxHandshakeBytes < 0 {
		return math.MaxInt - maxErrorBody
	}
	return cmp.Or(d.MaxHandshakeBytes, DefaultMaxHandshakeBytes)
}

// refusal makes an error of a response that opened no connection, with as much of
// its body as comes in time.
func (d dialer) refusal(resp *http.Response, offer handshake.Offer, err error) error {
	e := &HandshakeError{Status: resp.StatusCode, Header: resp.Header, Err: err}
	e.authorized = offer.Header.Get("Authorization") != ""
	e.opened = resp.StatusCode == http.StatusSwitchingProtocols || offer.Key == "" && resp.StatusCode/100 == 2
	if !e.opened {
		e.Body, _ = io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	}
	resp.Body = io.NopCloser(strings.NewReader(string(e.Body)))
	return e
}

// maxInterim is how many responses such as 103 Early Hints may come first.
const maxInterim = 10

func readResponse(br *bufio.Reader, trace *httptrace.ClientTrace) (*http.Response, error) {
	if _, err := br.Peek(1); err == nil && trace != nil && trace.GotFirstResponseByte != nil {
		trace.GotFirstResponseByte()
	}
	for range maxInterim + 1 {
		resp, err := http.ReadResponse(br, nil)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode/100 != 1 || resp.StatusCode == http.StatusSwitchingProtocols {
			return resp, nil
		}
		if trace != nil && trace.Got1xxResponse != nil {
			if err := trace.Got1xxResponse(resp.StatusCode, map[string][]string(resp.Header)); err != nil {
				return nil, err
			}
		}
	}
	return nil, errInterim
}

// limitReader fails where io.LimitedReader would pretend an end, and remembers
// what it failed for.
type limitReader struct {
	r    io.Reader
	left int
	err  error
}

func (l *limitReader) Read(p []byte) (n int, err error) {
	if l.left <= 0 {
		l.err = errTooLarge
		return 0, l.err
	}
	n, err = l.r.Read(p[:min(len(p), l.left)])
	l.left -= n
	if n > 0 {
		return n, nil // an error will come again
	}
	l.err = err
	return n, err
}

// orCause returns what is behind an error in parsing what was read: net/http takes
// half a line for a whole one, and then complains of that.
func (l *limitReader) orCause(err error) error {
	switch {
	case err == nil || l.err == nil:
		return err
	case l.err == io.EOF:
		return fmt.Errorf("connection closed before the response was complete: %w", io.ErrUnexpectedEOF)
	}
	return l.err
}

// bind makes nc's calls fail when ctx ends. The result undoes that, and returns
// ctx's error if it was too late.
func bind(ctx context.Context, nc net.Conn) (release func() error) {
	stop := context.AfterFunc(ctx, func() { nc.SetDeadline(time.Unix(1, 0)) })
	return func() error {
		if !stop() {
			return ctx.Err()
		}
		return nil
	}
}

// blame adds ctx's error to one that may come of it.
func blame(ctx context.Context, err error) error {
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		<-ctx.Done() // its timer may be a moment late
	}
	if cause := ctx.Err(); cause != nil && !errors.Is(err, cause) {
		return fmt.Errorf("%w: %w", cause, err)
	}
	return err
}

func (d dialer) keepCookies(u *url.URL, resp *http.Response) {
	if d.Jar != nil && resp != nil {
		d.Jar.SetCookies(u, resp.Cookies())
	}
}

func (d dialer) withCookies(h http.Header, u *url.URL) http.Header {
	if d.Jar == nil {
		return h
	}
	cookies := d.Jar.Cookies(u)
	if len(cookies) == 0 {
		return h
	}
	r := http.Request{Header: http.Header{}}
	if own := h["Cookie"]; len(own) > 0 {
		r.Header.Set("Cookie", strings.Join(own, "; "))
	}
	for _, c := range cookies {
		r.AddCookie(c)
	}
	if h = h.Clone(); h == nil {
		h = http.Header{}
	}
	h["Cookie"] = r.Header["Cookie"]
	return h
}
