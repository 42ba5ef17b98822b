package oddpeer_test

import (
	"context"
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/swan-ws/websocket/autobahn/internal/oddpeer"
	"github.com/swan-ws/websocket/autobahn/testee"
	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	deflate "github.com/swan-ws/websocket/permessage-deflate"
	"github.com/swan-ws/websocket/server"
	"net/http"
)

func messages() []conn.Message {
	var list []conn.Message
	for _, n := range []int{0, 1, 125, 126, 65535, 65536, 1 << 20, 5, 300} {
		text := []byte(strings.Repeat("Grüße, swan! ", n/14+1)[:0])
		for len(text) < n {
			text = append(text, "swan 0123456789 "...)
		}
		list = append(list, conn.Message{Type: conn.Text, Data: text[:n]}, conn.Message{Type: conn.Binary, Data: text[:n]})
	}
	return list
}

func try(t *testing.T, c *conn.Conn) {
	for range 2 {
		for _, m := range messages() {
			go c.Write(context.Background(), m.Type, m.Data)
			got, err := c.Read(context.Background())
			if err != nil || got.Type != m.Type || string(got.Data) != string(m.Data) {
				t.Errorf("%v %d: %v %d %v", m.Type, len(m.Data), got.Type, len(got.Data), err)
				return
			}
		}
	}
	if err := c.Close(1000, "bye"); err != nil {
		t.Error(err)
	}
}

var modes = []deflate.Options{{Mode: deflate.Off}, {}, {Mode: deflate.Takeover, Threshold: -1}, {Mode: deflate.Takeover, WindowBits: 9}}

func TestServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go oddpeer.New("").Serve(l)
	for _, m := range modes {
		c, _, err := client.Dial(context.Background(), "ws://"+l.Addr().String()+"/x", &client.Options{Conn: conn.Options{MaxMessage: 16 << 20, Compression: m}})
		if err != nil {
			t.Fatal(err)
		}
		try(t, c)
	}
}

func TestClient(t *testing.T) {
	for _, m := range modes {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, err := server.Accept(w, r, &server.Options{Conn: conn.Options{MaxMessage: 16 << 20, Compression: m}})
			if err != nil {
				t.Error(err)
				return
			}
			try(t, c)
		}))
		if err := oddpeer.New("").Echo(context.Background(), "ws"+s.URL[4:]+"/y?z=1"); err != nil {
			t.Error(err)
		}
		s.Close()
	}
}

func TestTestee(t *testing.T) {
	s := httptest.NewServer(testee.Handler())
	defer s.Close()
	c, _, err := client.Dial(context.Background(), "ws"+s.URL[4:], &client.Options{Conn: conn.Options{MaxMessage: 16 << 20}})
	if err != nil {
		t.Fatal(err)
	}
	try(t, c)
}
