package server_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
	"github.com/swan-ws/websocket/server"
)

func TestService_Echo(t *testing.T) {
	closed := make(chan error, 1)
	svc := &server.Service{
		OnText:  func(c *conn.Conn, p []byte) { c.Write(t.Context(), conn.Text, p) },
		OnClose: func(c *conn.Conn, err error) { closed <- err },
	}
	ts := httptest.NewServer(svc)
	defer ts.Close()
	c, resp, err := client.Dial(t.Context(), "ws"+strings.TrimPrefix(ts.URL, "http"), nil)
	if err != nil {
		t.Fatal(err, resp)
	}
	defer c.CloseNow()
	c.WriteText(t.Context(), "héllo")
	m, err := c.Read(t.Context())
	if err != nil || string(m.Data) != "héllo" {
		t.Fatal(m, err)
	}
	if err := c.Close(frame.CloseNormal, "bye"); err != nil {
		t.Fatal(err)
	}
	if err := <-closed; conn.CloseStatus(err) != frame.CloseNormal {
		t.Fatal(err)
	}
}
