package server_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/frame"
	"github.com/swan-ws/websocket/server"
)

// Callbacks and streams that do whatever one can do, slowly or at once, against a peer
// that does so too: OnOpen comes first, OnClose last and once, at most one callback
// runs, everything ends in time, and nothing is left (or the bubble would not end).
func TestService_WhateverHappens_KeepsItsPromises(t *testing.T) {
	for seed := range uint64(400) {
		synctest.Test(t, func(t *testing.T) {
			l := &life{t: t, seed: seed, random: rand.New(rand.NewPCG(seed, 1))}
			start := time.Now()
			there, peer := conntest.Pipe()
			ended := serveStream(l.service(), there)
			go io.Copy(io.Discard, peer)
			l.play(peer)
			peer.Close()
			<-ended
			if took := time.Since(start); took > 5*time.Minute {
				t.Errorf("seed %d: took %v", seed, took)
			}
			if !l.opened || !l.closed {
				t.Errorf("seed %d: opened %v, closed %v", seed, l.opened, l.closed)
			}
		})
	}
}

type life struct {
	t    *testing.T
	seed uint64

	mu     sync.Mutex
	random *rand.Rand

	inside, opened, closed bool
}

func (l *life) n(n int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.random.IntN(n)
}

// enter notes that a callback runs, and returns what notes that it does not.
func (l *life) enter(name string) func() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.inside || l.closed || l.opened == (name == "OnOpen") {
		l.t.Errorf("seed %d: %s while inside is %v, opened %v, closed %v", l.seed, name, l.inside, l.opened, l.closed)
	}
	l.inside, l.opened, l.closed = true, true, name == "OnClose"
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.inside = false
	}
}

// act does something that a callback may do.
func (l *life) act(c *conn.Conn) (reply any, err error) {
	switch l.n(40) {
	case 0:
		panic("oh")
	case 1:
		return nil, errors.New("no")
	case 2:
		return nil, fmt.Errorf("as told: %w", server.CloseFrame{Code: 4000})
	case 3:
		return frame.CloseGoingAway, nil
	case 4:
		c.Close(4001, "enough")
	case 5:
		go c.Close(4002, "")
	case 6:
		c.CloseNow()
	case 7:
		return nil, &conn.BindError{Err: io.EOF}
	case 8, 9, 10, 11:
		<-time.After(time.Duration(l.n(3000)) * time.Millisecond)
	case 12, 13:
		c.WriteText(c.Context(), strings.Repeat("x", l.n(100_000)))
	case 14, 15, 16:
		return func(yield func(any, error) bool) {
			for range l.n(50) {
				<-time.After(time.Duration(l.n(100)) * time.Millisecond)
				if reply, err := l.act(c); !yield(reply, err) {
					return
				}
			}
		}, nil
	case 17:
		go c.Ping(c.Context())
	case 18:
		c.StartClose(4003, "")
	case 19, 20, 21:
		return make([]byte, l.n(1000)), nil
	}
	return nil, nil
}

func (l *life) service() *server.Service {
	handle := func(c *conn.Conn, _ conn.Message) (any, error) {
		defer l.enter("a handler")()
		return l.act(c)
	}
	return &server.Service{
		Options: server.Options{Conn: conn.Options{IdleTimeout: time.Duration(1+l.n(2000)) * time.Millisecond}},
		OnOpen: func(c *conn.Conn, _ *http.Request) error {
			defer l.enter("OnOpen")()
			_, err := l.act(c)
			return err
		},
		OnText: handle, OnBinary: handle,
		OnIdleTimeout: func(c *conn.Conn) error {
			defer l.enter("OnIdleTimeout")()
			_, err := l.act(c)
			return err
		},
		OnPing: func(c *conn.Conn, _ []byte) []byte { return make([]byte, l.n(130)) },
		OnError: func(*conn.Conn, error) {
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.closed {
				l.t.Errorf("seed %d: OnError beside OnClose, or after", l.seed)
			}
		},
		OnClose: func(c *conn.Conn, _ error) {
			defer l.enter("OnClose")()
			defer func() { recover() }() // OnError would be told of that, after OnClose
			l.act(c)
		},
		Waiting: l.n(5) - 1,
		Logger:  quiet(),
	}
}

// play is the peer.
func (l *life) play(peer io.Writer) {
	for range l.n(100) {
		var err error
		switch l.n(12) {
		case 0:
			_, err = peer.Write(conntest.Hex(`8984 00000000 "ping"`))
		case 1:
			_, err = peer.Write(conntest.Hex(`8a80 00000000`))
		case 2, 3, 4:
			<-time.After(time.Duration(l.n(400)) * time.Millisecond)
		case 5:
			if l.n(20) == 0 {
				peer.Write(conntest.Hex(`8882 00000000 03e8`))
			}
		case 6:
			if l.n(20) == 0 {
				peer.Write(conntest.Hex(`8100`))
			}
		case 7:
			_, err = peer.Write(append(conntest.Hex(`82fe 7530 00000000`), make([]byte, 30_000)...))
		default:
			_, err = peer.Write(conntest.Hex(`8181 00000000 "x"`))
		}
		if err != nil {
			return
		}
	}
	<-time.After(time.Duration(l.n(10)) * time.Second)
}
