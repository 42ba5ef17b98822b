package server_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
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
	"github.com/swan-ws/websocket/server"
)

// tick lets as much time pass as a change may go unnoticed.
func tick() { <-time.After(time.Second) }

func TestServer_ServesARenewedCertificate_WhileConnectionsGoOn(t *testing.T) {
	ca := newAuthority(t)
	files := ca.tlsFiles(t)
	srv := &server.Server{Handler: echo(), Addr: "127.0.0.1:0", Logger: quiet()}
	addr, err := srv.Listen()
	if err != nil {
		t.Fatal(err)
	}
	runOn(t, srv, func() error { return srv.ListenAndServeTLS(files.Cert, files.Key) })
	dial := func() (c *conn.Conn, number int64) {
		config := ca.trusted()
		config.VerifyConnection = func(state tls.ConnectionState) error {
			number = state.PeerCertificates[0].SerialNumber.Int64()
			return nil
		}
		c, _, err := client.Dial(t.Context(), "wss://"+addr.String(), &client.Options{Proxy: noProxy, TLSConfig: config})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.CloseNow() })
		roundTrip(t, c, "hello")
		return c, number
	}
	old, number := dial()
	if number != 1 {
		t.Errorf("the first connection saw certificate %d", number)
	}
	ca.renew(t, files)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for number != 2 && ctx.Err() == nil {
		_, number = dial()
	}
	if number != 2 {
		t.Error("the renewed certificate is not served")
	}
	roundTrip(t, old, "and the old connection goes on")
}

func TestTLSFiles_AreReadAgainOnceASecondAtTheMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca := newAuthority(t)
		files := ca.tlsFiles(t)
		log, book := logbook()
		files.Logger = log
		config := configOf(t, files)
		for want := range int64(3) {
			if want > 0 {
				ca.renew(t, files)
			}
			if got := serial(t, config, ca.trusted()); got != max(want, 1) {
				t.Errorf("at once: certificate %d", got)
			}
			tick()
			if got := serial(t, config, ca.trusted()); got != want+1 && want > 0 {
				t.Errorf("a second later: certificate %d, want %d", got, want+1)
			}
		}
		if n := len(book.lines()); n != 2 {
			t.Errorf("want a line for each renewal, got %q", book.lines())
		}
	})
}

func TestTLSFiles_BrokenOnesLeaveTheOldCertificateInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca := newAuthority(t)
		files := ca.tlsFiles(t)
		log, book := logbook()
		files.Logger = log
		config := configOf(t, files)
		told := 0 // lines of the log
		goodCert, _ := os.ReadFile(files.Cert)
		otherCert, _ := ca.issue(t, "other")
		for _, tt := range []struct {
			name, want string
			cert       []byte // nil: there is no file
		}{
			{"missing", "no such file", nil},
			{"empty", "no PEM in it", []byte{}},
			{"cut off", "the last PEM block is cut off", goodCert[:len(goodCert)-40]},
			{"of another key", "private key does not match public key", otherCert},
			{"chain cut off", "the last PEM block is cut off", append(goodCert[:len(goodCert):len(goodCert)], goodCert[:200]...)},
			{"no certificate", "malformed certificate", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})},
		} {
			if tt.cert == nil {
				os.Remove(files.Cert)
			} else {
				write(t, files.Cert, tt.cert)
			}
			for range 3 {
				tick()
				if got := serial(t, config, ca.trusted()); got != 1 {
					t.Errorf("%s: certificate %d", tt.name, got)
				}
			}
			lines := book.lines()[told:]
			told += len(lines)
			if len(lines) != 1 || !strings.Contains(lines[0], tt.want) || !strings.Contains(lines[0], "level=ERROR") {
				t.Errorf("%s: want one line with %q, got %q", tt.name, tt.want, lines)
			}
		}
		ca.renew(t, files)
		tick()
		if got := serial(t, config, ca.trusted()); got != 3 {
			t.Errorf("repaired: certificate %d", got)
		}
		if last := book.lines()[len(book.lines())-1]; !strings.Contains(last, "level=INFO") || !strings.Contains(last, files.Cert) {
			t.Errorf("want a line that all is well, got %q", last)
		}
	})
}

