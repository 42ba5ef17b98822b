package main

import (
	"testing"

	"github.com/swan-ws/websocket"
	"github.com/swan-ws/websocket/internal/trial"
)

func TestMain(m *testing.M) { trial.Main(m) }

func TestPingpong_PrintsPingsAndPongs_AndAnswersEachPingOnce(t *testing.T) {
	p := trial.Start(t, ".", "-addr", "127.0.0.1:0")
	pongs := make(chan string, 10)
	c := trial.Dial(t, "ws://"+p.Addr(t)+"/ws", &websocket.DialOptions{Conn: websocket.ConnOptions{
		OnPong: func(c *websocket.Conn, data []byte) { pongs <- string(data) },
	}})
	reading := make(chan error, 1)
	go func() {
		_, err := c.Read(trial.Bounded(t))
		reading <- err
	}()

	payload := []byte{5, 24, 56, 243}
	if err := c.SendPing(t.Context(), payload); err != nil {
		t.Fatal(err)
	}
	p.Prints(t, "Ping received with data: BRg48w==")
	if err := c.SendPong(t.Context(), payload); err != nil {
		t.Fatal(err)
	}
	p.Prints(t, "Pong received with data: BRg48w==")

	// What comes before the end are all the answers there are.
	if err := c.StartClose(websocket.CloseNormal, ""); err != nil {
		t.Fatal(err)
	}
	if err := <-reading; websocket.CloseStatus(err) != websocket.CloseNormal {
		t.Error(err)
	}
	if len(pongs) != 1 || <-pongs != string(payload) {
		t.Errorf("%d Pongs more, want the one that answers the Ping", len(pongs))
	}
}
