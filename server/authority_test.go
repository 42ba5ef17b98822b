package server_test

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
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/server"
)

// An authority issues certificates for 127.0.0.1, with serial numbers from 1 on.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	last int64
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{key: newKey(t)}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(100 * time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	a.cert = sign(t, template, template, &a.key.PublicKey, a.key)
	return a
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t testing.TB, template, parent *x509.Certificate, public any, by *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, by)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// issue returns a certificate for name and its key, in PEM.
func (a *authority) issue(t testing.TB, name string) (cert, key []byte) {
	t.Helper()
	a.last++
	k := newKey(t)
	leaf := sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(a.last), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(100 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}, a.cert, &k.PublicKey, a.key)
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return certPEM(leaf), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func certPEM(cert *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
}

func (a *authority) pair(t testing.TB, name string) tls.Certificate {
	t.Helper()
	pair, err := tls.X509KeyPair(a.issue(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// trusted is a client's configuration that trusts the authority.
func (a *authority) trusted(certs ...tls.Certificate) *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	return &tls.Config{RootCAs: roots, Certificates: certs}
}

// tlsFiles are files in a directory of the test, with a certificate by a.
func (a *authority) tlsFiles(t testing.TB) server.TLSFiles {
	t.Helper()
	dir := t.TempDir()
	f := server.TLSFiles{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"), Logger: quiet()}
	a.renew(t, f)
	return f
}

func (a *authority) renew(t testing.TB, f server.TLSFiles) {
	t.Helper()
	cert, key := a.issue(t, "server")
	write(t, f.Cert, cert)
	write(t, f.Key, key)
}

func write(t testing.TB, file string, text []byte) {
	t.Helper()
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func configOf(t testing.TB, f server.TLSFiles) *tls.Config {
	t.Helper()
	config, err := f.Config()
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// greet does a TLS handshake in memory. The state is the client's; the error of
// either side is returned.
func greet(t testing.TB, ours, theirs *tls.Config) (tls.ConnectionState, error) {
	t.Helper()
	here, there := conntest.Pipe()
	defer here.Close()
	theirs = theirs.Clone()
	theirs.ServerName = "127.0.0.1"
	c, s := tls.Client(here, theirs), tls.Server(there, ours)
	served := make(chan error, 1)
	go func() {
		err := s.Handshake()
		if err == nil {
			_, err = s.Write([]byte("x")) // behind which come TLS 1.3's tickets
		}
		there.Close()
		served <- err
	}()
	_, err := io.ReadAll(c) // of which the handshake is a part
	if e := <-served; err == nil || errors.Is(err, io.ErrUnexpectedEOF) {
		err = e
	}
	return c.ConnectionState(), err
}

func serial(t testing.TB, ours, theirs *tls.Config) int64 {
	t.Helper()
	state, err := greet(t, ours, theirs)
	if err != nil {
		t.Fatal(err)
	}
	return state.PeerCertificates[0].SerialNumber.Int64()
}
