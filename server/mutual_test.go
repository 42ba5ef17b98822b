package server_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"path/filepath"
	"testing"
	"testing/synctest"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/server"
)

// With TLS 1.3 a client's own handshake is over before it knows whether its
// certificate was good enough: the response to its request shows that.
func TestServer_MutualTLS_KnowsItsClients(t *testing.T) {
	ours, staff := newAuthority(t), newAuthority(t)
	files := ours.tlsFiles(t)
	files.ClientCAs = filepath.Join(t.TempDir(), "clients.pem")
	write(t, files.ClientCAs, certPEM(staff.cert))
	srv := &server.Server{TLSConfig: configOf(t, files), Logger: quiet()}
	srv.Handler = server.Authenticate(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := server.Accept(w, r, nil)
		if err != nil {
			return
		}
		p := server.PrincipalOf(c)
		if p.Claims.(*x509.Certificate).Subject.CommonName != p.Name {
			t.Errorf("the principal is %+v", p)
		}
		c.WriteText(t.Context(), p.Name)
		drain(c)
	}), server.ClientCertificate)
	l := listenTCP(t)
	runOn(t, srv, func() error { return srv.ServeTLS(l, "", "") })
	dial := func(config *tls.Config) (string, error) {
		c, _, err := client.Dial(t.Context(), "wss://"+l.Addr().String(), &client.Options{Proxy: noProxy, TLSConfig: config})
		if err != nil {
			return "", err
		}
		defer c.CloseNow()
		m, err := c.Read(t.Context())
		return string(m.Data), err
	}
	if name, err := dial(ours.trusted(staff.pair(t, "ada"))); err != nil || name != "ada" {
		t.Errorf("a client of ours was %q, %v", name, err)
	}
	for name, config := range map[string]*tls.Config{
		"no certificate":       ours.trusted(),
		"of another authority": ours.trusted(ours.pair(t, "eve")),
	} {
		if _, err := dial(config); err == nil {
			t.Errorf("%s: not refused", name)
		}
	}
}

// A client whose authority is trusted no more does not come in by a session of
// before either.
func TestTLSFiles_AuthoritiesAreReadAgain_ForSessionsToo(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		synctest.Test(t, func(t *testing.T) {
			ours, staff, next := newAuthority(t), newAuthority(t), newAuthority(t)
			files := ours.tlsFiles(t)
			files.ClientCAs = filepath.Join(t.TempDir(), "clients.pem")
			write(t, files.ClientCAs, certPEM(staff.cert))
			config := configOf(t, files)
			theirs := ours.trusted(staff.pair(t, "ada"))
			theirs.ClientSessionCache = tls.NewLRUClientSessionCache(0)
			theirs.MaxVersion = version
			for _, resumed := range []bool{false, true} {
				state, err := greet(t, config, theirs)
				if err != nil || state.DidResume != resumed {
					t.Errorf("%s: resumed %v, %v", tls.VersionName(version), state.DidResume, err)
				}
			}
			ours.renew(t, files)
			tick()
			if state, err := greet(t, config, theirs); err != nil || !state.DidResume {
				t.Errorf("%s: sessions should outlive a renewal: resumed %v, %v", tls.VersionName(version), state.DidResume, err)
			}
			write(t, files.ClientCAs, certPEM(next.cert))
			tick()
			if state, err := greet(t, config, theirs); err == nil {
				t.Errorf("%s: a client of the old authority came in, resumed %v", tls.VersionName(version), state.DidResume)
			}
			if _, err := greet(t, config, ours.trusted(next.pair(t, "bob"))); err != nil {
				t.Errorf("%s: a client of the new authority: %v", tls.VersionName(version), err)
			}
		})
	}
}

func TestTLSFiles_CertificatesMayBeOptional(t *testing.T) {
	ours, staff := newAuthority(t), newAuthority(t)
	files := ours.tlsFiles(t)
	files.ClientCAs = filepath.Join(t.TempDir(), "clients.pem")
	write(t, files.ClientCAs, append(certPEM(ours.cert), certPEM(staff.cert)...))
	files.Base = &tls.Config{ClientAuth: tls.VerifyClientCertIfGiven}
	config := configOf(t, files)
	for name, theirs := range map[string]*tls.Config{
		"none": ours.trusted(), "ours": ours.trusted(ours.pair(t, "bob")), "staff": ours.trusted(staff.pair(t, "ada")),
	} {
		if _, err := greet(t, config, theirs); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Of unknown authorities a client sends none, unless it insists.
	theirs := ours.trusted()
	eve := newAuthority(t).pair(t, "eve")
	theirs.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &eve, nil }
	if _, err := greet(t, config, theirs); err == nil {
		t.Error("one of a stranger was taken")
	}
}
