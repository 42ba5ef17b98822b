package main

import (
	"bytes"
	"errors"
	"net/http"
	"testing"

	"github.com/swan-ws/websocket"
	"github.com/swan-ws/websocket/internal/trial"
)

func TestMain(m *testing.M) { trial.Main(m) }

func TestProxy_RelaysBothWays(t *testing.T) {
	echo := trial.Start(t, "../echo", "-addr", "127.0.0.1:0")
	proxy := trial.Start(t, ".", "-addr", "127.0.0.1:0", "-backend", "ws://"+echo.Addr(t)+"/ws/echo")
	c := trial.Dial(t, "ws://"+proxy.Addr(t), nil)
	trial.Say(t, c, "Hi kalai")
	trial.Hear(t, c, "Echo: Hi kalai")
	data := []byte{5, 24, 56, 243}
	if err := c.Write(t.Context(), websocket.Binary, data); err != nil {
		t.Fatal(err)
	}
	if m, err := c.Read(trial.Bounded(t)); err != nil || m.Type != websocket.Binary || !bytes.Equal(m.Data, data) {
		t.Errorf("heard %v %x, %v", m.Type, m.Data, err)
	}
}

func TestProxy_TellsTheBackendHowAClientLeft(t *testing.T) {
	closelog := trial.Start(t, "../closelog", "-addr", "127.0.0.1:0")
	proxy := trial.Start(t, ".", "-addr", "127.0.0.1:0", "-backend", "ws://"+closelog.Addr(t)+"/ws")
	url := "ws://" + proxy.Addr(t)

	if err := trial.Dial(t, url, nil).Close(websocket.CloseNormal, "bye"); err != nil {
		t.Error(err)
	}
	closelog.Prints(t, "Client closed connection with 1000 because of bye")
	trial.Dial(t, url, nil).CloseNow()
	closelog.Prints(t, "Client closed connection with 1006 because of ")
}

func TestProxy_TellsAClientHowTheBackendLeft(t *testing.T) {
	backend := trial.Start(t, "../closeframe", "-addr", "127.0.0.1:0")
	proxy := trial.Start(t, ".", "-addr", "127.0.0.1:0", "-backend", "ws://"+backend.Addr(t)+"/")
	url := "ws://" + proxy.Addr(t)

	c := trial.Dial(t, url, nil)
	trial.Say(t, c, "custom")
	if end := trial.HearEnd(t, c, 3555); end.Reason != "Custom close frame message" {
		t.Errorf("reason %q", end.Reason)
	}
	c = trial.Dial(t, url, nil)
	backend.Kill(t)
	trial.HearEnd(t, c, websocket.CloseAbnormal)

	_, _, err := websocket.Dial(t.Context(), url, nil)
	if refusal, ok := errors.AsType[*websocket.HandshakeError](err); !ok || refusal.Status != http.StatusBadGateway {
		t.Errorf("without a backend: %v, want 502", err)
	}
}
