package main

import (
	"testing"

	"github.com/swan-ws/websocket"
	"github.com/swan-ws/websocket/internal/trial"
)

func TestMain(m *testing.M) { trial.Main(m) }

// play starts the program and seats two players.
func play(t *testing.T) (url string, x, o *websocket.Conn) {
	t.Helper()
	url = "ws://" + trial.Start(t, ".", "-addr", "127.0.0.1:0").Addr(t) + "/ws/game"
	x = trial.Dial(t, url, nil)
	trial.Hear(t, x, `{"type":"start","sign":"X","next":"X"}`)
	o = trial.Dial(t, url, nil)
	trial.Hear(t, o, `{"type":"start","sign":"O","next":"X"}`)
	return url, x, o
}

// hear is what both are told.
func hear(t *testing.T, x, o *websocket.Conn, want ...string) {
	t.Helper()
	trial.Hear(t, x, want...)
	trial.Hear(t, o, want...)
}

func TestTictactoe_GoesOnUntilSomebodyHasWon_AndBeginsAnew(t *testing.T) {
	_, x, o := play(t)
	for _, move := range []struct {
		by     *websocket.Conn
		square string
		told   string
	}{
		{x, "0", `{"type":"move","player":"X","move":0,"next":"O"}`},
		{o, "3", `{"type":"move","player":"O","move":3,"next":"X"}`},
		{x, "1", `{"type":"move","player":"X","move":1,"next":"O"}`},
		{o, "4", `{"type":"move","player":"O","move":4,"next":"X"}`},
		{x, "2", `{"type":"move","player":"X","move":2,"next":"O"}`},
	} {
		trial.Say(t, move.by, move.square)
		hear(t, x, o, move.told)
	}
	hear(t, x, o, `{"type":"end","winner":"X"}`)
	trial.Say(t, x, "0")
	hear(t, x, o, `{"type":"move","player":"X","move":0,"next":"O"}`)
}

func TestTictactoe_EndsWhenNoSquareIsFree(t *testing.T) {
	_, x, o := play(t)
	players := [2]*websocket.Conn{x, o}
	for i, square := range []string{"0", "1", "2", "4", "3", "5", "7", "6", "8"} {
		trial.Say(t, players[i%2], square)
		for _, c := range players {
			if _, err := c.Read(trial.Bounded(t)); err != nil {
				t.Fatal(err)
			}
		}
	}
	hear(t, x, o, `{"type":"end","winner":""}`)
}

func TestTictactoe_RefusesMovesAgainstTheRules(t *testing.T) {
	url := "ws://" + trial.Start(t, ".", "-addr", "127.0.0.1:0").Addr(t) + "/ws/game"
	x := trial.Dial(t, url, nil)
	trial.Hear(t, x, `{"type":"start","sign":"X","next":"X"}`)
	trial.Say(t, x, "4")
	trial.Hear(t, x, `{"type":"refused","reason":"wait for the other player"}`)
	o := trial.Dial(t, url, nil)
	trial.Hear(t, o, `{"type":"start","sign":"O","next":"X"}`)
	trial.Say(t, o, "4")
	trial.Hear(t, o, `{"type":"refused","reason":"it is the turn of X"}`)
	trial.Say(t, x, "9")
	trial.Hear(t, x, `{"type":"refused","reason":"square 9 is not free"}`)
	trial.Say(t, x, "4")
	hear(t, x, o, `{"type":"move","player":"X","move":4,"next":"O"}`)
	trial.Say(t, o, "4")
	trial.Hear(t, o, `{"type":"refused","reason":"square 4 is not free"}`)

	trial.Say(t, o, `"the middle"`) // is no number
	trial.HearEnd(t, o, websocket.CloseUnsupportedData)
	trial.Hear(t, x, `{"type":"playerLeft","player":"O"}`)
}

func TestTictactoe_IsForTwo(t *testing.T) {
	url, x, o := play(t)
	third := trial.Dial(t, url, nil)
	trial.Hear(t, third, "Only two players are allowed")
	trial.HearEnd(t, third, websocket.CloseNormal)

	x.Close(websocket.CloseNormal, "")
	trial.Hear(t, o, `{"type":"playerLeft","player":"X"}`)
	next := trial.Dial(t, url, nil)
	trial.Hear(t, next, `{"type":"start","sign":"X","next":"X"}`)
}
