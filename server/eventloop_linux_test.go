package server_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/server"
)

// The clients here are connections too: each has a goroutine that reads.
func TestEventLoop_AConnectionThatWaits_HasNoGoroutine(t *testing.T) {
	s := echo()
	s.EventLoop = true
	dial := overTCP(t, s, false)
	const many = 200
	var clients []*conn.Conn
	before := runtime.NumGoroutine()
	for range many {
		c, err := dial()
		if err != nil {
			t.Fatal(err)
		}
		roundTrip(t, c, "hello")
		clients = append(clients, c)
	}
	eventually(t, func() (bool, string) {
		<-time.After(10 * time.Millisecond) // net/http's go by and by
		more := runtime.NumGoroutine() - before
		return more < many/4, fmt.Sprint(more)
	})
	for _, c := range clients {
		roundTrip(t, c, "still there")
		if err := c.Close(1000, ""); err != nil {
			t.Error(err)
		}
	}
}

// waitWhenTold has the callback of the text "wait" wait until release is closed.
func waitWhenTold(s *server.Service, release <-chan struct{}) {
	quick := s.OnText
	s.OnText = func(c *conn.Conn, m conn.Message) (any, error) {
		if string(m.Data) == "wait" {
			<-release
		}
		return quick(c, m)
	}
}

// Of all callbacks that run at a time only those wait that are slow themselves.
func TestEventLoop_SlowCallbacks_HoldUpNobodyElse(t *testing.T) {
	release := make(chan struct{})
	s := echo()
	s.EventLoop = true
	waitWhenTold(s, release)
	dial := overTCP(t, s, false)
	var slow []*conn.Conn
	for range 10 {
		c, err := dial()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.WriteText(t.Context(), "wait"); err != nil {
			t.Fatal(err)
		}
		slow = append(slow, c)
	}
	for range 10 {
		c, err := dial()
		if err != nil {
			t.Fatal(err)
		}
		roundTrip(t, c, "quick")
		c.Close(1000, "")
	}
	for _, c := range slow { // the Pong does not wait either
		go func() {
			for range c.Messages(t.Context()) {
				break
			}
		}()
		if _, err := c.Ping(t.Context()); err != nil {
			t.Error(err)
		}
	}
	close(release)
	for _, c := range slow {
		if err := c.Close(1000, ""); err != nil {
			t.Error(err)
		}
	}
}
