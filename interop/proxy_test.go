//go:build interop

package interop

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/swan-ws/websocket"
)

// cut is how long the proxies keep a connection on which nothing passes.
const cut = 2 * time.Second

// A proxy is a reverse proxy that runs before a host.
type proxy struct {
	Dir, Backend  string
	Plain, Secure string // where it listens
	Cut           time.Duration
	HTTP2         bool // to the host
	roots         *x509.CertPool
}

func TestNginx(t *testing.T) {
	t.Parallel()
	path := tool(t, "nginx", "/usr/sbin/nginx")
	out, _ := exec.Command(path, "-v").CombinedOutput()
	t.Logf("%s", out)
	crossProxy(t, func(t *testing.T, h *host) *proxy {
		p, files := newProxy(t, h, "nginx.conf")
		cmd := exec.Command(path, "-p", p.Dir, "-e", "stderr", "-c", p.Dir+"/nginx.conf")
		cmd.Env = environment("NGINX=3;4;") // the sockets that it finds open
		p.start(t, cmd, files)
		return p
	})
}

func TestHAProxy(t *testing.T) {
	t.Parallel()
	path := tool(t, "haproxy", "/usr/sbin/haproxy")
	out, _ := exec.Command(path, "-v").Output()
	t.Logf("%s", out)
	crossProxy(t, startHAProxy)
}

func startHAProxy(t *testing.T, h *host) *proxy {
	p, files := newProxy(t, h, "haproxy.cfg")
	p.start(t, exec.Command(tool(t, "haproxy", "/usr/sbin/haproxy"), "-db", "-f", p.Dir+"/haproxy.cfg"), files)
	return p
}

// newProxy takes two free ports, and fills a configuration in.
func newProxy(t *testing.T, h *host, config string) (*proxy, []*os.File) {
	t.Helper()
	p := &proxy{Dir: t.TempDir(), Backend: h.addr, Cut: cut, HTTP2: h.clear2}
	files := make([]*os.File, 2)
	for i, addr := range []*string{&p.Plain, &p.Secure} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if files[i], err = l.(*net.TCPListener).File(); err != nil {
			t.Fatal(err)
		}
		*addr = l.Addr().String()
	}
	p.roots = certify(t, filepath.Join(p.Dir, "pem"))
	var b bytes.Buffer
	if err := template.Must(template.ParseFiles("testdata/"+config)).Execute(&b, p); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(p.Dir, config), b.Bytes())
	return p, files
}

// start hands the listening sockets to the program as its files 3 and 4. They
// take connections already, so nobody need wait for it.
func (p *proxy) start(t *testing.T, cmd *exec.Cmd, files []*os.File) {
	t.Helper()
	cmd.ExtraFiles = files
	start(t, cmd)
	for _, f := range files {
		f.Close()
	}
}

// certify writes a certificate that says it is itself good for 127.0.0.1, and its key,
// and returns what trusts it.
func certify(t *testing.T, path string) (roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{{127, 0, 0, 1}},
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	write(t, path, append(certificate, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})...))
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(certificate)
	return roots
}

func write(t *testing.T, path string, p []byte) {
	t.Helper()
	if err := os.WriteFile(path, p, 0o600); err != nil {
		t.Fatal(err)
	}
}

// crossProxy connects our client with our server across a proxy.
func crossProxy(t *testing.T, start func(*testing.T, *host) *proxy) {
	tests := []struct {
		name string
		keep func(t *testing.T, start func(*testing.T, *host) *proxy)
	}{
		{"Pings keep the connection", pingsKeep},
		{"Without Pings it is cut", idleIsCut},
		{"Headers of the proxy arrive", forwardedArrives},
		{"TLS at the proxy, same site", secureSameSite},
		{"Refusal passes", refusalPasses},
		{"Large messages pass", largePasses},
		{"Shutdown passes", shutdownPasses},
		{"Close passes", closePasses},
		{"Browser passes", browserPasses},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.keep(t, start)
		})
	}
}

