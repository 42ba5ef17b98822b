package server_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	deflate "github.com/swan-ws/websocket/permessage-deflate"
	"github.com/swan-ws/websocket/server"
)

// R46: "If the requested service is not available, the server MUST send an
// appropriate HTTP error code (such as 404 Not Found)" (§4.2.2 item 4).
func TestServer_AnUnknownResourceIsNotFound(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("/chat", echo())
	mux.Handle("/rooms/", acceptor(&server.Options{Check: func(r *http.Request) error {
		if r.URL.Path == "/rooms/lobby" {
			return nil
		}
		return &server.Rejection{Status: http.StatusNotFound}
	}}))
	l := serveHTTP(t, mux)
	for resource, want := range map[string]string{
		"/chat": "101", "/chat?room=7": "101", "/rooms/lobby": "101",
		"/": "404", "/chats": "404", "/chat/": "404", "/Chat": "404", "/rooms/cellar": "404",
	} {
		nc := rawDial(t, l)
		send(t, nc, strings.Replace(request(), "GET / ", "GET "+resource+" ", 1))
		if head := receiveHead(t, nc); !strings.HasPrefix(head, "HTTP/1.1 "+want+" ") {
			t.Errorf("%s: want %s, got %q", resource, want, head)
		}
	}
}

// R49, R92: what a server has not agreed to it does not take: "MUST be 0 unless an
// extension is negotiated" (§5.2).
func TestServer_AgreesToNoExtension_AndHoldsTheClientToThat(t *testing.T) {
	service := echo()
	service.Conn.Compression.Mode = deflate.Off
	l := serveHTTP(t, service)
	for _, offer := range []string{
		"permessage-deflate", "permessage-deflate; client_max_window_bits, permessage-deflate", "x-unknown; a=1; b", "constructor",
	} {
		nc := rawDial(t, l)
		send(t, nc, request("Sec-WebSocket-Extensions: "+offer))
		head := receiveHead(t, nc)
		if !strings.HasPrefix(head, "HTTP/1.1 101 ") || strings.Contains(head, "Extensions") {
			t.Errorf("%s: got %q", offer, head)
		}
		nc.Write(conntest.Hex(`8181 00000000 "x"`))
		expect(t, nc, conntest.Hex(`8101 "x"`))
		nc.Write(conntest.Hex(`c181 00000000 00`))
		expect(t, nc, conntest.Hex(`8827 03ea "reserved bit set without an extension"`))
	}
}

// taps are the streams that a listener has accepted, overheard.
type taps struct {
	net.Listener
	mu  sync.Mutex
	all []*tap
}

func (l *taps) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, &tap{Conn: nc})
	return l.all[len(l.all)-1], nil
}

type tap struct {
	net.Conn
	mu        sync.Mutex
	came, out bytes.Buffer
}

func (t *tap) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.came.Write(p[:n])
	return n, err
}

func (t *tap) Write(p []byte) (int, error) {
	n, err := t.Conn.Write(p)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.out.Write(p[:n])
	return n, err
}

// R13, R43: "all further communication on this channel MUST run through the
// encrypted tunnel" (§4.1), the server's too (§4.2.2 item 1).
func TestEndToEnd_NothingTravelsBesideTLS(t *testing.T) {
	cert, roots := certificate(t)
	srv := &server.Server{Handler: echo(), TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}}, Logger: quiet()}
	l := &taps{Listener: listenTCP(t)}
	runOn(t, srv, func() error { return srv.ServeTLS(l, "", "") })
	c, _, err := client.Dial(t.Context(), "wss://"+l.Addr().String()+"/swan-lake", &client.Options{
		Proxy: noProxy, TLSConfig: &tls.Config{RootCAs: roots},
		Conn: conn.Options{Compression: deflate.Options{Mode: deflate.Off}}, // readable, if it leaks
	})
	if err != nil {
		t.Fatal(err)
	}
	roundTrip(t, c, "swan-song")
	roundTrip(t, c, strings.Repeat("swan-song ", 10_000))
	if err := c.Close(1000, "swan-bye"); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	if len(l.all) != 1 {
		t.Fatalf("%d streams", len(l.all))
	}
	overheard := l.all[0]
	overheard.mu.Lock()
	defer overheard.mu.Unlock()
	wantRecords(t, "the client", overheard.came.Bytes())
	wantRecords(t, "the server", overheard.out.Bytes())
}

// wantRecords wants wire to be TLS records from its first byte on (RFC 8446
// §5.1), the last of which may be cut.
func wantRecords(t *testing.T, who string, wire []byte) {
	t.Helper()
	if len(wire) < 100_000 || wire[0] != 0x16 || bytes.Contains(wire, []byte("swan-")) {
		t.Errorf("%s sent %d bytes that begin with %.20q", who, len(wire), wire)
	}
	for len(wire) >= 5 {
		if wire[0] < 20 || wire[0] > 23 || wire[1] != 3 {
			t.Fatalf("%s sent %.20q outside TLS", who, wire)
		}
		wire = wire[min(len(wire), 5+int(binary.BigEndian.Uint16(wire[3:]))):]
	}
}
