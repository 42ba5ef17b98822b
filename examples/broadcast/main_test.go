package main

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/swan-ws/websocket"
	"github.com/swan-ws/websocket/internal/trial"
)

func TestMain(m *testing.M) { trial.Main(m) }

func TestBroadcast_AllHearWhatIsPosted(t *testing.T) {
	p := trial.Start(t, ".", "-addr", "127.0.0.1:0", "-posts", "127.0.0.1:0")
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
	var callers []*websocket.Conn
	for range 3 {
		c := trial.Dial(t, "ws://"+addr["listeners"]+"/ws", nil)
		callers = append(callers, c)
		for !hears(t, c) { // a moment after the handshake it does
			post("anybody there?")
		}
	}
	post("Hello!")
	for _, c := range callers {
		hear(t, c, "Hello!")
	}
	callers[0].CloseNow() // and nobody else is disturbed
	post("Still there?")
	for _, c := range callers[1:] {
		hear(t, c, "Still there?")
	}
}

func TestBroadcast_RefusesWhatIsNoText(t *testing.T) {
	p := trial.Start(t, ".", "-addr", "127.0.0.1:0", "-posts", "127.0.0.1:0")
	addr := p.Logs(t, `for=broadcaster addr=(\S+)`)[0]
	if status := trial.Curl(t, "-d", "\xff", "-o", t.TempDir()+"/body", "-w", "%{http_code}", "http://"+addr+"/broadcaster/broadcast"); status != "400" {
		t.Errorf("status %s, want 400", status)
	}
}

// hears reports whether a message has come, or comes soon.
func hears(t *testing.T, c *websocket.Conn) bool {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := c.Read(ctx)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	return err == nil
}

// hear passes over the questions whether anybody is there.
func hear(t *testing.T, c *websocket.Conn, want string) {
	t.Helper()
	text := "anybody there?"
	for text == "anybody there?" {
		var err error
		if text, err = websocket.ReadValue[string](trial.Bounded(t), c); err != nil {
			t.Fatal(err)
		}
	}
	if text != want {
		t.Errorf("heard %q, want %q", text, want)
	}
}
