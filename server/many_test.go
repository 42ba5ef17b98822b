package server_test

import (
	"cmp"
	"context"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
	"github.com/swan-ws/websocket/internal/leak"
	"github.com/swan-ws/websocket/server"
)

// Shutdown is for servers with many connections: each peer gets 1001, in the time
// that the context gives. SWAN_MANY says how many they are; 9000 take 18,000 files.
func TestServer_ShutdownSaysGoodbyeToMany(t *testing.T) {
	many, err := strconv.Atoi(cmp.Or(os.Getenv("SWAN_MANY"), "200"))
	if err != nil {
		t.Fatal("SWAN_MANY:", err)
	}
	leak.Check(t)
	srv := &server.Server{Addr: "127.0.0.1:0", Handler: echo(), Logger: quiet()}
	addr, err := srv.Listen()
	if err != nil {
		t.Fatal(err)
	}
	runOn(t, srv, srv.ListenAndServe)

	ends, start := make(chan error, many), time.Now()
	var dials sync.WaitGroup
	for worker := range 8 {
		dials.Go(func() {
			for i := worker; i < many; i += 8 {
				c, _, err := client.Dial(t.Context(), "ws://"+addr.String(), &client.Options{Proxy: noProxy})
				if err != nil {
					ends <- err
					continue
				}
				c.WriteText(t.Context(), "hello")
				if _, err := c.Read(t.Context()); err != nil { // from then on the server counts it
					t.Error(err)
				}
				go func() { ends <- drain(c) }()
			}
		})
	}
	dials.Wait()
	if n := srv.Conns().Len(); n != many {
		t.Errorf("%d connections, want %d", n, many)
	}
	opened := time.Since(start)

	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	start = time.Now()
	if err := srv.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v after %v", err, time.Since(start))
	}
	t.Logf("%d connections opened in %v and shut down in %v", many, opened, time.Since(start))
	codes := map[frame.CloseCode]int{}
	for range many {
		codes[conn.CloseStatus(<-ends)]++
	}
	if codes[frame.CloseGoingAway] != many {
		t.Errorf("the peers saw %v", codes)
	}
	if n := srv.Conns().Len(); n != 0 {
		t.Errorf("%d connections left", n)
	}
}

// The same where none of the peers answers: they are cut when it is time.
func TestServer_ShutdownCutsManyWhoDoNotAnswer(t *testing.T) {
	many, err := strconv.Atoi(cmp.Or(os.Getenv("SWAN_MANY"), "200"))
	if err != nil {
		t.Fatal("SWAN_MANY:", err)
	}
	service := echo()
	service.Conn.CloseTimeout = time.Hour
	srv := &server.Server{Addr: "127.0.0.1:0", Handler: service, Logger: quiet()}
	addr, err := srv.Listen()
	if err != nil {
		t.Fatal(err)
	}
	runOn(t, srv, srv.ListenAndServe)
	for range many {
		c, _, err := client.Dial(t.Context(), "ws://"+addr.String(), &client.Options{Proxy: noProxy, Conn: conn.Options{PingEvery: -1}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow() // nobody reads from it
	}
	const patience = time.Second
	late := 5*time.Second + time.Duration(many)*2*time.Millisecond // a busy machine is slow to cut them
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	start := time.Now()
	if err := srv.Shutdown(ctx); err != context.DeadlineExceeded {
		t.Errorf("Shutdown: %v", err)
	}
	took := time.Since(start)
	t.Logf("%d connections cut %v after their time", many, took-patience)
	if took < patience || took > patience+late {
		t.Errorf("Shutdown took %v", took)
	}
}
