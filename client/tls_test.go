package client_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/swan-ws/websocket/conn/conntest"
)

// authority signs certificates. Its own is among the system's roots while the
// tests run, where the system looks at SSL_CERT_FILE.
var authority = newAuthority()

type certAuthority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(names ...string) *certAuthority {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority of the tests"},
		NotBefore: longAgo, NotAfter: farOff, DNSNames: names,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der := must(x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key))
	return &certAuthority{must(x509.ParseCertificate(der)), key}
}

// Wide enough for the clock of a synctest bubble, which begins in 2000.
var (
	longAgo = time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)
	farOff  = time.Date(2199, 1, 1, 0, 0, 0, 0, time.UTC)
)

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

// issue returns a certificate for names, DNS or IP.
func (a *certAuthority) issue(notAfter time.Time, names ...string) tls.Certificate {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: longAgo, NotAfter: notAfter}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der := must(x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (a *certAuthority) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// trustTestAuthority makes the authority one of the system's. The roots are
// read when they are first needed, and only then.
func trustTestAuthority() {
	f := must(os.CreateTemp("", "roots"))
	defer os.Remove(f.Name())
	pem.Encode(f, &pem.Block{Type: "CERTIFICATE", Bytes: authority.cert.Raw})
	f.Close()
	os.Setenv("SSL_CERT_FILE", f.Name())
	os.Setenv("SSL_CERT_DIR", "/nonexistent")
	x509.SystemCertPool()
}

// overTLS is s behind TLS.
func overTLS(cert tls.Certificate, s server) server {
	return overTLSWith(&tls.Config{Certificates: []tls.Certificate{cert}}, s)
}

func overTLSWith(config *tls.Config, s server) server {
	return func(nc net.Conn) {
		tc := tls.Server(nc, config)
		defer tc.Close()
		if tc.Handshake() == nil {
			s(tc)
		}
	}
}

func TestClient_DialsTLS(t *testing.T) {
	cert := authority.issue(farOff, "example.test", "192.0.2.1", "2001:db8::1")
	for _, tt := range []struct{ name, url, addr, sni string }{
		{"by name", "wss://example.test/", "example.test:443", "example.test"},
		{"with a port", "wss://example.test:8443/", "example.test:8443", "example.test"},
		{"with a dot at the end", "wss://example.test./", "example.test.:443", "example.test"},
		{"by IPv4", "wss://192.0.2.1/", "192.0.2.1:443", ""},         // RFC 6066 §3: "Literal IPv4 and
		{"by IPv6", "wss://[2001:db8::1]/", "[2001:db8::1]:443", ""}, // IPv6 addresses are not permitted"
	} {
		t.Run(tt.name, func(t *testing.T) {
			hello := make(chan *tls.ClientHelloInfo, 1)
			config := &tls.Config{Certificates: []tls.Certificate{cert}, GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
				hello <- h
				return nil, nil
			}}
			first := make(chan byte, 1)
			secure := overTLSWith(config, answer(accepted+string(conntest.Hex(`8102 "hi"`))))
			o, n := reachEach(t, func(string) server {
				return func(nc net.Conn) {
					var b [1]byte
					io.ReadFull(nc, b[:])
					first <- b[0]
					secure(&unread{nc, b[:]})
				}
			})
			o.TLSConfig = &tls.Config{RootCAs: authority.roots(), NextProtos: []string{"h2"}}
			c, _ := dial(t, tt.url, o)
			if m, err := c.Read(t.Context()); err != nil || string(m.Data) != "hi" {
				t.Errorf("got %q, %v", m.Data, err)
			}
			if b := <-first; b != 0x16 {
				t.Errorf("the first byte on the wire is %#x, want a TLS handshake", b)
			}
			// The upgrade is one of HTTP/1.1: no other protocol may be agreed on.
			if h := <-hello; h.ServerName != tt.sni || strings.Join(h.SupportedProtos, " ") != "http/1.1" {
				t.Errorf("server_name %q, want %q; ALPN %q", h.ServerName, tt.sni, h.SupportedProtos)
			}
			if got := n.addresses(); got != tt.addr {
				t.Errorf("dialed %q, want %q", got, tt.addr)
			}
			if o.TLSConfig.ServerName != "" || o.TLSConfig.NextProtos[0] != "h2" {
				t.Error("the caller's TLSConfig was changed")
			}
			if err := c.Close(1000, ""); err != nil {
				t.Error(err)
			}
		})
	}
}

// unread gives back what was read ahead.
type unread struct {
	net.Conn
	head []byte
}

func (u *unread) Read(p []byte) (int, error) {
	if len(u.head) > 0 {
		n := copy(p, u.head)
		u.head = u.head[n:]
		return n, nil
	}
	return u.Conn.Read(p)
}

func TestClient_RefusesCertificates(t *testing.T) {
	stranger := newAuthority("example.test")
	reached := false
	for _, tt := range []struct {
		name string
		cert tls.Certificate
		want any
	}{
		{"of an unknown authority", stranger.issue(farOff, "example.test"), new(x509.UnknownAuthorityError)},
		{"self-signed", tls.Certificate{Certificate: [][]byte{stranger.cert.Raw}, PrivateKey: stranger.key}, new(x509.UnknownAuthorityError)},
		{"for another host", authority.issue(farOff, "other.test"), new(x509.HostnameError)},
		{"for an address", authority.issue(farOff, "192.0.2.1"), new(x509.HostnameError)},
		{"expired", authority.issue(time.Now().Add(-time.Hour), "example.test"), new(x509.CertificateInvalidError)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := reach(t, overTLS(tt.cert, func(nc net.Conn) {
				if _, err := readRequest(nc); err == nil {
					reached = true
				}
			}))
			o.TLSConfig = &tls.Config{RootCAs: authority.roots()}
			dials := watchDials(o)
			_, err := dialFails(t, "wss://example.test/", o)
			if !errors.As(err, tt.want) {
				t.Errorf("got %v, want a %T", err, tt.want)
			}
			if !dials()[0].isClosed() {
				t.Error("the stream is still open")
			}
		})
	}
	if reached {
		t.Error("a request was sent nevertheless")
	}
}

func TestClient_SendsNothingToAServerWithoutTLS(t *testing.T) {
	o := reach(t, func(nc net.Conn) {
		nc.Read(make([]byte, 4096))
		io.WriteString(nc, "HTTP/1.1 400 Bad Request\r\n\r\n")
		untilClosed(nc)
	})
	_, err := dialFails(t, "wss://example.test/", o)
	if _, ok := errors.AsType[tls.RecordHeaderError](err); !ok {
		t.Errorf("got %v", err)
	}
}

func TestClient_PrefersTheServerNameOfTheConfig(t *testing.T) {
	o := reach(t, overTLS(authority.issue(farOff, "inner.test"), answer(accepted)))
	o.TLSConfig = &tls.Config{RootCAs: authority.roots(), ServerName: "inner.test"}
	dial(t, "wss://example.test/", o)
}
