package server_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/server"
)

func TestServer_CutsPagesThatAreAskedForAfterShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := &server.Server{Logger: quiet(), Handler: http.NotFoundHandler()}
		nc := rawDial(t, run(t, srv))
		synctest.Wait()
		down := make(chan error, 1)
		go func() { down <- srv.Shutdown(t.Context()) }()
		synctest.Wait()
		send(t, nc, "GET / HTTP/1.1\r\nHost: example.test\r\n\r\n")
		expectClosed(t, nc)
		if err := <-down; err != nil {
			t.Error(err)
		}
	})
}

func TestServer_ServesStreamsWithoutAddresses(t *testing.T) {
	l := run(t, &server.Server{Logger: quiet(), Handler: echo()})
	nc, there := conntest.Pipe()
	l.conns <- homeless{there}
	send(t, nc, request()+frameX)
	receiveHead(t, nc)
	expect(t, nc, echoX)
	nc.Close()
}

type homeless struct{ net.Conn }

func (homeless) RemoteAddr() net.Addr { return nil }

// stumbling is a listener that fails before it accepts.
type stumbling struct {
	*pipes
	errs chan error
	at   chan time.Time
}

func (l *stumbling) Accept() (net.Conn, error) {
	l.at <- time.Now()
	select {
	case err := <-l.errs:
		return nil, err
	default:
		return l.pipes.Accept()
	}
}

type temporary struct{ error }

func (temporary) Timeout() bool   { return false }
func (temporary) Temporary() bool { return true }

func TestServer_AcceptsAgain_AfterErrorsThatPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, book := logbook()
		l := &stumbling{pipes: listenPipes(), errs: make(chan error, 10), at: make(chan time.Time, 20)}
		for range cap(l.errs) {
			l.errs <- temporary{errors.New("no descriptors")}
		}
		srv := &server.Server{Handler: echo(), Logger: log}
		start := time.Now()
		runOn(t, srv, func() error { return srv.Serve(l) })
		roundTrip(t, dial(t, l.pipes, nil), "x")
		if took := time.Since(start); took < time.Second || len(book.lines()) < 9 {
			t.Errorf("after %v, with %d lines in the log", took, len(book.lines()))
		}
		<-l.at // the first two come at once: the second waits for net/http
		last, pause := <-l.at, time.Duration(0)
		for range 7 {
			at := <-l.at
			if at.Sub(last) <= pause {
				t.Errorf("%v after %v", at.Sub(last), pause)
			}
			last, pause = at, at.Sub(last)
		}
	})
}

func TestServer_ReturnsTheErrorOfAListenerThatIsBroken(t *testing.T) {
	l := &stumbling{pipes: listenPipes(), errs: make(chan error, 1), at: make(chan time.Time, 20)}
	broken := errors.New("broken")
	l.errs <- broken
	if err := (&server.Server{Handler: echo(), Logger: quiet()}).Serve(l); err != broken {
		t.Error(err)
	}
	if _, err := l.pipes.Accept(); err == nil {
		t.Error("the listener is open")
	}
}

// A listener that has TLS in it is net/http's alone.
func TestServer_ServesAListenerOfTLS(t *testing.T) {
	cert, roots := certificate(t)
	srv := &server.Server{Logger: quiet(), Handler: &server.Service{Logger: quiet(), OnOpen: func(c *conn.Conn, r *http.Request) error {
		return c.WriteText(r.Context(), fmt.Sprint(c.Secure(), " ", r.TLS != nil))
	}}}
	l := listenTCP(t)
	runOn(t, srv, func() error {
		return srv.Serve(tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}}))
	})
	c, _, err := client.Dial(t.Context(), "wss://"+l.Addr().String(), &client.Options{TLSConfig: &tls.Config{RootCAs: roots}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if m, err := c.Read(t.Context()); err != nil || string(m.Data) != "true true" {
		t.Errorf("%q, %v", m.Data, err)
	}
}

// Requests that net/http reads first and those it does not, side by side.
func TestServer_ServesRequestsOfBothKinds(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("/", echo())
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	mux.HandleFunc("/file", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) })
	srv := &server.Server{Handler: mux, Logger: quiet()}
	l := listenTCP(t)
	runOn(t, srv, func() error { return srv.Serve(l) })
	open := func() net.Conn {
		nc, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { nc.Close() })
		nc.SetDeadline(time.Now().Add(10 * time.Second))
		return nc
	}
	for range 5 {
		page, short, long := open(), open(), open()
		send(t, short, request()+frameX)
		send(t, long, request("X-Long: "+strings.Repeat("x", 5000))+frameX)
		r := bufio.NewReader(page)
		for range 2 {
			send(t, page, "GET /file HTTP/1.1\r\nHost: example.test\r\n\r\n")
			resp, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := io.Copy(io.Discard, resp.Body); n != 1<<20 || err != nil {
				t.Errorf("%d bytes, %v", n, err)
			}
		}
		for _, nc := range []net.Conn{short, long} {
			receiveHead(t, nc)
			expect(t, nc, echoX)
		}
	}
}

// lingering is a listener that accepts one more after it has been closed.
type lingering struct {
	*pipes
	last chan net.Conn
}

func (l lingering) Accept() (net.Conn, error) {
	if nc, ok := <-l.last; ok {
		return nc, nil
	}
	return nil, net.ErrClosed
}

func TestServer_ClosesWhatItAcceptsWhileItIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := lingering{listenPipes(), make(chan net.Conn)}
		srv := &server.Server{Handler: echo(), Logger: quiet()}
		served := make(chan error, 1)
		go func() { served <- srv.Serve(l) }()
		synctest.Wait()
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
		begin := time.Now()
		nc, there := conntest.Pipe()
		l.last <- there
		if _, err := nc.Read(make([]byte, 1)); err != io.EOF || time.Since(begin) > 0 {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		close(l.last)
		<-served
	})
}
