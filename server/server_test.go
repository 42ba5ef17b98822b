package server_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/internal/leak"
	"github.com/swan-ws/websocket/server"
)

// run serves srv on a pipes listener until the test ends.
func run(t testing.TB, srv *server.Server) *pipes {
	l := listenPipes()
	runOn(t, srv, func() error { return srv.Serve(l) })
	return l
}

func runOn(t testing.TB, srv *server.Server, serve func() error) {
	done := make(chan error, 1)
	go func() { done <- serve() }()
	t.Cleanup(func() {
		srv.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve: %v", err)
		}
	})
}

func listenTCP(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// certificate is one for 127.0.0.1, and the pool of roots that trusts it.
func certificate(t testing.TB) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "test"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:         true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool
}

func TestServer_ServesOverTCP(t *testing.T) {
	srv := &server.Server{Handler: echo(), Logger: quiet()}
	l := listenTCP(t)
	runOn(t, srv, func() error { return srv.Serve(l) })
	c, _, err := client.Dial(t.Context(), "ws://"+l.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	roundTrip(t, c, "over TCP")
	if srv.Conns().Len() != 1 {
		t.Errorf("%d connections", srv.Conns().Len())
	}
	c.Close(1000, "")
}

func TestServer_ServesOverTLS(t *testing.T) {
	cert, roots := certificate(t)
	log, book := logbook()
	srv := &server.Server{Handler: echo(), TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}}, Logger: log}
	l := listenTCP(t)
	runOn(t, srv, func() error { return srv.ServeTLS(l, "", "") })
	c, _, err := client.Dial(t.Context(), "wss://"+l.Addr().String(), &client.Options{TLSConfig: &tls.Config{RootCAs: roots}})
	if err != nil {
		t.Fatal(err)
	}
	roundTrip(t, c, "over TLS")
	c.Close(1000, "")
	if _, _, err := client.Dial(t.Context(), "wss://"+l.Addr().String(), nil); err == nil {
		t.Error("a client that does not know the certificate should refuse it")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	if line := book.lines()[0]; !strings.Contains(line, "TLS handshake error") {
		t.Errorf("want the failed TLS handshake in the log, got %q", line)
	}
}

func TestServer_AnswersPlainHTTPToo(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("/echo", echo())
	mux.HandleFunc("/hello", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") })
	l := run(t, &server.Server{Handler: mux, Logger: quiet()})
	nc := rawDial(t, l)
	for range 3 { // and keeps the connection
		send(t, nc, "GET /hello HTTP/1.1\r\nHost: example.test\r\n\r\n")
		if resp, body := receive(t, nc); resp.StatusCode != 200 || body != "hello" {
			t.Errorf("got %d %q", resp.StatusCode, body)
		}
	}
	// An upgrade on a connection that has served requests before.
	send(t, nc, strings.Replace(request(), "GET / ", "GET /echo ", 1)+"\x81\x81\x00\x00\x00\x00x")
	receiveHead(t, nc)
	expect(t, nc, conntest.Hex(`8101 "x"`))
}

func TestServer_HandlesWithTheDefaultMuxIfThereIsNoOther(t *testing.T) {
	before := http.DefaultServeMux
	http.DefaultServeMux = http.NewServeMux()
	t.Cleanup(func() { http.DefaultServeMux = before })
	http.Handle("/", echo())
	roundTrip(t, dial(t, run(t, &server.Server{Logger: quiet()}), nil), "x")
}

func TestServer_LimitsConnections(t *testing.T) {
	l := run(t, &server.Server{Handler: echo(), MaxConns: 2, Logger: quiet()})
	dial(t, l, nil)
	dial(t, l, nil)
	_, _, err := tryDial(t, l, nil)
	if e := asHandshakeError(t, err); e.Status != 503 || e.Header.Get("Retry-After") == "" {
		t.Errorf("got %v with %v", e, e.Header)
	}
}

// However steadily a client sends, its request is over in time or not at all.
func TestServer_CutsASlowHandshake(t *testing.T) {
	for _, tt := range []struct {
		name string
		set  time.Duration
		want time.Duration
	}{
		{"as set", 2 * time.Second, 2 * time.Second},
		{"by default", 0, server.DefaultHandshakeTimeout},
	} {
		for _, pause := range []time.Duration{100 * time.Millisecond, time.Hour} {
			t.Run(tt.name+"/"+pause.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					l := run(t, &server.Server{Handler: echo(), HandshakeTimeout: tt.set, Logger: quiet()})
					nc := rawDial(t, l)
					nc.SetDeadline(time.Time{})
					start, cut := time.Now(), make(chan struct{})
					defer close(cut)
					go func() {
						for _, b := range []byte(request("X-Long: " + strings.Repeat("x", 1000))) {
							if _, err := nc.Write([]byte{b}); err != nil {
								return
							}
							select {
							case <-time.After(pause):
							case <-cut:
								return
							}
						}
					}()
					io.Copy(io.Discard, nc)
					if took := time.Since(start); took < tt.want || took > tt.want+time.Second {
						t.Errorf("cut after %v, want %v", took, tt.want)
					}
				})
			})
		}
	}
}

