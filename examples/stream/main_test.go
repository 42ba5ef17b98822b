package main

import (
	"testing"

	"github.com/swan-ws/websocket"
	"github.com/swan-ws/websocket/internal/trial"
)

func TestMain(m *testing.M) { trial.Main(m) }

func TestStream_AnswersANameWithManyMessages(t *testing.T) {
	p := trial.Start(t, ".", "-addr", "127.0.0.1:0", "-every", "1ms")
	c := trial.Dial(t, "ws://"+p.Addr(t)+"/", nil)
	trial.Say(t, c, "Sam")
	trial.Hear(t, c, "Hi Sam", "Hey Sam", "GM Sam")
}

// A stream that takes an hour keeps neither other messages waiting nor the end.
func TestStream_AnswersInTheMiddleOfAnother(t *testing.T) {
	p := trial.Start(t, ".", "-addr", "127.0.0.1:0", "-every", "1h")
	c := trial.Dial(t, "ws://"+p.Addr(t)+"/", nil)
	for _, name := range []string{"Sam", "Kim"} {
		trial.Say(t, c, name)
		trial.Hear(t, c, "Hi "+name)
	}
}

func TestStream_ThatFailsEndsItsConnection(t *testing.T) {
	p := trial.Start(t, ".", "-addr", "127.0.0.1:0")
	c := trial.Dial(t, "ws://"+p.Addr(t)+"/failing", nil)
	trial.Say(t, c, "Sam")
	trial.Hear(t, c, "Hi Sam")
	trial.HearEnd(t, c, websocket.CloseInternalError)
	p.Logs(t, "streaming failed: out of greetings")
}
