package server_test

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"github.com/swan-ws/websocket/server"
)

// patience is how long a test waits for what comes as a rule at once.
const patience = 20 * time.Second

// serveTCP serves s on a port of this machine, until the test ends.
func serveTCP(t testing.TB, s *server.Service) net.Addr {
	t.Helper()
	srv, l := &server.Server{Handler: s, Logger: quiet()}, listenTCP(t)
	runOn(t, srv, func() error { return srv.Serve(l) })
	return l.Addr()
}

// dialTCP opens a stream to addr without a handshake. A test that waits in vain on it
// ends.
func dialTCP(t testing.TB, addr net.Addr) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(patience))
	return nc
}

// rawTCP returns the stream of a connection to addr, behind its handshake.
func rawTCP(t testing.TB, addr net.Addr) net.Conn {
	t.Helper()
	nc := dialTCP(t, addr)
	send(t, nc, request())
	var head []byte
	for b := make([]byte, 1); !bytes.HasSuffix(head, []byte("\r\n\r\n")); head = append(head, b...) {
		if _, err := nc.Read(b); err != nil {
			t.Fatalf("%q: %v", head, err)
		}
	}
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 101 ")) {
		t.Fatalf("got %q", head)
	}
	return nc
}

// wantBytes reads as many bytes as want has. It may be called beside the test's own
// goroutine.
func wantBytes(t testing.TB, nc net.Conn, want []byte) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(nc, got); err != nil || !bytes.Equal(got, want) {
		t.Errorf("got % x, %v, want % x", got[:n], err, want)
	}
}
