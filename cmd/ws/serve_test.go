package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/swan-ws/websocket"
)

// startServe runs ws serve on a free port and returns it with the address that
// it prints, host and port.
func startServe(t *testing.T, args ...string) (p *process, addr string) {
	t.Helper()
	p = start(t, append([]string{"serve", "-addr", "127.0.0.1:0"}, args...)...)
	line := p.out.waitFor(t, "\n")
	m := regexp.MustCompile(`^listening on https?://([^/]+)/  wss?://[^/]+/echo  wss?://[^/]+/chat\n$`).FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("first line is %q", line)
	}
	t.Cleanup(func() {
		p.stop()
		if code := <-p.code; code != exitOK {
			t.Errorf("ws serve: exit code %d; stderr:\n%s", code, p.err.String())
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return p, m[1]
}

func dial(t *testing.T, url string, o *websocket.DialOptions) *websocket.Conn {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow() })
	return c
}

func read(t *testing.T, c *websocket.Conn) string {
	t.Helper()
	m, err := c.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return m.Type.String() + " " + string(m.Data)
}

func wantClose(t *testing.T, c *websocket.Conn, code websocket.CloseCode) {
	t.Helper()
	for {
		if _, err := c.Read(t.Context()); err != nil {
			if websocket.CloseStatus(err) != code {
				t.Errorf("closed with %v, want %v", err, code)
			}
			return
		}
	}
}

func TestAnnounce_NamesAnAddressToConnectTo(t *testing.T) {
	tests := []struct {
		asked  string
		secure bool
		want   string
	}{
		{"localhost:0", false, "listening on http://localhost:99/  ws://localhost:99/echo  ws://localhost:99/chat"},
		{":0", false, "listening on http://localhost:99/  ws://localhost:99/echo  ws://localhost:99/chat"},
		{"0.0.0.0:0", false, "listening on http://localhost:99/  ws://localhost:99/echo  ws://localhost:99/chat"},
		{"[::]:0", true, "listening on https://localhost:99/  wss://localhost:99/echo  wss://localhost:99/chat"},
		{"[::1]:0", false, "listening on http://[::1]:99/  ws://[::1]:99/echo  ws://[::1]:99/chat"},
		{"ws.example:http", true, "listening on https://ws.example:99/  wss://ws.example:99/echo  wss://ws.example:99/chat"},
	}
	for _, tt := range tests {
		if got := announce(tt.asked, &net.TCPAddr{Port: 99}, tt.secure); got != tt.want {
			t.Errorf("announce(%s) = %q, want %q", tt.asked, got, tt.want)
		}
	}
}

func TestServe_Echoes_EveryMessageAsItCame(t *testing.T) {
	_, addr := startServe(t, "-ping", "0")
	c := dial(t, "ws://"+addr+"/echo", nil)
	long := bytes.Repeat([]byte{0, 1, 0xFF, 7}, 1<<18) // 1 MiB, the limit
	for _, m := range []websocket.Message{
		{Type: websocket.Text, Data: []byte("grüße")},
		{Type: websocket.Text, Data: []byte{}},
		{Type: websocket.Binary, Data: []byte{}},
		{Type: websocket.Binary, Data: long},
	} {
		if err := c.Write(t.Context(), m.Type, m.Data); err != nil {
			t.Fatal(err)
		}
		got, err := c.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got.Type != m.Type || !bytes.Equal(got.Data, m.Data) {
			t.Errorf("sent %v of %d bytes, got %v of %d", m.Type, len(m.Data), got.Type, len(got.Data))
		}
	}
	if err := c.Close(websocket.CloseNormal, ""); err != nil {
		t.Error(err)
	}
}

func TestServe_Takes_TheClientsFirstSubprotocol(t *testing.T) {
	_, addr := startServe(t)
	for _, offered := range [][]string{{"chat.v1", "echo.v1"}, {"x", "echo.v1", "chat.v1"}} {
		c := dial(t, "ws://"+addr+"/echo", &websocket.DialOptions{Subprotocols: offered})
		if got, want := c.Subprotocol(), offered[len(offered)-2]; got != want {
			t.Errorf("of %q the server took %q", offered, got)
		}
	}
}

func TestServe_Refuses_TooLongMessages(t *testing.T) {
	_, addr := startServe(t, "-max-message", "10")
	c := dial(t, "ws://"+addr+"/echo", nil)
	c.WriteText(t.Context(), "eleven char")
	wantClose(t, c, websocket.CloseTooBig)
}

func TestServe_Refuses_PagesOfOtherSites(t *testing.T) {
	p, addr := startServe(t, "-origin", "https://*.example.com", "-origin", "null")
	tests := []struct {
		origin string
		status int
	}{
		{"http://" + addr, 101},
		{"https://app.example.com", 101},
		{"null", 101},
		{"https://evil.example", 403},
	}
	for _, tt := range tests {
		o := &websocket.DialOptions{Header: http.Header{"Origin": {tt.origin}}}
		c, resp, err := websocket.Dial(t.Context(), "ws://"+addr+"/echo", o)
		if err == nil {
			c.CloseNow()
		}
		if resp == nil || resp.StatusCode != tt.status {
			t.Errorf("Origin %s: %v, %v, want %d", tt.origin, resp, err, tt.status)
		}
	}
	if log := p.err.waitFor(t, "evil.example"); !strings.Contains(log, "msg=refused path=/echo") {
		t.Errorf("log:\n%s", log)
	}
}

