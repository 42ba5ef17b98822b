package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/swan-ws/websocket"
)

// What is done at the end of stdin.
const (
	eofAuto  = ""
	eofWait  = "wait"
	eofClose = "close"
)

type connectFlags struct {
	binary     bool
	caFile     string
	compress   compression
	eof        string
	header     header
	insecure   bool
	maxMessage int64
	messages   int
	origin     string
	ping       time.Duration
	proxy      string
	protocols  list
}

func connect(ctx context.Context, args []string, std stdio) int {
	f := connectFlags{header: header{}}
	rest, code, goOn := parse(f.set(), args, connectUsage, std)
	if !goOn {
		return code
	}
	if len(rest) != 1 {
		return std.fail(exitUsage, "ws connect ws://localhost:8080/echo", "connect: want one URL, got %d: %.128q", len(rest), rest)
	}
	o, err := f.options(std)
	if err != nil {
		return std.fail(exitUsage, "ws help connect", "connect: %v", err)
	}
	c, resp, err := websocket.Dial(ctx, rest[0], o)
	if ctx.Err() != nil {
		return std.fail(exitConnect, "", "interrupted before there was a connection")
	}
	if err != nil {
		return explain(err, std)
	}
	std.note("connected to %s", agreement(rest[0], c, resp.Header))
	return f.talk(ctx, c, std)
}

func (f *connectFlags) set() *flag.FlagSet {
	fs := flag.NewFlagSet("connect", flag.ContinueOnError)
	fs.BoolVar(&f.binary, "b", false, "")
	fs.StringVar(&f.caFile, "ca", "", "")
	fs.Var(&f.compress, "compress", "")
	fs.StringVar(&f.eof, "eof", eofAuto, "")
	fs.Var(f.header, "H", "")
	fs.BoolVar(&f.insecure, "k", false, "")
	fs.Int64Var(&f.maxMessage, "max-message", 1<<20, "")
	fs.IntVar(&f.messages, "n", 0, "")
	fs.StringVar(&f.origin, "o", "", "")
	fs.DurationVar(&f.ping, "ping", 0, "")
	fs.StringVar(&f.proxy, "proxy", "", "")
	fs.Var(&f.protocols, "s", "")
	return fs
}

// options says how to dial. An error is about a flag.
func (f *connectFlags) options(std stdio) (*websocket.DialOptions, error) {
	switch f.eof {
	case eofAuto, eofWait, eofClose:
	default:
		return nil, fmt.Errorf("-eof %.64q: want wait or close", f.eof)
	}
	o := &websocket.DialOptions{
		Header:       http.Header(f.header),
		Subprotocols: f.protocols,
		Conn:         websocket.ConnOptions{MaxMessage: f.maxMessage, Compression: websocket.Compression(f.compress)},
	}
	if f.origin != "" {
		o.Header.Set("Origin", f.origin)
	}
	if f.proxy != "" {
		via, err := url.Parse(f.proxy)
		if err != nil || via.Host == "" {
			return nil, fmt.Errorf("-proxy %.128q: want http://HOST:PORT, https:// or socks5://", f.proxy)
		}
		o.Proxy = func(*url.URL) (*url.URL, error) { return via, nil }
	}
	if f.caFile != "" {
		pem, err := os.ReadFile(f.caFile)
		if err != nil {
			return nil, fmt.Errorf("-ca: %w", err)
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("-ca %q: no PEM certificate in it", f.caFile)
		}
		o.TLSConfig = &tls.Config{RootCAs: roots}
	}
	if f.insecure {
		std.note("WARNING: -k: the server's certificate is not checked. Anybody on the way can read and change everything.")
		o.TLSConfig = &tls.Config{InsecureSkipVerify: true}
	}
	return o, nil
}

// agreement is where the connection leads, and what the handshake has settled.
func agreement(rawURL string, c *websocket.Conn, response http.Header) string {
	at, _, _ := strings.Cut(rawURL, "?") // tokens stand behind it
	if p := c.Subprotocol(); p != "" {
		at += fmt.Sprintf(", subprotocol %q", p)
	}
	if extensions := response.Get("Sec-WebSocket-Extensions"); extensions != "" {
		at += fmt.Sprintf(", extension %.128q", extensions)
	}
	return at
}

// talk says in the end how it went.
func (f *connectFlags) talk(ctx context.Context, c *websocket.Conn, std stdio) int {
	defer c.CloseNow()
	s := newSession(c, f, std)
	start := time.Now()
	err := s.run(ctx)
	counts := fmt.Sprintf("(after %s, %d in, %d out)", rounded(time.Since(start)), s.in, s.out.Load())
	if local, ok := errors.AsType[*localError](err); ok {
		std.note("closed %s", counts)
		return std.fail(exitUsage, local.hint, "%v", local)
	}
	std.note("%s %s", withoutPrefix(err), counts)
	if hint := closeHint(err); hint != "" {
		std.note("  try: %s", hint)
	}
	switch websocket.CloseStatus(err) {
	case websocket.CloseNormal, websocket.CloseGoingAway, websocket.CloseNoStatus:
		return exitOK
	}
	return exitAbnormal
}

func rounded(d time.Duration) time.Duration {
	switch {
	case d > time.Minute:
		return d.Round(time.Second)
	case d > time.Second:
		return d.Round(10 * time.Millisecond)
	}
	return d.Round(10 * time.Microsecond)
}

func withoutPrefix(err error) string { return strings.ReplaceAll(err.Error(), "websocket: ", "") }
