package main

import (
	"testing"

	"github.com/swan-ws/websocket"
	"github.com/swan-ws/websocket/internal/trial"
)

func TestMain(m *testing.M) { trial.Main(m) }

func TestChat_TellsWhoComesWhatTheySayAndWhoLeaves(t *testing.T) {
	p := trial.Start(t, ".", "-addr", "127.0.0.1:0")
	room := "ws://" + p.Addr(t) + "/chat/"

	ann := trial.Start(t, "./client", "-url", room, "ann")
	ann.Prints(t, "Hi ann! You have successfully connected to the chat")
	bob := trial.Dial(t, room+"bob", nil)
	trial.Hear(t, bob, "Hi bob! You have successfully connected to the chat")
	ann.Prints(t, "bob connected to chat")

	ann.Type(t, "anybody here?")
	ann.Prints(t, "ann: anybody here?")
	trial.Hear(t, bob, "ann: anybody here?")
	trial.Say(t, bob, "me")
	ann.Prints(t, "bob: me")
	trial.Hear(t, bob, "bob: me")

	ann.Type(t, "exit")
	ann.PrintsNoMore(t)
	if code := ann.Exit(t); code != 0 {
		t.Errorf("the client exits with %d", code)
	}
	trial.Hear(t, bob, "ann left the chat")
}

// Whoever is lost has left, too.
func TestChat_NoticesWhoIsLost(t *testing.T) {
	p := trial.Start(t, ".", "-addr", "127.0.0.1:0")
	room := "ws://" + p.Addr(t) + "/chat/"
	ann := trial.Start(t, "./client", "-url", room, "ann")
	ann.Prints(t, "Hi ann! You have successfully connected to the chat")
	bob := trial.Dial(t, room+"bob%20b", nil)
	trial.Hear(t, bob, "Hi bob b! You have successfully connected to the chat")
	ann.Kill(t)
	trial.Hear(t, bob, "ann left the chat")
}

func TestChat_SaysGoodbyeWhenItIsStopped(t *testing.T) {
	p := trial.Start(t, ".", "-addr", "127.0.0.1:0")
	ann := trial.Dial(t, "ws://"+p.Addr(t)+"/chat/ann", nil)
	trial.Hear(t, ann, "Hi ann! You have successfully connected to the chat")
	p.Stop(t)
	trial.HearEnd(t, ann, websocket.CloseGoingAway)
	if code := p.Exit(t); code != 0 {
		t.Errorf("the program exits with %d", code)
	}
}

func TestChatClient_WantsAName(t *testing.T) {
	client := trial.Start(t, "./client")
	client.Logs(t, "who are you")
	if code := client.Exit(t); code != 1 {
		t.Errorf("the client exits with %d", code)
	}
}
