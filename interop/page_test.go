//go:build interop

package interop

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// TestPage uses the page of `ws serve` as a person would.
func TestPage(t *testing.T) {
	ws, url := serve(t)
	b := startBrowser(t, "--force-color-profile=srgb")
	alice, bob := openPage(t, b, url), openPage(t, b, url)

	t.Run("Echo", func(t *testing.T) {
		alice.is(t, "#state", "closed")
		alice.fill(t, "#protocols", "goose.v2, echo.v1")
		alice.click(t, "#connect")
		alice.sees(t, "#state", "open")
		alice.is(t, "#protocol", "echo.v1")
		alice.sees(t, "#log li.info", "permessage-deflate")
		for _, text := range []string{"hello", "Schwäne 🦢", "<b>bold</b>"} {
			alice.fill(t, "#message", text)
			alice.click(t, "#send")
			alice.sees(t, "#log li.sent", text)
			alice.sees(t, "#log li.received", text)
		}
		alice.sees(t, "#rtt", " ms")
		alice.click(t, "#send-binary")
		alice.sees(t, "#log li.received", "1 MiB")
		alice.lacks(t, "#log", "not what was sent")
		alice.screenshot(t, "SWAN_SCREENSHOT", "page.png", 1280, 800)
		alice.screenshot(t, "SWAN_SCREENSHOT_NARROW", "page-narrow.png", 390, 844)
	})
	t.Run("Close", func(t *testing.T) {
		alice.fill(t, "#code", "999")
		alice.click(t, "#close")
		alice.sees(t, "#log li.info", "not closed")
		alice.is(t, "#state", "open")
		alice.fill(t, "#code", "3001")
		alice.fill(t, "#reason", "had enough")
		alice.click(t, "#close")
		alice.sees(t, "#state", "closed")
		alice.sees(t, "#log li.info", "closed: 3001")
	})
	t.Run("Chat", func(t *testing.T) {
		for _, tb := range []*page{alice, bob} {
			tb.fill(t, "#protocols", "")
			tb.fill(t, "#endpoint", "/chat")
			tb.click(t, "#connect")
			tb.sees(t, "#state", "open")
		}
		bob.fill(t, "#message", "mute swans are loud")
		bob.click(t, "#send")
		alice.sees(t, "#log li.received", "mute swans are loud")
		alice.fill(t, "#message", "whoopers are louder")
		alice.click(t, "#send")
		bob.sees(t, "#log li.received", "whoopers are louder")
	})
	t.Run("Shutdown", func(t *testing.T) {
		ws.Process.Signal(syscall.SIGTERM)
		for _, tb := range []*page{alice, bob} {
			tb.sees(t, "#state", "closed")
			tb.sees(t, "#log li.info", "closed: 1001")
		}
	})
}

// serve builds and runs `ws serve`, and returns the URL of its page.
func serve(t *testing.T) (*process, string) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "ws")
	if out, err := exec.Command("go", "build", "-o", program, "../cmd/ws").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	ws := start(t, exec.Command(program, "serve", "-addr", "127.0.0.1:0"))
	line, err := bufio.NewReader(ws.out).ReadString('\n')
	url := regexp.MustCompile(`http://127\.0\.0\.1:\d+/`).FindString(line)
	if err != nil || url == "" {
		t.Fatalf("ws serve says %q, want where it listens; %v", line, err)
	}
	return ws, url
}

// A page is a tab with somebody before it.
type page struct {
	*tab
	troubles chan string // what the page complains of
}

func openPage(t *testing.T, b *browser, url string) *page {
	t.Helper()
	p := &page{troubles: make(chan string, 100)}
	loaded := make(chan struct{}, 1)
	p.tab = b.open(t, func(method string, params json.RawMessage) {
		switch method {
		case "Page.loadEventFired":
			loaded <- struct{}{}
		case "Runtime.exceptionThrown", "Runtime.consoleAPICalled":
			p.troubles <- string(params)
		}
	})
	p.visit(t, url)
	select {
	case <-loaded:
	case <-bounded(t).Done():
		t.Fatal("page does not load")
	}
	t.Cleanup(func() {
		for len(p.troubles) > 0 {
			t.Errorf("page complains: %s", <-p.troubles)
		}
	})
	return p
}

