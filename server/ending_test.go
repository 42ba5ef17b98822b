package server_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/server"
)

func TestServer_ShutdownDoesNotWaitForConnectionsOnWhichNothingHasCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := listenPipes()
		s := &server.Server{Handler: echo(), Logger: quiet()}
		runOn(t, s, func() error { return s.Serve(l) })
		nc := rawDial(t, l)
		synctest.Wait()
		start := time.Now()
		if err := s.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took < 500*time.Millisecond || took > 2*time.Second {
			t.Errorf("took %v", took)
		}
		if _, err := nc.Read(make([]byte, 1)); err == nil {
			t.Error("the connection is open")
		}
	})
}

func TestServer_ShutdownWaitsForHandlersThatUsedAccept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const longer = time.Minute
		over := false
		l := listenPipes()
		s := &server.Server{Logger: quiet(), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, err := server.Accept(w, r, nil)
			if err != nil {
				t.Error(err)
				return
			}
			for range c.Messages(r.Context()) {
			}
			<-time.After(longer)
			over = true
		})}
		runOn(t, s, func() error { return s.Serve(l) })
		c := dial(t, l, nil)
		go func() {
			for range c.Messages(t.Context()) {
			}
		}()
		synctest.Wait()
		if err := s.Shutdown(t.Context()); err != nil || !over {
			t.Errorf("%v, handler over: %v", err, over)
		}
		if conn.CloseStatus(c.Err()) != 1001 {
			t.Error(c.Err())
		}
	})
}
