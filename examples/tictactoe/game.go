package main

import (
	"fmt"
	"net/http"
	"sync"

	"github.com/swan-ws/websocket"
)

// What the players are told. They are sent as JSON.
type (
	start struct {
		Type string `json:"type"` // start
		Sign string `json:"sign"` // X or O: who you are
		Next string `json:"next"` // whose turn it is
	}
	move struct {
		Type   string `json:"type"` // move
		Player string `json:"player"`
		Move   int    `json:"move"` // the square, 0 to 8
		Next   string `json:"next"`
	}
	end struct {
		Type   string `json:"type"`   // end
		Winner string `json:"winner"` // "" if nobody has won
	}
	playerLeft struct {
		Type   string `json:"type"` // playerLeft
		Player string `json:"player"`
	}
	refused struct {
		Type   string `json:"type"` // refused
		Reason string `json:"reason"`
	}
)

// sign is X or O, of those who play.
var sign websocket.Attribute[string]

// A game is for two. When it has ended, or somebody has left, it begins anew.
type game struct {
	players websocket.Hub

	mu      sync.Mutex
	taken   map[string]bool // signs
	squares [9]string       // a sign, or ""
	next    string
}

// join takes a player in, and sends a third one away.
func (g *game) join(c *websocket.Conn, r *http.Request) error {
	joined, err := g.seat(c)
	if err != nil || joined {
		return err
	}
	if err := websocket.Send(c, "Only two players are allowed"); err != nil {
		return err
	}
	return websocket.CloseFrame{Code: websocket.CloseNormal}
}

// seat gives a player the first sign that is free.
func (g *game) seat(c *websocket.Conn) (joined bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, s := range []string{"X", "O"} {
		if g.taken[s] {
			continue
		}
		g.taken[s] = true
		sign.Set(c, s)
		if err := g.players.Join(c); err != nil {
			return false, err
		}
		_, err := g.players.Send(c, start{"start", s, g.next})
		return true, err
	}
	return false, nil
}

// move puts a player's sign on a square.
func (g *game) move(c *websocket.Conn, square int) (any, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s, _ := sign.Get(c)
	switch {
	case !g.taken["X"] || !g.taken["O"]:
		return refused{"refused", "wait for the other player"}, nil
	case s != g.next:
		return refused{"refused", "it is the turn of " + g.next}, nil
	case square < 0 || square >= len(g.squares) || g.squares[square] != "":
		return refused{"refused", fmt.Sprintf("square %d is not free", square)}, nil
	}
	g.squares[square], g.next = s, other(s)
	if err := g.tell(move{"move", s, square, g.next}); err != nil {
		return nil, err
	}
	if winner, over := result(g.squares); over {
		g.reset()
		return nil, g.tell(end{"end", winner})
	}
	return nil, nil
}

// leave ends the game of a player who is gone.
func (g *game) leave(c *websocket.Conn, _ error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if s, plays := sign.Get(c); plays {
		delete(g.taken, s)
		g.reset()
		g.tell(playerLeft{"playerLeft", s})
	}
}

func (g *game) tell(news any) error {
	_, err := g.players.Publish(websocket.Everyone, news)
	return err
}

func (g *game) reset() { g.squares, g.next = [9]string{}, "X" }

func other(sign string) string {
	if sign == "X" {
		return "O"
	}
	return "X"
}

var lines = [][3]int{{0, 1, 2}, {3, 4, 5}, {6, 7, 8}, {0, 3, 6}, {1, 4, 7}, {2, 5, 8}, {0, 4, 8}, {2, 4, 6}}

func result(squares [9]string) (winner string, over bool) {
	for _, l := range lines {
		if s := squares[l[0]]; s != "" && s == squares[l[1]] && s == squares[l[2]] {
			return s, true
		}
	}
	for _, s := range squares {
		if s == "" {
			return "", false
		}
	}
	return "", true
}