// cross returns the server's and the client's end of a connection across p.
func cross(t *testing.T, h *host, p *proxy, o *websocket.DialOptions) (server arrival, c *websocket.Conn) {
	t.Helper()
	return crossTo(t, h, "ws://"+p.Plain+"/socket", o)
}

func crossTo(t *testing.T, h *host, url string, o *websocket.DialOptions) (server arrival, c *websocket.Conn) {
	t.Helper()
	c, _, err := websocket.Dial(bounded(t), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow() })
	if server = h.wait(t); server.err != nil {
		t.Fatal(server.err)
	}
	t.Cleanup(func() { server.conn.CloseNow() })
	return server, c
}

var (
	pings   = websocket.ConnOptions{PingEvery: cut / 4}
	noPings = websocket.ConnOptions{PingEvery: -1}
)

func pingsKeep(t *testing.T, start func(*testing.T, *host) *proxy) {
	h := newHost(t, &websocket.AcceptOptions{Conn: pings})
	s, c := cross(t, h, start(t, h), &websocket.DialOptions{Conn: noPings})
	ends := []<-chan error{reading(bounded(t), s.conn), reading(bounded(t), c)}
	select {
	case err := <-ends[0]:
		t.Errorf("server lost the connection: %v", err)
	case err := <-ends[1]:
		t.Errorf("client lost the connection: %v", err)
	case <-time.After(3 * cut): // nothing is to happen
	}
	if err := c.Close(websocket.CloseNormal, ""); err != nil {
		t.Error(err)
	}
}

func idleIsCut(t *testing.T, start func(*testing.T, *host) *proxy) {
	h := newHost(t, &websocket.AcceptOptions{Conn: noPings})
	s, c := cross(t, h, start(t, h), &websocket.DialOptions{Conn: noPings})
	for _, end := range []*websocket.Conn{s.conn, c} {
		err := <-reading(bounded(t), end)
		if e, ok := errors.AsType[*websocket.CloseError](err); !ok || e.Code != websocket.CloseAbnormal || !e.Remote {
			t.Errorf("end of an idle connection: %v, want 1006", err)
		}
	}
}

