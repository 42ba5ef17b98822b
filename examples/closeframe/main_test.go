package main

import (
	"testing"

	"github.com/swan-ws/websocket"
	"github.com/swan-ws/websocket/internal/trial"
)

func TestMain(m *testing.M) { trial.Main(m) }

func TestCloseframe_EndsAConnectionByWhatIsReturned(t *testing.T) {
	p := trial.Start(t, ".", "-addr", "127.0.0.1:0")
	url := "ws://" + p.Addr(t) + "/"
	tests := []struct {
		say    string
		code   websocket.CloseCode
		reason string
	}{
		{say: "normal", code: 1000},
		{say: "custom", code: 3555, reason: "Custom close frame message"},
		{say: "invalid", code: 1011},
	}
	for _, tt := range tests {
		t.Run(tt.say, func(t *testing.T) {
			c := trial.Dial(t, url, nil)
			trial.Say(t, c, "hello")
			trial.Hear(t, c, "normal, custom or invalid?")
			trial.Say(t, c, tt.say)
			if end := trial.HearEnd(t, c, tt.code); end.Reason != tt.reason {
				t.Errorf("heard the reason %q, want %q", end.Reason, tt.reason)
			}
		})
	}
	p.Logs(t, "5555")
}
