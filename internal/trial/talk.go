package trial

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"testing"

	"github.com/swan-ws/websocket"
)

// Dial connects to a program, until the end of the test.
func Dial(t *testing.T, url string, o *websocket.DialOptions) *websocket.Conn {
	t.Helper()
	c, _, err := websocket.Dial(Bounded(t), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow() })
	return c
}

// Say sends texts.
func Say(t *testing.T, c *websocket.Conn, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if err := c.WriteText(Bounded(t), text); err != nil {
			t.Fatal(err)
		}
	}
}

// Hear waits for the texts that are to come next.
func Hear(t *testing.T, c *websocket.Conn, want ...string) {
	t.Helper()
	for _, text := range want {
		m, err := c.Read(Bounded(t))
		if err != nil || m.Type != websocket.Text || string(m.Data) != text {
			t.Fatalf("heard %q, %v, want %q", m.Data, err, text)
		}
	}
}

// HearEnd waits for the end of the connection, which is to come next.
func HearEnd(t *testing.T, c *websocket.Conn, code websocket.CloseCode) *websocket.CloseError {
	t.Helper()
	m, err := c.Read(Bounded(t))
	end, ok := errors.AsType[*websocket.CloseError](err)
	if !ok || end.Code != code || !end.Remote {
		t.Fatalf("heard %q, %v, want the end with %d", m.Data, err, code)
	}
	return end
}

// Bounded returns a context that ends with the test, or when something takes too long.
func Bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// Curl runs curl and returns what it prints.
func Curl(t *testing.T, args ...string) string {
	t.Helper()
	curl, err := exec.LookPath("curl")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("curl is missing")
		}
		t.Skip("curl is missing")
	}
	out, err := exec.CommandContext(Bounded(t), curl, append([]string{"--silent", "--show-error", "--noproxy", "*"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("curl: %v: %s", err, out)
	}
	return string(out)
}