func forwardedArrives(t *testing.T, start func(*testing.T, *host) *proxy) {
	h := newHost(t, nil)
	p := start(t, h)
	s, _ := cross(t, h, p, &websocket.DialOptions{Header: http.Header{"Origin": {"http://" + p.Plain}}})
	for name, want := range map[string]string{"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http"} {
		if got := s.request.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if s.request.Host != p.Plain {
		t.Errorf("Host: %q, want %q", s.request.Host, p.Plain)
	}
}

func secureSameSite(t *testing.T, start func(*testing.T, *host) *proxy) {
	h := newHost(t, nil)
	p := start(t, h)
	c, _, err := websocket.Dial(bounded(t), "wss://"+p.Secure+"/socket", &websocket.DialOptions{
		Header: http.Header{"Origin": {"https://" + p.Secure}}, TLSConfig: &tls.Config{RootCAs: p.roots},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	s := h.wait(t)
	if s.err != nil {
		t.Fatal(s.err)
	}
	if got := s.request.Header.Get("X-Forwarded-Proto"); got != "https" {
		t.Errorf("X-Forwarded-Proto: %q", got)
	}
	pass(t, s.conn, c, 1<<20)
	pass(t, c, s.conn, 1<<20)
}

// pass sends a message from one end to the other.
func pass(t *testing.T, from, to *websocket.Conn, size int) {
	t.Helper()
	ctx := bounded(t)
	data := bytes.Repeat([]byte("swan"), size/4)
	sent := make(chan error, 1)
	go func() { sent <- from.Write(ctx, websocket.Binary, data) }()
	m, err := to.Read(ctx)
	if err != nil || m.Type != websocket.Binary || !bytes.Equal(m.Data, data) {
		t.Errorf("%v message of %d bytes arrived, want %d; %v", m.Type, len(m.Data), len(data), err)
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
}

func refusalPasses(t *testing.T, start func(*testing.T, *host) *proxy) {
	h := newHost(t, nil)
	refusalCrosses(t, "ws://"+start(t, h).Plain+"/socket", nil)
}

func refusalCrosses(t *testing.T, url string, via http.RoundTripper) {
	t.Helper()
	_, _, err := websocket.Dial(bounded(t), url, &websocket.DialOptions{
		Header: http.Header{"Origin": {"https://goose.example"}}, HTTP2: via,
	})
	e, ok := errors.AsType[*websocket.HandshakeError](err)
	if !ok || e.Status != http.StatusForbidden || !strings.Contains(string(e.Body), "goose.example") {
		t.Errorf("Dial: %v, want 403 and why", err)
	}
}

func largePasses(t *testing.T, start func(*testing.T, *host) *proxy) {
	const size = 16 << 20
	large := websocket.ConnOptions{MaxMessage: size}
	h := newHost(t, &websocket.AcceptOptions{Conn: large})
	s, c := cross(t, h, start(t, h), &websocket.DialOptions{Conn: large})
	done := make(chan struct{})
	go func() {
		defer close(done)
		pass(t, s.conn, c, size)
	}()
	pass(t, c, s.conn, size)
	<-done
}

func shutdownPasses(t *testing.T, start func(*testing.T, *host) *proxy) {
	h := newHost(t, nil)
	_, c := cross(t, h, start(t, h), nil)
	end := reading(bounded(t), c)
	if err := h.Shutdown(bounded(t)); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	err := <-end
	if e, ok := errors.AsType[*websocket.CloseError](err); !ok || e.Code != websocket.CloseGoingAway || !e.Remote {
		t.Errorf("client saw %v, want 1001 by peer", err)
	}
}

func closePasses(t *testing.T, start func(*testing.T, *host) *proxy) {
	h := newHost(t, nil)
	s, c := cross(t, h, start(t, h), nil)
	closeCrosses(t, c, s.conn)
}

func closeCrosses(t *testing.T, from, to *websocket.Conn) {
	t.Helper()
	end := reading(bounded(t), to)
	if err := from.Close(4000, "enough"); err != nil {
		t.Errorf("Close: %v", err)
	}
	err := <-end
	if e, ok := errors.AsType[*websocket.CloseError](err); !ok || e.Code != 4000 || e.Reason != "enough" || !e.Remote {
		t.Errorf("the other end saw %v, want 4000 by peer", err)
	}
}

// browserPasses has a page come by HTTP/2, where the proxy may have its sockets
// come in the same connection (RFC 8441), and turn them into what we speak.
func browserPasses(t *testing.T, start func(*testing.T, *host) *proxy) {
	h := newHost(t, &websocket.AcceptOptions{Conn: pings}) // a browser may be slow
	browserCrosses(t, h, start(t, h))
}

func browserCrosses(t *testing.T, h *host, p *proxy) arrival {
	t.Helper()
	g, tb := browserGuest(t, "--ignore-certificate-errors")
	g.load(t, tb, "https://"+p.Secure+"/page.html")
	g.n++
	g.do(t, command{Do: "dial", N: g.n, URL: "wss://" + p.Secure + "/socket"})
	s := h.wait(t)
	if s.err != nil {
		t.Fatal(s.err)
	}
	defer s.conn.CloseNow()
	g.want(t, "open")
	m := &meeting{ctx: bounded(t), ours: s.conn, peer: g.peer}
	for _, data := range []string{"swan", strings.Repeat("swan", 1<<18)} {
		m.there(t, websocket.Text, data)
		m.back(t, websocket.Binary, data)
	}
	if err := m.ours.Close(3000, "enough"); err != nil {
		t.Error(err)
	}
	g.wantClose(t, 3000, "enough")
	return s
}