func TestServer_WaitsForEverIfToldSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := run(t, &server.Server{Handler: echo(), HandshakeTimeout: -1, Logger: quiet()})
		nc := rawDial(t, l)
		nc.SetDeadline(time.Time{})
		<-time.After(time.Hour)
		send(t, nc, request()[:50])
		<-time.After(time.Hour)
		send(t, nc, request()[50:])
		if head := receiveHead(t, nc); !strings.HasPrefix(head, "HTTP/1.1 101 ") {
			t.Errorf("got %q", head)
		}
	})
}

func TestServer_RefusesALongHeader(t *testing.T) {
	for _, tt := range []struct {
		name       string
		max, bytes int
		want       int
	}{
		{"default, within", 0, 15 << 10, 101},
		{"default, beyond", 0, 32 << 10, 431},
		{"set, within", 64 << 10, 60 << 10, 101},
		{"set, beyond", 1 << 10, 8 << 10, 431},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := run(t, &server.Server{Handler: echo(), MaxHandshakeBytes: tt.max, Logger: quiet()})
			nc := rawDial(t, l)
			go io.WriteString(nc, request("X-Long: "+strings.Repeat("x", tt.bytes)))
			resp, err := http.ReadResponse(bufio.NewReader(nc), nil)
			if err != nil || resp.StatusCode != tt.want {
				t.Errorf("got %v, %v, want %d", resp, err, tt.want)
			}
		})
	}
}

func TestServer_ShutdownSaysGoodbye(t *testing.T) {
	leak.Check(t)
	srv := &server.Server{Handler: echo(), Logger: quiet()}
	l := listenTCP(t)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	ends := make(chan error, 10)
	for range cap(ends) {
		c, _, err := client.Dial(t.Context(), "ws://"+l.Addr().String(), nil)
		if err != nil {
			t.Fatal(err)
		}
		roundTrip(t, c, "x")
		go func() { ends <- drain(c) }()
	}
	idle, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	send(t, idle, "GET / HTTP/1.1\r\nHost: example.test\r\nConnection: close\r\n\r\n")
	receive(t, idle)
	down := make(chan error, 2)
	for range cap(down) { // twice at the same time
		go func() { down <- srv.Shutdown(t.Context()) }()
	}
	for range cap(ends) {
		if err := <-ends; conn.CloseStatus(err) != 1001 {
			t.Errorf("a client saw %v, want 1001", err)
		}
	}
	for range cap(down) {
		if err := <-down; err != nil {
			t.Errorf("Shutdown: %v", err)
		}
	}
	if err := <-served; err != http.ErrServerClosed {
		t.Errorf("Serve: %v", err)
	}
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Errorf("again: %v", err)
	}
	if err := srv.Close(); err != nil {
		t.Errorf("Close after it: %v", err)
	}
}

func TestServer_ShutdownInTimeWhateverThePeers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := make(chan struct{})
		mux := http.NewServeMux()
		s := echo()
		s.Conn.CloseTimeout = time.Hour
		mux.Handle("/", s)
		mux.HandleFunc("/stuck", func(http.ResponseWriter, *http.Request) { <-stuck })
		srv := &server.Server{Handler: mux, Logger: quiet()}
		l := run(t, srv)
		silent, hanging := rawDial(t, l), rawDial(t, l)
		send(t, silent, request())
		receiveHead(t, silent)
		send(t, hanging, "GET /stuck HTTP/1.1\r\nHost: example.test\r\n\r\n")
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		start := time.Now()
		if err := srv.Shutdown(ctx); err != context.DeadlineExceeded || time.Since(start) != time.Minute {
			t.Errorf("Shutdown: %v after %v", err, time.Since(start))
		}
		close(stuck)
		synctest.Wait()
		if n := srv.Conns().Len(); n != 0 {
			t.Errorf("%d connections left", n)
		}
	})
}

func TestServer_CloseEndsEverythingAtOnce(t *testing.T) {
	leak.Check(t)
	srv := &server.Server{Handler: echo(), Logger: quiet()}
	l := listenPipes()
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	c := dial(t, l, nil)
	roundTrip(t, c, "x")
	if err := srv.Close(); err != nil {
		t.Error(err)
	}
	if err := drain(c); conn.CloseStatus(err) != 1006 {
		t.Errorf("the client saw %v, want 1006", err)
	}
	if err := <-served; err != http.ErrServerClosed {
		t.Errorf("Serve: %v", err)
	}
}

func TestServer_DoesNotServeAfterShutdown(t *testing.T) {
	srv := &server.Server{Addr: "127.0.0.1:0"}
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	for name, serve := range map[string]func() error{
		"ListenAndServe": srv.ListenAndServe,
		"Serve":          func() error { return srv.Serve(listenTCP(t)) },
	} {
		if err := serve(); err != http.ErrServerClosed {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestServer_ListensWhereItIsTold(t *testing.T) {
	taken := listenTCP(t)
	defer taken.Close()
	srv := &server.Server{Addr: taken.Addr().String(), Logger: quiet()}
	for name, serve := range map[string]func() error{
		"plain": srv.ListenAndServe,
		"TLS":   func() error { return srv.ListenAndServeTLS("", "") },
	} {
		if err := serve(); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("%s, on a port that is taken: %v", name, err)
		}
	}
	srv.Addr = "127.0.0.1:0"
	if err := srv.ListenAndServeTLS("no such file", "nor this"); err == nil || errors.Is(err, http.ErrServerClosed) {
		t.Errorf("without a certificate: %v", err)
	}
}
