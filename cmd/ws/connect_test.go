package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/swan-ws/websocket"
)

// serverThat accepts connections, does act on each and cuts it. It returns its
// URL.
func serverThat(t *testing.T, act func(c *websocket.Conn, r *http.Request)) string {
	t.Helper()
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureAllowAnyOrigin: true})
		if err != nil {
			return
		}
		defer c.CloseNow()
		act(c, r)
	}))
	t.Cleanup(ts.Close)
	return "ws" + strings.TrimPrefix(ts.URL, "http")
}

func want(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func wantParts(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("no %q in:\n%s", part, text)
		}
	}
}

func TestConnect_Sends_EveryLine(t *testing.T) {
	_, addr := startServe(t)
	const lines = "hello\n\ngrüße\nends in CR\r\nno end of line"
	const printed = "hello\n\ngrüße\nends in CR\nno end of line\n"
	code, out, errs := runWith(t, lines, "connect", "ws://"+addr+"/echo?token=secret", "-eof", "close", "-s", "x", "-s", "echo.v1")
	want(t, "exit code", code, exitOK)
	want(t, "stdout", out, printed)
	wantParts(t, errs, "connected to ws://"+addr+"/echo, subprotocol \"echo.v1\", extension \"permessage-deflate; ", "closed: 1000 normal closure (after ", ", 5 in, 5 out)\n")
	if strings.Contains(errs, "secret") {
		t.Errorf("the query is shown:\n%s", errs)
	}
}

func TestConnect_Binary_IsHex(t *testing.T) {
	_, addr := startServe(t)
	code, out, _ := runWith(t, "\x00\xff\n", "connect", "-b", "-n", "1", "ws://"+addr+"/echo")
	want(t, "exit code", code, exitOK)
	want(t, "stdout", out, "binary:00ff\n")
}

func TestConnect_Stops_AtALineThatIsNotText(t *testing.T) {
	_, addr := startServe(t)
	code, _, errs := runWith(t, "good\nb\xe4d\n", "connect", "ws://"+addr+"/echo")
	want(t, "exit code", code, exitUsage)
	wantParts(t, errs, "ws: line 2 of stdin is not valid UTF-8\n  try: -b,")
}

func TestConnect_Waits_AtTheEndOfAPipe(t *testing.T) {
	srv, addr := startServe(t)
	p := start(t, "connect", "ws://"+addr+"/echo")
	io.WriteString(p.in, "hello\n")
	p.in.Close()
	p.err.waitFor(t, "end of stdin: still printing")
	p.out.waitFor(t, "hello\n")
	srv.stop()
	want(t, "exit code", <-p.code, exitOK)
	wantParts(t, p.err.String(), "closed by peer: 1001 going away: \"server is shutting down\" (after ", ", 1 in, 1 out)\n")
}

func TestConnect_Closes_OnCtrlC(t *testing.T) {
	_, addr := startServe(t)
	p := start(t, "connect", "-ping", "1h", "ws://"+addr+"/echo")
	p.err.waitFor(t, " ms\n")
	p.stop()
	want(t, "exit code", <-p.code, exitOK)
	wantParts(t, p.err.String(), "\nping ", "closed: 1000 normal closure")
}

func TestConnect_GivesUp_OnCtrlC(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p := start(t, "connect", "ws://"+l.Addr().String())
	nc, err := l.Accept() // and say nothing
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	p.stop()
	want(t, "exit code", <-p.code, exitConnect)
	wantParts(t, p.err.String(), "interrupted before there was a connection")
}

func TestConnect_Sends_HeadersAndOrigin(t *testing.T) {
	got := make(chan http.Header, 1)
	url := serverThat(t, func(c *websocket.Conn, r *http.Request) {
		got <- r.Header
		c.Close(websocket.CloseNormal, "")
	})
	runWith(t, "", "connect", "-o", "https://site.example", "-H", "Authorization: Bearer a:b", "-H", "X-A: 1", "-H", "X-A:2", url)
	h := <-got
	want(t, "Origin", h["Origin"], []string{"https://site.example"})
	want(t, "Authorization", h["Authorization"], []string{"Bearer a:b"})
	want(t, "X-A", h["X-A"], []string{"1", "2"})
}

