package server_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/internal/leak"
	"github.com/swan-ws/websocket/server"
)

func TestMain(m *testing.M) { leak.Main(m) }

// pipes is a listener in memory, which also dials itself.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func listenPipes() *pipes {
	return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *pipes) Accept() (net.Conn, error) {
	select {
	case nc := <-l.conns:
		return nc, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipes) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "unix"} }

func (l *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := conntest.Pipe()
	select {
	case l.conns <- there:
		return here, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// serveHTTP runs an http.Server with h on a pipes listener until the test ends.
func serveHTTP(t testing.TB, h http.Handler) *pipes {
	return serveOn(t, &http.Server{Handler: h})
}

func serveOn(t testing.TB, s *http.Server) *pipes {
	s.ErrorLog = cmp.Or(s.ErrorLog, stdlog.New(io.Discard, "", 0))
	l := listenPipes()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Serve(l)
	}()
	t.Cleanup(func() {
		s.Close()
		<-done
	})
	return l
}

// dial opens a connection to l, whatever the host of the URL, or ends the test.
func dial(t testing.TB, l *pipes, o *client.Options) *conn.Conn {
	t.Helper()
	c, _, err := tryDial(t, l, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow() })
	return c
}

func tryDial(t testing.TB, l *pipes, o *client.Options) (*conn.Conn, *http.Response, error) {
	if o == nil {
		o = &client.Options{}
	}
	o.DialContext, o.Proxy = l.dial, noProxy
	return client.Dial(t.Context(), "ws://example.test/", o)
}

func noProxy(*url.URL) (*url.URL, error) { return nil, nil }

// rawDial opens a stream to l without a handshake. A test that waits in vain on
// it ends after some seconds.
func rawDial(t testing.TB, l *pipes) net.Conn {
	t.Helper()
	nc, err := l.dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	nc.SetDeadline(time.Now().Add(5 * time.Second))
	t.Cleanup(func() { nc.Close() })
	return nc
}

const sampleKey = "dGhlIHNhbXBsZSBub25jZQ==" // of §1.3

// request is a handshake in order, with further header lines.
func request(lines ...string) string {
	return "GET / HTTP/1.1\r\nHost: example.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Key: " + sampleKey + "\r\nSec-WebSocket-Version: 13\r\n" + headerLines(lines) + "\r\n"
}

func headerLines(lines []string) string {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(line + "\r\n")
	}
	return b.String()
}

func send(t testing.TB, nc io.Writer, s string) {
	t.Helper()
	if _, err := io.WriteString(nc, s); err != nil {
		t.Fatal(err)
	}
}

// receive reads one response and its body.
func receive(t testing.TB, nc io.Reader) (*http.Response, string) {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil {
		t.Fatalf("reading the response: %v", err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("reading the body: %v", err)
	}
	return resp, string(body)
}

// expect reads the bytes of want.
func expect(t testing.TB, nc net.Conn, want []byte) {
	t.Helper()
	if err := new(conntest.Script).Expect(want).Run(nc); err != nil {
		t.Fatal(err)
	}
}

// journal is a list of what happened, in order.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) note(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

func (j *journal) all() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.lines)
}

func (j *journal) count(line string) (n int) {
	for _, l := range j.all() {
		if l == line {
			n++
		}
	}
	return n
}

// logbook is a logger whose lines can be read.
func logbook() (*slog.Logger, *lockedBuffer) {
	b := new(lockedBuffer)
	return slog.New(slog.NewTextHandler(b, nil)), b
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) lines() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Split(strings.TrimSuffix(b.b.String(), "\n"), "\n")
}

// useAsDefault makes log slog.Default until the test ends.
func useAsDefault(t *testing.T, log *slog.Logger) {
	before, out, flags := slog.Default(), stdlog.Writer(), stdlog.Flags()
	slog.SetDefault(log)
	t.Cleanup(func() {
		slog.SetDefault(before)
		stdlog.SetOutput(out)
		stdlog.SetFlags(flags)
	})
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// echo is a Service that sends back what it gets.
func echo() *server.Service {
	back := func(c *conn.Conn, m conn.Message) (any, error) { return nil, c.Write(c.Context(), m.Type, m.Data) }
	return &server.Service{OnText: back, OnBinary: back, Logger: quiet()}
}

// roundTrip sends text and wants it back.
func roundTrip(t testing.TB, c *conn.Conn, text string) {
	t.Helper()
	if err := c.WriteText(t.Context(), text); err != nil {
		t.Fatal(err)
	}
	m, err := c.Read(t.Context())
	if err != nil || m.Type != conn.Text || string(m.Data) != text {
		t.Fatalf("echo of %q: %v %.100q, %v", text, m.Type, m.Data, err)
	}
}

// drain reads until the connection is over and returns why it is.
func drain(c *conn.Conn) error {
	for {
		if _, err := c.Read(context.Background()); err != nil {
			return err
		}
	}
}

func asHandshakeError(t testing.TB, err error) *client.HandshakeError {
	t.Helper()
	e, ok := errors.AsType[*client.HandshakeError](err)
	if !ok {
		t.Fatalf("want a *client.HandshakeError, got %v", err)
	}
	return e
}
