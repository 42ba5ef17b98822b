package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/server"
)

// from is a stream whose far end has that address.
type from struct {
	net.Conn
	addr string
}

func (f from) RemoteAddr() net.Addr { return stringAddr(f.addr) }

type stringAddr string

func (a stringAddr) Network() string { return "tcp" }
func (a stringAddr) String() string  { return string(a) }

// connect opens a stream to l from addr.
func connect(t testing.TB, l *pipes, addr string) net.Conn {
	t.Helper()
	here, there := conntest.Pipe()
	l.conns <- from{there, addr}
	t.Cleanup(func() { here.Close() })
	return here
}

// join opens a WebSocket connection to l from addr and returns its stream, or
// nil and the status of the refusal.
func join(t testing.TB, l *pipes, addr string) (net.Conn, int) {
	t.Helper()
	nc := connect(t, l, addr)
	send(t, nc, request())
	resp, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil {
		t.Fatalf("%s: %v", addr, err)
	}
	return nc, resp.StatusCode
}

func TestServer_LimitsConnectionsOfOneAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, book := logbook()
		l := run(t, &server.Server{Handler: echo(), MaxConnsPerAddr: 2, Logger: log})
		const here = "192.0.2.7:1000"
		first, _ := join(t, l, here)
		join(t, l, here)
		// Further ones are told so, if they ask.
		for range 3 {
			nc := connect(t, l, "192.0.2.7:2000")
			send(t, nc, request())
			resp, body := receive(t, nc)
			if resp.StatusCode != 429 || resp.Header.Get("Retry-After") == "" || !resp.Close || body != "too many connections from your address\n" {
				t.Errorf("got %v %q", resp, body)
			}
			synctest.Wait()
		}
		// If they do not, there is an end to it.
		silent := []net.Conn{connect(t, l, here), connect(t, l, here)}
		for range 3 {
			expectClosed(t, connect(t, l, here))
		}
		if lines := book.lines(); len(lines) != 1 || !strings.Contains(lines[0], "from=192.0.2.7/32 limit=2") {
			t.Errorf("want one line in the log, got %q", lines)
		}
		// Others do not notice.
		if _, status := join(t, l, "192.0.2.8:1000"); status != 101 {
			t.Errorf("the neighbour got %d", status)
		}
		// And when there is room, there is room.
		for _, nc := range append(silent, first) {
			nc.Close()
		}
		synctest.Wait()
		if _, status := join(t, l, here); status != 101 {
			t.Errorf("after one has left: %d", status)
		}
		if _, status := join(t, l, here); status != 429 {
			t.Errorf("full again, and got %d", status)
		}
	})
}

func expectClosed(t testing.TB, nc net.Conn) {
	t.Helper()
	if b, err := io.ReadAll(nc); len(b) > 0 || err != nil {
		t.Errorf("want the end of the stream, got %q, %v", b, err)
	}
}

// However a connection ends, its place is free again: no more, no less.
func TestServer_GivesThePlaceOfAnAddressBack(t *testing.T) {
	byHand := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := server.Accept(w, r, nil); err == nil {
			go drain(c)
		}
	})
	foreign := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if nc, _, err := http.NewResponseController(w).Hijack(); err == nil {
			io.WriteString(nc, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
		}
	})
	refusing := acceptWith(&server.Options{Check: func(*http.Request) error { return &server.Rejection{Status: 403} }})
	for _, tt := range []struct {
		name string
		h    http.Handler
		live func(t *testing.T, nc net.Conn)
	}{
		{"a Service", echo(), func(t *testing.T, nc net.Conn) { send(t, nc, request()); receiveHead(t, nc) }},
		{"a Service that closes at once", &server.Service{
			Options: server.Options{Conn: conn.Options{IdleTimeout: time.Nanosecond}}, Logger: quiet(),
		}, func(t *testing.T, nc net.Conn) { send(t, nc, request()); receiveHead(t, nc) }},
		{"Accept", byHand, func(t *testing.T, nc net.Conn) { send(t, nc, request()); receiveHead(t, nc) }},
		{"refused", refusing, func(t *testing.T, nc net.Conn) { send(t, nc, request()); receiveHead(t, nc) }},
		{"no request", echo(), func(*testing.T, net.Conn) {}},
		{"half a request", echo(), func(t *testing.T, nc net.Conn) { send(t, nc, request()[:50]) }},
		{"no HTTP", echo(), func(t *testing.T, nc net.Conn) { send(t, nc, "\x16\x03\x01\r\n\r\n") }},
		{"plain HTTP", byHand, func(t *testing.T, nc net.Conn) {
			send(t, nc, "GET / HTTP/1.1\r\nHost: example.test\r\n\r\n")
			receiveHead(t, nc)
		}},
		{"somebody else's upgrade", foreign, func(t *testing.T, nc net.Conn) { send(t, nc, request()); receiveHead(t, nc) }},
		{"the response is lost", echo(), func(t *testing.T, nc net.Conn) {
			send(t, nc, request())
			nc.(*conntest.Conn).Reset()
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := run(t, &server.Server{Handler: tt.h, MaxConnsPerAddr: 1, Logger: quiet()})
				const addr = "192.0.2.7:1000"
				for range 3 {
					nc := connect(t, l, addr)
					tt.live(t, nc)
					nc.Close()
					<-time.After(time.Minute) // Close frames are waited for
				}
				// There are as many places as there should be, and not one more.
				first, over := connect(t, l, addr), connect(t, l, addr)
				expectClosed(t, connect(t, l, addr))
				send(t, over, request())
				if resp, _ := receive(t, over); resp.StatusCode != 429 {
					t.Errorf("the second connection got %d", resp.StatusCode)
				}
				first.Close()
			})
		})
	}
}