func TestConnect_ExitCode_SaysHowItEnded(t *testing.T) {
	tests := []struct {
		name string
		act  func(c *websocket.Conn)
		code int
		err  string
	}{
		{"normal", func(c *websocket.Conn) { c.Close(websocket.CloseNormal, "bye") }, exitOK, `closed by peer: 1000 normal closure: "bye" (after `},
		{"no code", func(c *websocket.Conn) { c.Close(websocket.CloseNoStatus, "") }, exitOK, "closed by peer: 1005 no status received (after "},
		{"policy", func(c *websocket.Conn) { c.Close(websocket.ClosePolicyViolation, "token expired") }, exitAbnormal, `1008 policy violation: "token expired"`},
		{"an application's", func(c *websocket.Conn) { c.Close(4001, "") }, exitAbnormal, "closed by peer: 4001 (after "},
		{"error", func(c *websocket.Conn) { c.Close(websocket.CloseInternalError, "") }, exitAbnormal, "try: the server's log"},
		{"busy", func(c *websocket.Conn) { c.Close(websocket.CloseTryAgainLater, "") }, exitAbnormal, "try: again later"},
		{"ours was too big", func(c *websocket.Conn) { c.Close(websocket.CloseTooBig, "") }, exitAbnormal, "try: shorter messages"},
		{"lost", func(c *websocket.Conn) {}, exitAbnormal, "ended it without a word"},
		{"theirs is too big", func(c *websocket.Conn) { c.WriteText(t.Context(), "12345"); c.Read(t.Context()) }, exitAbnormal, "try: -max-message -1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url := serverThat(t, func(c *websocket.Conn, _ *http.Request) { tt.act(c) })
			code, _, errs := runWith(t, "", "connect", "-max-message", "4", url)
			want(t, "exit code", code, tt.code)
			wantParts(t, errs, tt.err)
		})
	}
}

// The peer does not answer the Close frame, as it does not read.
func TestSession_Reports_ACloseWithoutAnswer(t *testing.T) {
	let := make(chan struct{})
	url := serverThat(t, func(*websocket.Conn, *http.Request) { <-let })
	defer close(let)
	c := dial(t, url, &websocket.DialOptions{Conn: websocket.ConnOptions{CloseTimeout: -1}})
	var out screen
	f := &connectFlags{eof: eofClose}
	in, end := io.Pipe()
	defer end.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	want(t, "exit code", f.talk(ctx, c, stdio{in, &out, &out}), exitAbnormal)
	wantParts(t, out.String(), "not closed in order")
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("no room") }

func TestConnect_Reports_TroubleWithItsOwnStreams(t *testing.T) {
	_, addr := startServe(t)
	var errs screen
	args := []string{"connect", "ws://" + addr + "/echo"}
	want(t, "exit code", run(t.Context(), args, stdio{strings.NewReader("a\n"), broken{}, &errs}), exitUsage)
	want(t, "exit code", run(t.Context(), args, stdio{iotest.ErrReader(errors.New("no disk")), io.Discard, &errs}), exitUsage)
	wantParts(t, errs.String(), "cannot print: no room\n  try: is the disk full", "cannot read stdin: no disk\n")
}

func TestConnect_Refused_ShowsTheAnswer(t *testing.T) {
	tests := []struct {
		name   string
		header http.Header
		status int
		body   string
		parts  []string
	}{
		{"unauthorized", nil, 401, "log in\x1b[31m\n", []string{"refused with 401 Unauthorized\n  | log in\\x1b[31m\n", "try: -H 'Authorization"}},
		{"forbidden", nil, 403, "", []string{"403 Forbidden\n", "try: -o https://SITE"}},
		{"elsewhere", http.Header{"Location": {"wss://other.example/ü"}}, 302, "", []string{"try: ws connect with the address it points to: wss://other.example/ü\n"}},
		{"no WebSocket", nil, 404, "", []string{"try: another path"}},
		{"page", http.Header{"Content-Type": {"text/html"}}, 200, "<p>", []string{"200 OK, and a page for browsers\n", "try: another path"}},
		{"down", nil, 503, "", []string{"try: again later"}},
		{"wants more", nil, 400, "", []string{"try: the server's documentation"}},
		{"talks too much", nil, 400, strings.Repeat("x\n", 20), []string{strings.Repeat("\n  | x", maxBody) + "\n  | ...\n"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for name, values := range tt.header {
					w.Header()[name] = values
				}
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.body)
			}))
			defer ts.Close()
			code, _, errs := runWith(t, "", "connect", "ws"+strings.TrimPrefix(ts.URL, "http"))
			want(t, "exit code", code, exitRefused)
			wantParts(t, errs, tt.parts...)
		})
	}
}

// answer is a server that sends bytes to the first who asks.
func answer(t *testing.T, text string) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		nc.Read(make([]byte, 4096))
		io.WriteString(nc, text)
	}()
	return l.Addr().String()
}

