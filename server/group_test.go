package server_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/server"
)

// grouped serves an echo whose connections are in g.
func grouped(t *testing.T, g *server.Group) *pipes {
	s := echo()
	s.Group = g
	return serveHTTP(t, s)
}

func TestGroup_KnowsItsConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g server.Group
		l := grouped(t, &g)
		var clients []*conn.Conn
		for range 3 {
			c := dial(t, l, nil)
			roundTrip(t, c, "here")
			clients = append(clients, c)
		}
		all := slices.Collect(g.All())
		if g.Len() != 3 || len(all) != 3 || all[0] == all[1] || all[1] == all[2] {
			t.Errorf("Len %d, All %v", g.Len(), all)
		}
		for i, c := range clients {
			c.Close(1000, "")
			synctest.Wait()
			if want := 2 - i; g.Len() != want || len(slices.Collect(g.All())) != want {
				t.Errorf("Len %d, want %d", g.Len(), want)
			}
		}
	})
}

// All may be looped over while connections come and go.
func TestGroup_AllIsASnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g server.Group
		l := grouped(t, &g)
		for range 2 {
			roundTrip(t, dial(t, l, nil), "x")
		}
		all := g.All()
		for c := range all {
			c.CloseNow()
			synctest.Wait()
		}
		if n := len(slices.Collect(all)); n != 2 || g.Len() != 0 {
			t.Errorf("the snapshot has %d, the group %d", n, g.Len())
		}
	})
}

func TestGroup_RefusesMoreThanMax(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := server.Group{Max: 2}
		l := grouped(t, &g)
		first := dial(t, l, nil)
		roundTrip(t, dial(t, l, nil), "the second")
		for range 3 {
			_, resp, err := tryDial(t, l, nil)
			e := asHandshakeError(t, err)
			if e.Status != 503 || e.Header.Get("Retry-After") == "" || !resp.Close || string(e.Body) != "too many connections\n" {
				t.Errorf("got %v with %v", e, e.Header)
			}
		}
		first.Close(1000, "")
		synctest.Wait()
		roundTrip(t, dial(t, l, nil), "room again")
	})
}

func TestGroup_ShutdownTellsEveryoneAndWaitsForOnClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g server.Group
		release := make(chan struct{})
		l := serveHTTP(t, &server.Service{
			Options: server.Options{Group: &g},
			OnClose: func(*conn.Conn, error) { <-release },
		})
		ends := make(chan error, 5)
		for range cap(ends) {
			c := dial(t, l, nil)
			go func() { ends <- drain(c) }()
		}
		down := make(chan error, 1)
		go func() { down <- g.Shutdown(context.Background()) }()
		for range cap(ends) {
			if err := <-ends; conn.CloseStatus(err) != 1001 {
				t.Errorf("a client saw %v, want 1001", err)
			}
		}
		synctest.Wait()
		select {
		case err := <-down:
			t.Errorf("Shutdown returned %v while OnClose was running", err)
		default:
		}
		close(release)
		if err := <-down; err != nil || g.Len() != 0 {
			t.Errorf("Shutdown: %v, %d left", err, g.Len())
		}
	})
}

func TestGroup_ShutdownCutsWhoStaysTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g server.Group
		closed := make(chan error, 1)
		l := serveHTTP(t, &server.Service{
			Options: server.Options{Group: &g, Conn: conn.Options{CloseTimeout: time.Hour, PingEvery: -1}},
			OnClose: func(_ *conn.Conn, err error) { closed <- err },
		})
		nc := rawDial(t, l)
		nc.SetDeadline(time.Time{})
		send(t, nc, request())
		receiveHead(t, nc)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		start := time.Now()
		if err := g.Shutdown(ctx); err != context.DeadlineExceeded || time.Since(start) != time.Minute {
			t.Errorf("Shutdown: %v after %v", err, time.Since(start))
		}
		if err := <-closed; conn.CloseStatus(err) != 1001 {
			t.Errorf("OnClose got %v", err)
		}
		expect(t, nc, conntest.Hex(`881a 03e9 "server is shutting down"`)[:1])
	})
}

