//go:build interop

package interop

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/swan-ws/websocket"
	"github.com/swan-ws/websocket/internal/trial"
)

// TestExamples enters in a browser's console what the examples say.
func TestExamples(t *testing.T) {
	b := startBrowser(t)
	dir := t.TempDir()
	tests := []struct {
		name string
		test func(*testing.T, *browser, *trial.Program)
		args []string
	}{
		{name: "broadcast", test: broadcastToTabs, args: []string{"-posts", "127.0.0.1:0"}},
		{name: "subprotocols", test: agreeOnSubprotocol},
		{name: "echo", test: hearTheEcho},
		{name: "closelog", test: closeAsBrowser},
		{name: "closeframe", test: closeAsServer},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(dir, tt.name)
			trial.Build(t, "../examples/"+tt.name, path)
			p := trial.Run(t, path, append(tt.args, "-addr", "127.0.0.1:0")...)
			defer p.Kill(t) // Shutdown waits 5 s for a browser's spare connections
			tt.test(t, b, p)
		})
	}
}

func broadcastToTabs(t *testing.T, b *browser, p *trial.Program) {
	addr := map[string]string{}
	for range 2 {
		line := p.Logs(t, `for=(\w+) addr=(\S+)`)
		addr[line[0]] = line[1]
	}
	post := func(text string) {
		t.Helper()
		if body := trial.Curl(t, "-d", text, "http://"+addr["broadcaster"]+"/broadcaster/broadcast"); body != "OK" {
			t.Fatalf("curl prints %q, want OK", body)
		}
	}
	var tabs []*console
	for range 3 {
		c := openConsole(t, b, addr["listeners"])
		c.dial(t, `var ws = new WebSocket("ws://%s/ws");
			ws.onmessage = function(frame) {console.log(frame.data)};`, addr["listeners"])
		c.opens(t)
		for len(c.lines) == 0 { // a moment after the handshake it hears
			post("anybody there?")
		}
		tabs = append(tabs, c)
	}
	post("Hello!")
	for _, c := range tabs {
		line := c.next(t)
		for line == "anybody there?" {
			line = c.next(t)
		}
		if line != "Hello!" {
			t.Errorf("a tab shows %q, want Hello!", line)
		}
	}
}

func agreeOnSubprotocol(t *testing.T, b *browser, p *trial.Program) {
	addr := p.Addr(t)
	c := openConsole(t, b, addr)
	c.dial(t, `var ws = new WebSocket("ws://%s/ws/subscribe", ["xml", "json"]);`, addr)
	c.opens(t)
	p.Prints(t, "Negotiated sub-protocol: json")
	var protocol string
	if c.enter(t, "ws.protocol", &protocol); protocol != "json" {
		t.Errorf("the browser has agreed on %q, want json", protocol)
	}

	c.dial(t, `var ws = new WebSocket("ws://%s/ws/subscribe", ["soap"]);`, addr)
	p.Prints(t, "Negotiated sub-protocol: none")
	c.closes(t, websocket.CloseAbnormal, "") // browsers insist on one
}

func hearTheEcho(t *testing.T, b *browser, p *trial.Program) {
	addr := p.Addr(t)
	c := openConsole(t, b, addr)
	c.dial(t, `var ws = new WebSocket("ws://%s/ws/echo");
		ws.onmessage = function(frame) {console.log(frame.data)};`, addr)
	c.opens(t)
	c.enter(t, `ws.send("Hello!");`, nil)
	if line := c.next(t); line != "Echo: Hello!" {
		t.Errorf("the console shows %q", line)
	}
}

func closeAsBrowser(t *testing.T, b *browser, p *trial.Program) {
	addr := p.Addr(t)
	c := openConsole(t, b, addr)
	for _, tt := range []struct{ enter, want string }{
		{`ws.close(1000, "bye");`, "1000 because of bye"},
		{`ws.close();`, "1005 because of "},
		{`location = "about:blank";`, "1001 because of "},
	} {
		c.dial(t, `var ws = new WebSocket("ws://%s/ws");`, addr)
		c.opens(t)
		c.enter(t, tt.enter, nil)
		p.Prints(t, "Client closed connection with "+tt.want)
	}
}

func closeAsServer(t *testing.T, b *browser, p *trial.Program) {
	addr := p.Addr(t)
	c := openConsole(t, b, addr)
	for _, tt := range []struct {
		say    string
		code   websocket.CloseCode
		reason string
	}{
		{"normal", websocket.CloseNormal, ""},
		{"custom", 3555, "Custom close frame message"},
		{"invalid", websocket.CloseInternalError, ""},
	} {
		c.dial(t, `var ws = new WebSocket("ws://%s/");`, addr)
		c.opens(t)
		c.enter(t, fmt.Sprintf("ws.send(%q)", tt.say), nil)
		c.closes(t, tt.code, tt.reason)
	}
}

// A console is that of a tab that is open at a server.
type console struct {
	*tab
	lines chan string
}

func openConsole(t *testing.T, b *browser, addr string) *console {
	t.Helper()
	c := &console{lines: make(chan string, 100)}
	loaded := make(chan struct{}, 10)
	c.tab = b.open(t, func(method string, params json.RawMessage) {
		switch method {
		case "Page.loadEventFired":
			loaded <- struct{}{}
		case "Runtime.consoleAPICalled":
			var call struct{ Args []struct{ Value any } }
			json.Unmarshal(params, &call)
			for _, arg := range call.Args {
				c.lines <- fmt.Sprint(arg.Value)
			}
		}
	})
	c.visit(t, "http://"+addr+"/")
	select {
	case <-loaded:
	case <-bounded(t).Done():
		t.Fatal("the tab does not load")
	}
	return c
}

// enter evaluates a line, and stores its value in result, which may be nil.
func (c *console) enter(t *testing.T, line string, result any) {
	t.Helper()
	if err := c.run(bounded(t), line, result); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
}

// dial enters lines that make a ws at an address.
func (c *console) dial(t *testing.T, lines, addr string) {
	t.Helper()
	c.enter(t, fmt.Sprintf(lines, addr)+`
		var opened = new Promise(ok => { ws.onopen = () => ok(true); ws.onerror = () => ok(false); });
		var ended = new Promise(ok => { ws.onclose = e => ok({code: e.code, reason: e.reason}); });`, nil)
}

func (c *console) opens(t *testing.T) {
	t.Helper()
	var opened bool
	if c.enter(t, "opened", &opened); !opened {
		t.Fatal("the browser gets no connection")
	}
}

func (c *console) closes(t *testing.T, code websocket.CloseCode, reason string) {
	t.Helper()
	var end struct {
		Code   websocket.CloseCode
		Reason string
	}
	if c.enter(t, "ended", &end); end.Code != code || end.Reason != reason {
		t.Errorf("the browser sees the end with %d %q, want %d %q", end.Code, end.Reason, code, reason)
	}
}

// next returns what the console shows next.
func (c *console) next(t *testing.T) string {
	t.Helper()
	select {
	case line := <-c.lines:
		return line
	case <-bounded(t).Done():
		t.Fatal("the console shows no more")
		return ""
	}
}