func TestConnect_Refused_ByWhatIsNoServer(t *testing.T) {
	tests := []struct{ name, answer, part string }{
		{"SSH", "SSH-2.0-x\r\n", "try: is it a WebSocket server?"},
		{"wrong key", "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n", "breaks the rules"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, _, errs := runWith(t, "", "connect", "ws://"+answer(t, tt.answer))
			want(t, "exit code", code, exitRefused)
			wantParts(t, errs, tt.part)
		})
	}
}

func TestConnect_NoConnection_SaysWhatToTry(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	l.Close()
	tests := []struct {
		name, part string
		args       []string
	}{
		{"nobody listens", "try: another port, or start the server", []string{"ws://" + nobody}},
		{"proxy is not there", "try: another -proxy", []string{"-proxy", "http://" + nobody, "ws://example.com"}},
		{"no TLS there", "try: a URL with ws://", []string{"wss://" + answer(t, "HTTP/1.1 400 x\r\n\r\n")}},
		{"hangs up", "try: the same again", []string{"wss://" + answer(t, "")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, _, errs := runWith(t, "", append([]string{"connect"}, tt.args...)...)
			want(t, "exit code", code, exitConnect)
			wantParts(t, errs, tt.part)
		})
	}
}

func TestNetworkHint(t *testing.T) {
	tests := []struct {
		err  error
		part string
	}{
		{x509.HostnameError{}, "the name that the certificate is for"},
		{x509.CertificateInvalidError{}, "a new certificate"},
		{tls.AlertError(40), "the server's log"},
		{&net.DNSError{}, "another spelling"},
		{context.DeadlineExceeded, "firewall"},
	}
	for _, tt := range tests {
		wantParts(t, networkHint(fmt.Errorf("x: %w", tt.err)), tt.part)
	}
}

func TestConnect_OverTLS(t *testing.T) {
	cert, key := certificate(t)
	_, addr := startServe(t, "-cert", cert, "-key", key)
	tests := []struct {
		name string
		flag []string
		code int
		part string
	}{
		{"unknown", nil, exitConnect, "try: -ca FILE"},
		{"known", []string{"-ca", cert}, exitOK, "closed: 1000"},
		{"unchecked", []string{"-k"}, exitOK, "WARNING: -k:"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, _, errs := runWith(t, "a\n", append([]string{"connect", "-n", "1", "wss://" + addr + "/echo"}, tt.flag...)...)
			want(t, "exit code", code, tt.code)
			wantParts(t, errs, tt.part)
		})
	}
}

func TestConnect_ThroughAProxy(t *testing.T) {
	_, addr := startServe(t)
	asked := make(chan string, 1)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Method + " " + r.Host
		to, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		defer to.Close()
		nc, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer nc.Close()
		io.WriteString(nc, "HTTP/1.1 200 OK\r\n\r\n")
		go io.Copy(to, nc)
		io.Copy(nc, to)
	}))
	defer proxy.Close()
	code, out, _ := runWith(t, "hello\n", "connect", "-proxy", proxy.URL, "-n", "1", "ws://server.example:81/echo")
	want(t, "exit code", code, exitOK)
	want(t, "stdout", out, "hello\n")
	want(t, "the proxy was asked", <-asked, "CONNECT server.example:81")
}

// Other people's text must not give orders to the terminal.
func TestAppendLine_InATerminal_EscapesControlCharacters(t *testing.T) {
	m := websocket.Message{Type: websocket.Text, Data: []byte("a\tb\nc\r\x1b[2J\u009b\x7fü")}
	want(t, "terminal", string(appendLine(nil, m, true)), "a\tb\nc\\x0d\\x1b[2J\\x9b\\x7fü\n")
	want(t, "pipe", string(appendLine(nil, m, false)), string(m.Data)+"\n")
}

func TestIsTerminal(t *testing.T) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	w.Close()
	for _, f := range []any{null, r, strings.NewReader(""), nil} {
		if isTerminal(f) {
			t.Errorf("%v is taken for a terminal", f)
		}
	}
	if tty, err := os.Open("/dev/ptmx"); err == nil {
		defer tty.Close()
		if !isTerminal(tty) {
			t.Error("a terminal is not seen")
		}
	}
}

func TestRounded(t *testing.T) {
	for d, text := range map[time.Duration]string{
		3*time.Minute + 12*time.Second + 345*time.Millisecond: "3m12s",
		1234567 * time.Microsecond:                            "1.23s",
		456789 * time.Nanosecond:                              "460µs",
	} {
		want(t, d.String(), rounded(d).String(), text)
	}
}
