package main

import (
	"testing"

	"github.com/swan-ws/websocket/internal/trial"
)

func TestMain(m *testing.M) { trial.Main(m) }

func TestDispatch_CallsTheFunctionOfEachEvent(t *testing.T) {
	p := trial.Start(t, ".", "-addr", "127.0.0.1:0")
	c := trial.Dial(t, "ws://"+p.Addr(t)+"/", nil)
	tests := []struct {
		name      string
		say, hear string
	}{
		{
			name: "heartbeat",
			say:  `{"event":"heartbeat"}`,
			hear: `{"event":"heartbeat"}`,
		},
		{
			name: "subscribe, with an id",
			say:  `{"event":"subscribe","pair":["XBT/USD","XBT/EUR"],"id":7}`,
			hear: `{"id":7,"event":"subscribed","pair":["XBT/USD","XBT/EUR"]}`,
		},
		{
			name: "subscribe, of another type",
			say:  `{"event":"subscribe","pair":"XBT/USD","id":8}`,
			hear: `{"id":8,"event":"no subscription","field":"pair"}`,
		},
		{
			name: "subscribe, to nothing",
			say:  `{"event":"subscribe"}`,
			hear: `{"event":"no subscription"}`,
		},
		{
			name: "unknown",
			say:  `{"event":"dance"}`,
			hear: `{"event":"unknown"}`,
		},
		{
			name: "no event",
			say:  `{"onClose":"event"}`,
			hear: `{"event":"unknown"}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			trial.Say(t, c, tt.say)
			trial.Hear(t, c, tt.hear)
		})
	}
}