func TestTLSFiles_SaysWhichFileIsAtFault(t *testing.T) {
	ca := newAuthority(t)
	good := ca.tlsFiles(t)
	dir := t.TempDir()
	file := func(name string, text []byte) string {
		write(t, filepath.Join(dir, name), text)
		return filepath.Join(dir, name)
	}
	_, strange := ca.issue(t, "other")
	keyBlock := func(kind string, headers map[string]string) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: kind, Headers: headers, Bytes: []byte("x")})
	}
	for _, tt := range []struct {
		name  string
		files server.TLSFiles
		want  []string
	}{
		{"nothing", server.TLSFiles{}, []string{"no certificate: name the files"}},
		{"no key", server.TLSFiles{Cert: good.Cert}, []string{"name the files"}},
		{"missing", server.TLSFiles{Cert: filepath.Join(dir, "none.pem"), Key: good.Key}, []string{"none.pem", "no such file"}},
		{"swapped", server.TLSFiles{Cert: good.Key, Key: good.Cert}, []string{"certificate " + good.Key + " with key " + good.Cert}},
		{"strange key", server.TLSFiles{Cert: good.Cert, Key: file("strange.pem", strange)}, []string{"strange.pem", "does not match"}},
		{"encrypted key", server.TLSFiles{Cert: good.Cert, Key: file("e.pem", keyBlock("ENCRYPTED PRIVATE KEY", nil))},
			[]string{"e.pem", "the key is encrypted", "openssl pkey"}},
		{"encrypted key of old", server.TLSFiles{Cert: good.Cert, Key: file("o.pem", keyBlock("EC PRIVATE KEY", map[string]string{"DEK-Info": "DES-EDE3-CBC,00"}))},
			[]string{"o.pem", "the key is encrypted"}},
		{"key is no PEM", server.TLSFiles{Cert: good.Cert, Key: file("n.pem", []byte("x"))}, []string{"n.pem", "no PEM in it"}},
		{"no authorities", server.TLSFiles{Cert: good.Cert, Key: good.Key, ClientCAs: good.Key}, []string{good.Key + ": no certificate in it"}},
		{"authorities are no PEM", server.TLSFiles{Cert: good.Cert, Key: good.Key, ClientCAs: file("c.pem", nil)}, []string{"c.pem: no PEM"}},
		{"broken authority", server.TLSFiles{Cert: good.Cert, Key: good.Key, ClientCAs: file("b.pem", keyBlock("CERTIFICATE", nil))}, []string{"b.pem: x509: "}},
	} {
		_, err := tt.files.Config()
		for _, want := range tt.want {
			if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "websocket: TLS: ") {
				t.Errorf("%s: want %q in %v", tt.name, want, err)
			}
		}
	}
}

func TestTLSFiles_BaseSaysTheRest_AndIsNotChanged(t *testing.T) {
	ca := newAuthority(t)
	files := ca.tlsFiles(t)
	files.Base = &tls.Config{
		MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12,
		CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256},
		NextProtos:   []string{"http/1.1"},
	}
	before := files.Base.Clone()
	config := configOf(t, files)
	theirs := ca.trusted()
	theirs.NextProtos = []string{"h2", "http/1.1"}
	state, err := greet(t, config, theirs)
	if err != nil || state.Version != tls.VersionTLS12 || state.CipherSuite != files.Base.CipherSuites[0] || state.NegotiatedProtocol != "http/1.1" {
		t.Errorf("got %s with %s for %s, %v", tls.VersionName(state.Version), tls.CipherSuiteName(state.CipherSuite), state.NegotiatedProtocol, err)
	}
	theirs.MinVersion = tls.VersionTLS13
	if _, err := greet(t, config, theirs); err == nil {
		t.Error("a client that wants TLS 1.3 should not find it")
	}
	if len(files.Base.Certificates) != len(before.Certificates) || files.Base.GetConfigForClient != nil || files.Base.ClientAuth != before.ClientAuth {
		t.Errorf("Base has been changed: %+v", files.Base)
	}
}