func acceptWith(o *server.Options) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := server.Accept(w, r, o); err == nil {
			drain(c)
		}
	})
}

// Whoever has one address of IPv6 has 2^64 of them.
func TestServer_CountsNetworksOfIPv6AsOneAddress(t *testing.T) {
	for _, tt := range []struct {
		first, second string
		same          bool
	}{
		{"192.0.2.1:1", "192.0.2.1:2", true},
		{"192.0.2.1:1", "192.0.2.2:1", false},
		{"192.0.2.1:1", "[::ffff:192.0.2.1]:1", true},
		{"[::ffff:192.0.2.1]:1", "[::ffff:192.0.2.2]:1", false},
		{"[2001:db8:1:2::1]:1", "[2001:db8:1:2:ffff::2]:2", true},
		{"[2001:db8:1:2::1]:1", "[2001:db8:1:3::1]:1", false},
		{"[fe80::1%eth0]:1", "[fe80::2%eth1]:1", true},
		{"@", "@", false}, // a Unix socket has none
	} {
		t.Run(fmt.Sprintf("%s and %s", tt.first, tt.second), func(t *testing.T) {
			l := run(t, &server.Server{Handler: echo(), MaxConnsPerAddr: 1, Logger: quiet()})
			if _, status := join(t, l, tt.first); status != 101 {
				t.Errorf("the first got %d", status)
			}
			want := map[bool]int{true: 429, false: 101}[tt.same]
			if _, status := join(t, l, tt.second); status != want {
				t.Errorf("the second got %d, want %d", status, want)
			}
		})
	}
}

// The same below TLS, where the count begins before the handshake.
func TestServer_LimitsConnectionsOfOneAddress_BelowTLS(t *testing.T) {
	ca := newAuthority(t)
	files := ca.tlsFiles(t)
	srv := &server.Server{Handler: echo(), MaxConnsPerAddr: 2, Logger: quiet()}
	l := listenTCP(t)
	runOn(t, srv, func() error { return srv.ServeTLS(l, files.Cert, files.Key) })
	dial := func() (*conn.Conn, error) {
		c, _, err := client.Dial(t.Context(), "wss://"+l.Addr().String(), &client.Options{Proxy: noProxy, TLSConfig: ca.trusted()})
		return c, err
	}
	first, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	second, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	_, err = dial()
	if e := asHandshakeError(t, err); e.Status != 429 {
		t.Errorf("got %v", e)
	}
	roundTrip(t, second, "the others go on")
	first.Close(1000, "")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	third, err := dial()
	for err != nil && ctx.Err() == nil { // until the server has noticed
		third, err = dial()
	}
	if err != nil {
		t.Fatal("after one has left:", err)
	}
	roundTrip(t, third, "room again")
	second.CloseNow()
	third.CloseNow()
}

func TestServer_RefusesALongURI(t *testing.T) {
	for _, tt := range []struct {
		name      string
		max, long int
		want      int
	}{
		{"default, within", 0, 8 << 10, 101},
		{"default, beyond", 0, 8<<10 + 1, 414},
		{"set, within", 100, 100, 101},
		{"set, beyond", 100, 101, 414},
		{"none but that of the header", -1, 15 << 10, 101},
		{"none, beyond that of the header", -1, 32 << 10, 431},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := run(t, &server.Server{Handler: echo(), MaxURIBytes: tt.max, Logger: quiet()})
			nc := rawDial(t, l)
			uri := "/?" + strings.Repeat("x", tt.long-2)
			go io.WriteString(nc, strings.Replace(request(), "GET / ", "GET "+uri+" ", 1))
			resp, err := http.ReadResponse(bufio.NewReader(nc), nil)
			if err != nil || resp.StatusCode != tt.want || resp.Close != (tt.want != 101) {
				t.Errorf("got %v, %v, want %d", resp, err, tt.want)
			}
		})
	}
}