func (p *page) js(t *testing.T, result any, format string, args ...any) {
	t.Helper()
	for i, arg := range args {
		s, _ := json.Marshal(arg)
		args[i] = string(s)
	}
	if err := p.run(bounded(t), fmt.Sprintf(format, args...), result); err != nil {
		t.Fatalf("%v; the log says:\n%s", err, p.text(t, "#log"))
	}
}

func (p *page) text(t *testing.T, selector string) (s string) {
	t.Helper()
	if err := p.run(bounded(t), fmt.Sprintf("document.querySelector(%q).innerText", selector), &s); err != nil {
		t.Error(err)
	}
	return s
}

func (p *page) fill(t *testing.T, selector, value string) {
	t.Helper()
	p.js(t, nil, `{
		const e = document.querySelector(%s);
		e.value = %s;
		for (const type of ["input", "change"]) e.dispatchEvent(new Event(type, {bubbles: true}));
	}`, selector, value)
}

// click clicks with the mouse, at the middle of what is there.
func (p *page) click(t *testing.T, selector string) {
	t.Helper()
	var at struct{ X, Y float64 }
	p.js(t, &at, `(() => {
		const e = document.querySelector(%s);
		e.scrollIntoView({block: "center"});
		const r = e.getBoundingClientRect(), x = r.x + r.width / 2, y = r.y + r.height / 2;
		const top = document.elementFromPoint(x, y);
		if (e.disabled || !e.contains(top)) throw new Error(e.id + " cannot be clicked");
		return {x, y};
	})()`, selector)
	for _, kind := range []string{"mousePressed", "mouseReleased"} {
		p.must(t, p.session, "Input.dispatchMouseEvent", map[string]any{
			"type": kind, "x": at.X, "y": at.Y, "button": "left", "clickCount": 1,
		}, nil)
	}
}

// sees waits until an element that the selector finds has text.
func (p *page) sees(t *testing.T, selector, text string) {
	t.Helper()
	p.js(t, nil, `new Promise((resolve, reject) => {
		const selector = %s, text = %s;
		const look = () => {
			if (![...document.querySelectorAll(selector)].some(e => e.textContent.includes(text))) return;
			observer.disconnect();
			resolve();
		};
		const observer = new MutationObserver(look);
		observer.observe(document, {subtree: true, childList: true, characterData: true});
		setTimeout(() => reject(new Error(selector + " does not show " + text)), 10000);
		look();
	})`, selector, text)
}

func (p *page) is(t *testing.T, selector, want string) {
	t.Helper()
	if got := p.text(t, selector); got != want {
		t.Errorf("%s is %q, want %q", selector, got, want)
	}
}

func (p *page) lacks(t *testing.T, selector, text string) {
	t.Helper()
	if got := p.text(t, selector); strings.Contains(got, text) {
		t.Errorf("%s has %q: %s", selector, text, got)
	}
}

// screenshot stores a picture where the environment variable says, or with the
// test's artifacts.
func (p *page) screenshot(t *testing.T, variable, name string, width, height int) {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		path = filepath.Join(t.ArtifactDir(), name)
	}
	p.must(t, "", "Target.activateTarget", map[string]any{"targetId": p.target}, nil)
	p.must(t, p.session, "Emulation.setDeviceMetricsOverride", map[string]any{
		"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
	}, nil)
	defer p.must(t, p.session, "Emulation.clearDeviceMetricsOverride", nil, nil)
	var picture struct{ Data []byte }
	p.must(t, p.session, "Page.captureScreenshot", map[string]any{"format": "png"}, &picture)
	if err := os.WriteFile(path, picture.Data, 0o644); err != nil {
		t.Fatal(err)
	}
}