func TestTLSFiles_BaseMayChooseForSomeClients(t *testing.T) {
	ca := newAuthority(t)
	special := &tls.Config{Certificates: []tls.Certificate{ca.pair(t, "special")}}
	files := ca.tlsFiles(t)
	files.Base = &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if len(hello.SupportedProtos) == 0 {
			return nil, nil
		}
		return special, nil
	}}
	config := configOf(t, files)
	theirs := ca.trusted()
	if n := serial(t, config, theirs); n != 2 {
		t.Errorf("others got certificate %d", n)
	}
	theirs.NextProtos = []string{"special"}
	if n := serial(t, config, theirs); n != 1 {
		t.Errorf("special ones got certificate %d", n)
	}
}

// Pages come by HTTP/2 where client and server can, WebSocket by HTTP/1.1, on the
// same port.
func TestServer_OffersHTTP2_UnlessItIsOff(t *testing.T) {
	for _, tt := range []struct{ name, debug, want string }{
		{"on", "", "HTTP/2.0"},
		{"off", "http2server=0", "HTTP/1.1"},
	} {
		for _, how := range []string{"files", "config", "TLSFiles"} {
			t.Run(tt.name+"/"+how, func(t *testing.T) {
				t.Setenv("GODEBUG", tt.debug)
				ca := newAuthority(t)
				files := ca.tlsFiles(t)
				srv := &server.Server{Logger: quiet()}
				mux := http.NewServeMux()
				mux.Handle("/echo", echo())
				mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) })
				srv.Handler = mux
				cert, key := files.Cert, files.Key
				switch how {
				case "config":
					cert, key = "", ""
					srv.TLSConfig = &tls.Config{Certificates: []tls.Certificate{ca.pair(t, "server")}}
				case "TLSFiles":
					cert, key = "", ""
					srv.TLSConfig = configOf(t, files)
				}
				l := listenTCP(t)
				runOn(t, srv, func() error { return srv.ServeTLS(l, cert, key) })
				web := &http.Client{Transport: &http.Transport{TLSClientConfig: ca.trusted(), ForceAttemptHTTP2: true}}
				defer web.CloseIdleConnections()
				resp, err := web.Get("https://" + l.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				body, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				if string(body) != tt.want {
					t.Errorf("served by %q, want %q", body, tt.want)
				}
				c, _, err := client.Dial(t.Context(), "wss://"+l.Addr().String()+"/echo", &client.Options{Proxy: noProxy, TLSConfig: ca.trusted()})
				if err != nil {
					t.Fatal(err)
				}
				roundTrip(t, c, "by HTTP/1.1")
				c.Close(1000, "")
			})
		}
	}
}

func TestServer_CutsASlowTLSHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := &server.Server{Handler: echo(), Logger: quiet()}
		files := newAuthority(t).tlsFiles(t)
		l := listenPipes()
		runOn(t, srv, func() error { return srv.ServeTLS(l, files.Cert, files.Key) })
		nc := rawDial(t, l)
		nc.SetDeadline(time.Time{})
		start := time.Now()
		send(t, nc, "\x16\x03\x01") // and not a byte more
		io.Copy(io.Discard, nc)
		if took := time.Since(start); took != server.DefaultHandshakeTimeout {
			t.Errorf("cut after %v", took)
		}
	})
}

func TestServer_ClosesTheListenerItCannotServe(t *testing.T) {
	l := listenTCP(t)
	if err := (&server.Server{}).ServeTLS(l, "", ""); err == nil || !strings.Contains(err.Error(), "no certificate") {
		t.Errorf("without a certificate: %v", err)
	}
	if err := l.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the listener was left open: %v", err)
	}
}

// What is not given a Logger goes to that of the program.
func TestTLSFiles_TellTheProgramsLogger(t *testing.T) {
	log, book := logbook()
	before := slog.Default()
	slog.SetDefault(log)
	t.Cleanup(func() { slog.SetDefault(before) })
	synctest.Test(t, func(t *testing.T) {
		ca := newAuthority(t)
		files := ca.tlsFiles(t)
		files.Logger = nil
		config := configOf(t, files)
		ca.renew(t, files)
		tick()
		if serial(t, config, ca.trusted()) != 2 || !strings.Contains(book.lines()[0], "files read again") {
			t.Errorf("got %q", book.lines())
		}
	})
}
