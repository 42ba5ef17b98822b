//go:build interop

package interop

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/swan-ws/websocket"
)

// A browser is a Chromium spoken to in its DevTools protocol, which is JSON over
// WebSocket: our client's part of these tests.
type browser struct {
	conn *websocket.Conn

	mu      sync.Mutex
	last    int
	calls   map[int]chan answer
	onEvent map[string]func(method string, params json.RawMessage) // by session
}

type request struct {
	ID        int    `json:"id"`
	SessionID string `json:"sessionId,omitempty"`
	Method    string `json:"method"`
	Params    any    `json:"params"`
}

type answer struct {
	ID        int
	SessionID string
	Method    string // of an event
	Params    json.RawMessage
	Result    json.RawMessage
	Error     *struct{ Message string }
}

// startBrowser runs a Chromium without a window until the end of the test.
func startBrowser(t *testing.T, flags ...string) *browser {
	t.Helper()
	dir, err := os.MkdirTemp("", "chr") // short: it puts sockets there
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	cmd := exec.Command(tool(t, "chromium", "chromium-browser", "google-chrome"), append([]string{
		"--headless=new", "--no-sandbox", "--remote-debugging-port=0", "--remote-allow-origins=*", "--user-data-dir=" + dir + "/user",
		"--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--no-first-run", "--no-proxy-server", "--lang=en",
	}, append(flags, "about:blank")...)...)
	cmd.Env = environment("TMPDIR=" + dir)
	stderr, pipe, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stderr.Close() })
	cmd.Stderr = pipe
	run := start(t, cmd)
	pipe.Close()
	c, _, err := websocket.Dial(bounded(t), devTools(t, stderr), &websocket.DialOptions{
		Conn: websocket.ConnOptions{MaxMessage: 64 << 20},
	})
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{conn: c, calls: map[int]chan answer{}, onEvent: map[string]func(string, json.RawMessage){}}
	read := make(chan struct{})
	go func() {
		defer close(read)
		b.read()
	}()
	run.quit = func() {
		c.WriteJSON(context.Background(), request{Method: "Browser.close", Params: struct{}{}})
		<-read
	}
	return b
}

// devTools waits until Chromium says where it listens, and then drops what else
// it says.
func devTools(t *testing.T, stderr *os.File) (url string) {
	t.Helper()
	stderr.SetReadDeadline(time.Now().Add(patience))
	lines := bufio.NewScanner(stderr)
	var said []string
	for lines.Scan() {
		if _, url, ok := strings.Cut(lines.Text(), "DevTools listening on "); ok {
			stderr.SetReadDeadline(time.Time{})
			go io.Copy(io.Discard, stderr)
			return url
		}
		said = append(said, lines.Text())
	}
	t.Fatalf("Chromium does not listen:\n%s", strings.Join(said, "\n"))
	return ""
}

func (b *browser) read() {
	for m, err := range b.conn.Messages(context.Background()) {
		var a answer
		if err == nil {
			err = json.Unmarshal(m.Data, &a)
		}
		b.mu.Lock()
		if err != nil {
			for _, call := range b.calls {
				close(call)
			}
			b.calls = nil
			b.mu.Unlock()
			return
		}
		call, handle := b.calls[a.ID], b.onEvent[a.SessionID]
		delete(b.calls, a.ID)
		b.mu.Unlock()
		switch {
		case call != nil:
			call <- a
		case handle != nil && a.Method != "":
			handle(a.Method, a.Params)
		}
	}
}

// call does what method says, in a session or, if that is "", in the browser.
func (b *browser) call(ctx context.Context, session, method string, params, result any) error {
	wait := make(chan answer, 1)
	b.mu.Lock()
	if b.calls == nil {
		b.mu.Unlock()
		return fmt.Errorf("%s: %w", method, b.conn.Err())
	}
	b.last++
	id := b.last
	b.calls[id] = wait
	b.mu.Unlock()
	if params == nil {
		params = struct{}{}
	}
	if err := b.conn.WriteJSON(ctx, request{id, session, method, params}); err != nil {
		return err
	}
	select {
	case a, ok := <-wait:
		switch {
		case !ok:
			return fmt.Errorf("%s: %w", method, b.conn.Err())
		case a.Error != nil:
			return fmt.Errorf("%s: %s", method, a.Error.Message)
		case result != nil:
			return json.Unmarshal(a.Result, result)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s: no answer: %w", method, ctx.Err())
	}
}

// A tab is a page of a browser.
type tab struct {
	*browser
	target, session string
}

// open makes a tab, which lasts until the end of the test.
func (b *browser) open(t *testing.T, onEvent func(method string, params json.RawMessage)) *tab {
	t.Helper()
	tb := &tab{browser: b}
	var target struct{ TargetID string }
	b.must(t, "", "Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	tb.target = target.TargetID
	var session struct{ SessionID string }
	b.must(t, "", "Target.attachToTarget", map[string]any{"targetId": tb.target, "flatten": true}, &session)
	tb.session = session.SessionID
	b.mu.Lock()
	b.onEvent[tb.session] = onEvent
	b.mu.Unlock()
	b.must(t, tb.session, "Page.enable", nil, nil)
	b.must(t, tb.session, "Runtime.enable", nil, nil)
	return tb
}

func (b *browser) must(t *testing.T, session, method string, params, result any) {
	t.Helper()
	if err := b.call(bounded(t), session, method, params, result); err != nil {
		t.Fatal(err)
	}
}

// visit begins to load a page.
func (tb *tab) visit(t *testing.T, url string) {
	t.Helper()
	var result struct{ ErrorText string }
	tb.must(t, tb.session, "Page.navigate", map[string]any{"url": url}, &result)
	if result.ErrorText != "" {
		t.Fatalf("%s: %s", url, result.ErrorText)
	}
}

// run evaluates an expression in the page, awaits it if it is a promise, and
// stores its value in result, which may be nil.
func (tb *tab) run(ctx context.Context, expression string, result any) error {
	var r struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct {
			Exception struct{ Description string }
		}
	}
	err := tb.call(ctx, tb.session, "Runtime.evaluate", map[string]any{
		"expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true,
	}, &r)
	switch {
	case err != nil:
		return err
	case r.ExceptionDetails != nil:
		return errors.New(r.ExceptionDetails.Exception.Description)
	case result != nil:
		return json.Unmarshal(r.Result.Value, result)
	}
	return nil
}
