package main

import (
	"testing"

	"github.com/swan-ws/websocket"
	"github.com/swan-ws/websocket/internal/trial"
)

func TestMain(m *testing.M) { trial.Main(m) }

func TestCloselog_PrintsHowClientsLeave(t *testing.T) {
	p := trial.Start(t, ".", "-addr", "127.0.0.1:0")
	url := "ws://" + p.Addr(t) + "/ws"
	tests := []struct {
		name  string
		leave func(c *websocket.Conn) error
		want  string
	}{
		{
			name:  "with code and reason",
			leave: func(c *websocket.Conn) error { return c.Close(websocket.CloseNormal, "bye") },
			want:  "Client closed connection with 1000 because of bye",
		},
		{
			name:  "without a code",
			leave: func(c *websocket.Conn) error { return c.Close(websocket.CloseNoStatus, "") },
			want:  "Client closed connection with 1005 because of ",
		},
		{
			name:  "without a word",
			leave: func(c *websocket.Conn) error { return c.CloseNow() },
			want:  "Client closed connection with 1006 because of ",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.leave(trial.Dial(t, url, nil)); err != nil {
				t.Error(err)
			}
			p.Prints(t, tt.want)
		})
	}
}