func TestGroup_RefusesWhileItShutsDown(t *testing.T) {
	var g server.Group
	l := grouped(t, &g)
	if err := g.Shutdown(t.Context()); err != nil {
		t.Fatal("an empty group:", err)
	}
	_, _, err := tryDial(t, l, nil)
	if e := asHandshakeError(t, err); e.Status != 503 || string(e.Body) != "server is shutting down\n" {
		t.Errorf("got %v", e)
	}
	if err := g.Shutdown(t.Context()); err != nil {
		t.Error("again:", err)
	}
}

// A handshake that is being answered when Shutdown comes still belongs to it.
func TestGroup_ShutdownFindsHandshakesUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g server.Group
		s := echo()
		s.Group = &g
		l := serveHTTP(t, s)
		here, there := conntest.PipeSize(64) // the 101 does not fit
		l.conns <- there
		go here.Write([]byte(request()))
		synctest.Wait()
		down := make(chan error, 1)
		go func() { down <- g.Shutdown(context.Background()) }()
		synctest.Wait()
		start := time.Now()
		receiveHead(t, here)
		var head [2]byte
		if _, err := here.Read(head[:]); err != nil || head[0] != 0x88 {
			t.Errorf("want a Close frame, got % x, %v", head, err)
		}
		here.Write(conntest.Hex(`8882 00000000 03e9`))
		if err := <-down; err != nil || time.Since(start) > time.Second {
			t.Errorf("Shutdown: %v after %v", err, time.Since(start))
		}
		here.Close()
	})
}

// Connections that end at any moment, closed from here or there, are counted
// down as often as up: else Shutdown would wait for ever, or Max be wrong.
func TestGroup_CountsConnectionsThatEndAtOnce(t *testing.T) {
	var g server.Group
	l := grouped(t, &g)
	stop := make(chan struct{})
	var work sync.WaitGroup
	work.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			for c := range g.All() {
				c.CloseNow()
			}
		}
	})
	var dials sync.WaitGroup
	for range 8 {
		dials.Go(func() {
			for range 50 {
				c, _, err := tryDial(t, l, nil)
				if err == nil {
					c.CloseNow()
				}
			}
		})
	}
	dials.Wait()
	close(stop)
	work.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := g.Shutdown(ctx); err != nil || g.Len() != 0 {
		t.Errorf("Shutdown: %v, %d left", err, g.Len())
	}
}

// Two groups may have a word in it. A place in the first is given back when the
// second has none.
func TestGroup_GivesItsPlaceBackWhenTheServerIsFull(t *testing.T) {
	g := server.Group{Max: 2}
	s := echo()
	s.Group = &g
	srv := &server.Server{Handler: s, MaxConns: 1, Logger: quiet()}
	l := run(t, srv)
	c := dial(t, l, nil)
	for range 5 {
		_, _, err := tryDial(t, l, nil)
		if e := asHandshakeError(t, err); e.Status != 503 || string(e.Body) != "too many connections\n" {
			t.Fatalf("got %v", e)
		}
	}
	roundTrip(t, c, "both know it")
	if g.Len() != 1 || srv.Conns().Len() != 1 {
		t.Errorf("the group has %d, the server %d", g.Len(), srv.Conns().Len())
	}
	go drain(c)
	if err := errors.Join(g.Shutdown(t.Context()), srv.Conns().Shutdown(t.Context())); err != nil {
		t.Error(err)
	}
}

// Without a Service there are no callbacks to wait for: the connection itself
// is what the group has.
func TestGroup_KnowsConnectionsAcceptedByHand(t *testing.T) {
	var g server.Group
	over := make(chan error, 1)
	l := serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := server.Accept(w, r, &server.Options{Group: &g})
		if err != nil {
			t.Error(err)
			return
		}
		over <- drain(c)
	}))
	c := dial(t, l, &client.Options{})
	go drain(c)
	if err := g.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-over; conn.CloseStatus(err) != 1001 {
		t.Errorf("the handler saw %v", err)
	}
}
