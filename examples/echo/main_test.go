package main

import (
	"bytes"
	"testing"

	"github.com/swan-ws/websocket"
	"github.com/swan-ws/websocket/internal/trial"
)

func TestMain(m *testing.M) { trial.Main(m) }

func TestEcho_GreetsItsClient(t *testing.T) {
	p := trial.Start(t, ".", "-addr", "127.0.0.1:0")
	client := trial.Start(t, "./client", "-url", "ws://"+p.Addr(t)+"/ws/echo")
	client.Prints(t, "Response: Echo: Hello!")
	if code := client.Exit(t); code != 0 {
		t.Errorf("the client exits with %d", code)
	}
}

func TestEcho_AnswersTextAndBytes_EachAsSuch(t *testing.T) {
	p := trial.Start(t, ".", "-addr", "127.0.0.1:0")
	c := trial.Dial(t, "ws://"+p.Addr(t)+"/ws/", nil)
	trial.Say(t, c, "Hello!", "")
	trial.Hear(t, c, "Echo: Hello!", "Echo: ")
	data := []byte{5, 24, 56, 243}
	if err := c.Write(t.Context(), websocket.Binary, data); err != nil {
		t.Fatal(err)
	}
	if m, err := c.Read(trial.Bounded(t)); err != nil || m.Type != websocket.Binary || !bytes.Equal(m.Data, data) {
		t.Errorf("heard %v %x, %v", m.Type, m.Data, err)
	}
}

func TestEchoClient_SaysWhatIsWrong(t *testing.T) {
	client := trial.Start(t, "./client", "-url", "http://127.0.0.1/")
	client.Logs(t, "want the scheme ws instead of http")
	if code := client.Exit(t); code != 1 {
		t.Errorf("the client exits with %d", code)
	}
}
