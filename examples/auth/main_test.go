package main

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/swan-ws/websocket"
	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/internal/trial"
)

func TestMain(m *testing.M) { trial.Main(m) }

// Who asks for what, and the answer.
var handshakes = []struct {
	name   string
	path   string
	login  string // name:password
	status int
	body   string
}{
	{name: "let in", path: "/seats?row=3", login: "bob:duck pond", status: 101},
	{name: "let in as admin", path: "/admin", login: "ada:swan lake", status: 101},
	{name: "nobody", path: "/seats?row=3", status: 401, body: "Unauthorized"},
	{name: "wrong password", path: "/seats?row=3", login: "bob:swan lake", status: 401, body: "Unauthorized"},
	{name: "unknown name", path: "/seats?row=3", login: "eve:swan lake", status: 401, body: "Unauthorized"},
	{name: "not an admin", path: "/admin", login: "bob:duck pond", status: 403, body: "Forbidden"},
	{name: "without a row", path: "/seats", login: "bob:duck pond", status: 400, body: "which row? Ask for /seats?row=3"},
	{name: "panic", path: "/broken", status: 500, body: "Internal Server Error"},
	{name: "unknown path", path: "/stage", status: 404, body: "404 page not found"},
}

func TestAuth_LetsInAndRefuses(t *testing.T) {
	p := trial.Start(t, ".", "-addr", "127.0.0.1:0")
	addr := p.Addr(t)
	for _, tt := range handshakes {
		t.Run(tt.name, func(t *testing.T) {
			o := &websocket.DialOptions{HandshakeTimeout: -1} // a password takes its time
			if name, password, ok := strings.Cut(tt.login, ":"); ok {
				o.Auth = client.Basic(name, password)
			}
			c, _, err := websocket.Dial(trial.Bounded(t), "ws://"+addr+tt.path, o)
			if err == nil {
				defer c.CloseNow()
				trial.Say(t, c, "hello")
				trial.Hear(t, c, tt.login[:3]+" said hello")
			}
			refusal, refused := errors.AsType[*websocket.HandshakeError](err)
			if !refused {
				if tt.status != http.StatusSwitchingProtocols {
					t.Errorf("got %v, want %d", err, tt.status)
				}
				return
			}
			if body := strings.TrimSpace(string(refusal.Body)); refusal.Status != tt.status || body != tt.body {
				t.Errorf("got %d %q, want %d %q", refusal.Status, body, tt.status, tt.body)
			}
		})
	}
}

func TestAuth_RefusesCurl(t *testing.T) {
	p := trial.Start(t, ".", "-addr", "127.0.0.1:0")
	addr, file := p.Addr(t), filepath.Join(t.TempDir(), "body")
	for _, tt := range handshakes {
		if tt.status == http.StatusSwitchingProtocols {
			continue // curl would wait for more
		}
		t.Run(tt.name, func(t *testing.T) {
			args := []string{
				"-H", "Connection: Upgrade", "-H", "Upgrade: websocket",
				"-H", "Sec-WebSocket-Version: 13", "-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
				"-o", file, "-w", "%{http_code} %header{www-authenticate}", "http://" + addr + tt.path,
			}
			if tt.login != "" {
				args = append(args, "-u", tt.login)
			}
			status, challenge, _ := strings.Cut(trial.Curl(t, args...), " ")
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimSpace(string(body)); status != strconv.Itoa(tt.status) || got != tt.body {
				t.Errorf("got %s %q, want %d %q", status, got, tt.status, tt.body)
			}
			if has := strings.HasPrefix(challenge, `Basic realm="theatre"`); has != (tt.status == http.StatusUnauthorized) {
				t.Errorf("challenge %q", challenge)
			}
		})
	}
	p.Logs(t, "the curtain does not open")
}