func TestServe_Logs_Connections_IfVerbose(t *testing.T) {
	p, addr := startServe(t, "-v")
	c := dial(t, "ws://"+addr+"/chat", &websocket.DialOptions{Subprotocols: []string{"chat.v1"}})
	p.err.waitFor(t, "msg=opened path=/chat")
	if err := c.Close(4001, "bye"); err != nil {
		t.Fatal(err)
	}
	log := p.err.waitFor(t, "msg=closed")
	if !strings.Contains(log, "subprotocol=chat.v1") || !strings.Contains(log, "4001") {
		t.Errorf("log:\n%s", log)
	}
}

func TestServe_SaysGoodbye_OnShutdown(t *testing.T) {
	p, addr := startServe(t)
	echo, chat := dial(t, "ws://"+addr+"/echo", nil), dial(t, "ws://"+addr+"/chat", nil)
	read(t, chat) // guest 1 joined
	p.stop()
	go wantClose(t, echo, websocket.CloseGoingAway)
	wantClose(t, chat, websocket.CloseGoingAway)
	<-echo.Done()
	if code := <-p.code; code != exitOK {
		t.Errorf("exit code %d", code)
	}
	p.code <- exitOK // for the cleanup
}

func TestServe_Ends_ThoughSomebodyDoesNotAnswer(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	p, addr := startServe(t)
	dial(t, "ws://"+addr+"/echo", nil) // does not read: the goodbye gets no answer
	for _, request := range []string{"", "GET /"} {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		io.WriteString(nc, request)
	}
	start := time.Now()
	p.stop()
	code := <-p.code
	p.code <- code // startServe looks at it, too
	if took := time.Since(start); took < closeTime || took > 10*shutdownTime {
		t.Errorf("it took %v", took)
	}
}

func TestServe_Fails_WhereSomebodyListens(t *testing.T) {
	_, addr := startServe(t)
	code, out, errs := runWith(t, "", "serve", "-addr", addr)
	if code != exitConnect || out != "" || !strings.Contains(errs, "try: ws serve -addr localhost:0") {
		t.Errorf("exit code %d, stdout %q, stderr:\n%s", code, out, errs)
	}
}

func TestServe_Fails_WhenTheListenerDoes(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	var out screen
	if code := new(serveFlags).serve(t.Context(), l, nil, stdio{nil, &out, &out}); code != exitConnect {
		t.Errorf("exit code %d:\n%s", code, out.String())
	}
}

func get(t *testing.T, method, url string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestServe_HasAPage(t *testing.T) {
	_, addr := startServe(t)
	resp, body := get(t, "GET", "http://"+addr+"/")
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("%s, %s", resp.Status, resp.Header)
	}
	if csp := resp.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none';") {
		t.Errorf("Content-Security-Policy: %s", csp)
	}
	for _, id := range []string{"endpoint", "protocols", "connect", "close", "code", "reason", "message", "send", "send-binary", "log", "state", "rtt"} {
		if strings.Count(body, ` id="`+id+`"`) != 1 {
			t.Errorf("the page has not one id %s", id)
		}
	}
	for _, bad := range []string{"innerHTML", "insertAdjacentHTML", "document.write", "eval(", " src=", "@import", "url("} {
		if strings.Contains(body, bad) {
			t.Errorf("the page has %q: it must stand alone and escape all it shows", bad)
		}
	}
}

func TestServe_HasNothingElse(t *testing.T) {
	_, addr := startServe(t)
	tests := []struct {
		method, path string
		status       int
	}{
		{"GET", "/favicon.ico", 404},
		{"GET", "/page.html", 404},
		{"GET", "/echo/", 404},
		{"POST", "/", 405},
		{"GET", "/echo", 426},
		{"HEAD", "/", 200},
	}
	for _, tt := range tests {
		if resp, body := get(t, tt.method, "http://"+addr+tt.path); resp.StatusCode != tt.status {
			t.Errorf("%s %s: %s, want %d: %s", tt.method, tt.path, resp.Status, tt.status, body)
		}
	}
}

// certificate makes the files of a certificate for 127.0.0.1 that signs itself.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	ts := httptest.NewTLSServer(nil) // has one
	defer ts.Close()
	der, err := x509.MarshalPKCS8PrivateKey(ts.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", ts.Certificate().Raw), write("key.pem", "PRIVATE KEY", der)
}

func TestServe_OverTLS(t *testing.T) {
	cert, key := certificate(t)
	p, addr := startServe(t, "-cert", cert, "-key", key)
	if !strings.HasPrefix(p.out.String(), "listening on https://"+addr+"/  wss://") {
		t.Errorf("first line: %s", p.out.String())
	}
	o := &websocket.DialOptions{TLSConfig: &tls.Config{InsecureSkipVerify: true}}
	c := dial(t, "wss://"+addr+"/echo", o)
	c.WriteText(t.Context(), "secret")
	if diff := cmp.Diff("text secret", read(t, c)); diff != "" {
		t.Error(diff)
	}
	if err := c.Close(websocket.CloseNormal, ""); err != nil {
		t.Error(err)
	}
}

func TestEcho_Ends_WithItsContext(t *testing.T) {
	_, addr := startServe(t)
	c := dial(t, "ws://"+addr+"/echo", nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	echo(ctx, c)
}
