package client_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/handshake"
	"github.com/swan-ws/websocket/internal/leak"
)

func TestMain(m *testing.M) {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "REQUEST_METHOD"} {
		os.Unsetenv(name)
		os.Unsetenv(strings.ToLower(name))
	}
	trustTestAuthority()
	leak.Main(m)
}

// A server is what is at the other end of each stream that is dialed. It need
// not close nc.
type server func(nc net.Conn)

// network is a world in which every address leads to a server in memory.
type network struct {
	serve    func(addr string) server
	pipeSize int

	mu     sync.Mutex
	dialed []string
	served sync.WaitGroup
}

// reach returns Options for a network with s at every address, whose servers
// have all ended when the test has.
func reach(t testing.TB, s server) *client.Options {
	o, _ := reachEach(t, func(string) server { return s })
	return o
}

func reachEach(t testing.TB, serve func(addr string) server) (*client.Options, *network) {
	n := &network{serve: serve, pipeSize: conntest.DefaultPipeSize}
	t.Cleanup(n.served.Wait)
	return &client.Options{DialContext: n.dial}, n
}

func (n *network) dial(_ context.Context, network, addr string) (net.Conn, error) {
	if network != "tcp" {
		return nil, fmt.Errorf("dialed %s", network)
	}
	n.mu.Lock()
	n.dialed = append(n.dialed, addr)
	n.mu.Unlock()
	here, there := conntest.PipeSize(n.pipeSize)
	n.served.Go(func() {
		defer there.Close()
		n.serve(addr)(there)
	})
	return here, nil
}

func (n *network) addresses() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Join(n.dialed, " ")
}

// accepted is the response to a handshake, where ACCEPT stands for what answers
// the key.
const accepted = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ACCEPT\r\n\r\n"

// withHeader is accepted with further lines.
func withHeader(lines ...string) string {
	return strings.TrimSuffix(accepted, "\r\n") + strings.Join(lines, "\r\n") + "\r\n\r\n"
}

// answer is a server that reads a request, responds, and waits for the client
// to close. Where a Close frame comes, it answers that.
func answer(response string) server {
	return func(nc net.Conn) {
		r, err := readRequest(nc)
		if err != nil {
			return
		}
		respond(nc, r, response)
		untilClosed(nc)
	}
}

// readRequest reads a request and nothing behind it.
func readRequest(nc io.Reader) (*http.Request, error) {
	head, err := readHead(nc)
	if err != nil {
		return nil, err
	}
	return http.ReadRequest(bufio.NewReader(strings.NewReader(head)))
}

func readHead(r io.Reader) (head string, err error) {
	var b [1]byte
	for !strings.HasSuffix(head, "\r\n\r\n") {
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return head, err
		}
		head += string(b[:])
	}
	return head, nil
}

func respond(w io.Writer, r *http.Request, response string) {
	io.WriteString(w, fill(response, r))
}

func fill(response string, r *http.Request) string {
	return strings.ReplaceAll(response, "ACCEPT", handshake.AcceptKey(r.Header.Get("Sec-Websocket-Key")))
}

// untilClosed answers a Close frame with one, and reads until the end.
func untilClosed(nc net.Conn) {
	nc.SetReadDeadline(time.Now().Add(10 * time.Second))
	var b [4096]byte
	for {
		n, err := nc.Read(b[:])
		if n > 0 && b[0] == 0x88 {
			nc.Write([]byte{0x88, 0x00})
			return
		}
		if err != nil {
			return
		}
	}
}

func dial(t testing.TB, url string, o *client.Options) (*conn.Conn, *http.Response) {
	t.Helper()
	c, resp, err := client.Dial(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow() })
	return c, resp
}

// dialFails wants an error, and no connection.
func dialFails(t testing.TB, url string, o *client.Options) (*http.Response, error) {
	t.Helper()
	c, resp, err := client.Dial(t.Context(), url, o)
	if err == nil {
		c.CloseNow()
		t.Fatalf("Dial(%q) succeeded", url)
	}
	if c != nil {
		t.Fatalf("a connection together with %v", err)
	}
	return resp, err
}

func asHandshakeError(t testing.TB, err error) *client.HandshakeError {
	t.Helper()
	e, ok := errors.AsType[*client.HandshakeError](err)
	if !ok {
		t.Fatalf("want a *client.HandshakeError, got %v", err)
	}
	return e
}

// watched tells when the client has closed its end.
type watched struct {
	net.Conn
	once   sync.Once
	closed chan struct{}
}

func watch(nc net.Conn) *watched { return &watched{Conn: nc, closed: make(chan struct{})} }

func (w *watched) Close() error {
	w.once.Do(func() { close(w.closed) })
	return w.Conn.Close()
}

func (w *watched) isClosed() bool {
	select {
	case <-w.closed:
		return true
	default:
		return false
	}
}

// watchDials makes o keep the streams it opens.
func watchDials(o *client.Options) func() []*watched {
	var mu sync.Mutex
	var all []*watched
	inner := o.DialContext
	o.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		nc, err := inner(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		mu.Lock()
		defer mu.Unlock()
		all = append(all, watch(nc))
		return all[len(all)-1], nil
	}
	return func() []*watched {
		mu.Lock()
		defer mu.Unlock()
		return all
	}
}
