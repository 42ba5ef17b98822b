//go:build !race

package server_test

import (
	"net/http"
	"testing"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/server"
)

// net/http panics then, and nobody there would catch that but this package. It is a race
// that the middleware has made.
func TestAccept_OverHTTP2_BehindMiddlewareThatDoesNotWait_DoesNotPanic(t *testing.T) {
	conns := make(chan *conn.Conn)
	accept := server.StreamHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := server.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
		}
		conns <- c
	}))
	var s *conn.Conn
	c, _ := dialHTTP2(t, serveHTTP2(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		go accept.ServeHTTP(w, r)
		s = <-conns
	})), client.Options{})
	drain(c)
	for s.WriteText(t.Context(), "swan") == nil {
	}
	s.CloseNow()
}
