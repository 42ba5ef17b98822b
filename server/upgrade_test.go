package server_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/server"
)

// dialPath is tryDial of a path, with headers.
func dialPath(t *testing.T, l *pipes, path string, o client.Options) (*conn.Conn, *http.Response, error) {
	t.Helper()
	o.DialContext, o.Proxy = l.dial, noProxy
	c, resp, err := client.Dial(t.Context(), "ws://example.test"+path, &o)
	if err == nil {
		t.Cleanup(func() { c.CloseNow() })
	}
	return c, resp, err
}

// What the request says makes the Service: each connection has its own.
func TestUpgrade_MakesAServiceForEachConnection(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("GET /chat/{room}/{user}", server.Upgrade(func(r *http.Request) (*server.Service, error) {
		session, err := r.Cookie("session")
		if err != nil {
			return nil, err
		}
		who := fmt.Sprintf("%s in %s by %s, %s, %s", r.PathValue("user"), r.PathValue("room"),
			r.URL.Query().Get("by"), r.Header.Get("X-Of"), session.Value)
		came := 0
		return &server.Service{
			OnText: func(*conn.Conn, conn.Message) (any, error) {
				came++ // no lock, as nobody else knows of it
				return fmt.Sprintf("%s: %d", who, came), nil
			},
			Logger: quiet(),
		}, nil
	}))
	l := serveHTTP(t, mux)
	header := http.Header{"Cookie": {"session=s7"}, "X-Of": {"x"}}
	ada, _, err := dialPath(t, l, "/chat/lobby/ada?by=q", client.Options{Header: header})
	if err != nil {
		t.Fatal(err)
	}
	bob, _, err := dialPath(t, l, "/chat/cellar/bob", client.Options{Header: header})
	if err != nil {
		t.Fatal(err)
	}
	say(t, ada, "x", "x")
	say(t, bob, "x")
	wantHeard(t, ada, "text ada in lobby by q, x, s7: 1", "text ada in lobby by q, x, s7: 2")
	wantHeard(t, bob, "text bob in cellar by , x, s7: 1")
}

// The Service says what the response holds.
func TestUpgrade_ChoosesSubprotocolAndHeaders(t *testing.T) {
	l := serveHTTP(t, server.Upgrade(func(r *http.Request) (*server.Service, error) {
		return &server.Service{
			Options: server.Options{
				Subprotocols: strings.Fields(r.URL.Query().Get("speak")),
				Header:       http.Header{"Set-Cookie": {"seen=1"}, "X-Room": {"7"}},
			},
			OnText: func(c *conn.Conn, _ conn.Message) (any, error) { return c.Subprotocol(), nil },
			Logger: quiet(),
		}, nil
	}))
	for speak, want := range map[string]string{"json+mqtt": "json", "xml+json": "xml", "json+xml": "xml", "soap": "", "": ""} {
		c, resp, err := dialPath(t, l, "/?speak="+speak, client.Options{Subprotocols: []string{"xml", "json"}})
		if err != nil {
			t.Fatal(err)
		}
		say(t, c, "x")
		wantHeard(t, c, "text "+want)
		if c.Subprotocol() != want || resp.Header.Get("Set-Cookie") != "seen=1" || resp.Header.Get("X-Room") != "7" {
			t.Errorf("%s: %q, %v", speak, c.Subprotocol(), resp.Header)
		}
	}
}

func TestUpgrade_RefusesAsItsErrorSays(t *testing.T) {
	for _, tt := range []struct {
		name   string
		s      *server.Service
		err    error
		panics any
		status int
		header string // X-Why
		body   string
		logged string
	}{
		{"Rejection", nil, &server.Rejection{Status: 402, Header: http.Header{"X-Why": {"no money"}}, Body: "pay first"}, nil, 402, "no money", "pay first", "pay first"},
		{"wrapped Rejection", nil, fmt.Errorf("account 7: %w", &server.Rejection{Status: 402, Body: "pay first"}), nil, 402, "", "pay first", "account 7"},
		{"Rejection without a body", nil, &server.Rejection{Status: 404}, nil, 404, "", "Not Found", "404"},
		{"Rejection that would be a success", nil, &server.Rejection{Status: 200}, nil, 500, "", "Internal Server Error", "200"},
		{"any error", nil, errors.New("the secret word"), nil, 403, "", "Forbidden", "the secret word"},
		{"an error beside a Service", echo(), errors.New("no"), nil, 403, "", "Forbidden", "no"},
		{"neither Service nor error", nil, nil, nil, 404, "", "Not Found", "404"},
		{"panic", nil, nil, "boom", 500, "", "Internal Server Error", "panic=boom"},
		{"Service that is not in order", &server.Service{OnIdleTimeout: func(*conn.Conn) error { return nil }}, nil, nil, 500, "", "Internal Server Error", "IdleTimeout"},
		{"Service that refuses", &server.Service{Options: server.Options{Check: func(*http.Request) error {
			return &server.Rejection{Status: 429, Body: "slowly"}
		}}}, nil, nil, 429, "", "slowly", "slowly"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log, book := logbook()
			if tt.s != nil {
				tt.s.Logger = log
			} else {
				useAsDefault(t, log)
			}
			l := serveHTTP(t, server.Upgrade(func(r *http.Request) (*server.Service, error) {
				if tt.panics != nil {
					panic(tt.panics)
				}
				return tt.s, tt.err
			}))
			_, _, err := dialPath(t, l, "/", client.Options{})
			e := asHandshakeError(t, err)
			if e.Status != tt.status || e.Header.Get("X-Why") != tt.header || strings.TrimSpace(string(e.Body)) != tt.body {
				t.Errorf("%d %v %q", e.Status, e.Header, e.Body)
			}
			if lines := book.lines(); len(lines) != 1 || !strings.Contains(lines[0], tt.logged) {
				t.Errorf("logged %q", lines)
			}
		})
	}
}

// A request that is no handshake is not asked about. One whose origin is foreign is,
// and refused then.
func TestUpgrade_IsAskedAboutHandshakesOnly(t *testing.T) {
	for _, tt := range refusals {
		if tt.o.Check != nil || tt.o.Header != nil {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			useAsDefault(t, quiet())
			asked := 0
			l := serveHTTP(t, server.Upgrade(func(*http.Request) (*server.Service, error) {
				asked++
				return echo(), nil
			}))
			nc := rawDial(t, l)
			send(t, nc, tt.request)
			resp, _ := receive(t, nc)
			if resp.StatusCode != tt.status || (asked == 1) != (tt.name == "foreign origin") {
				t.Errorf("%d, asked %d times", resp.StatusCode, asked)
			}
			for name, want := range tt.header {
				if !slices.Equal(resp.Header[name], want) {
					t.Errorf("%s: %q, want %q", name, resp.Header[name], want)
				}
			}
		})
	}
}
