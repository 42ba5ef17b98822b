package server_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/server"
)

func attach(t testing.TB, m *server.Mux, pattern string, h http.Handler) {
	t.Helper()
	if err := m.Attach(pattern, h); err != nil {
		t.Fatal(err)
	}
}

// says is a handler that answers with text, and what pattern it was found by.
func says(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, text, " ", r.Pattern) })
}

func fetch(m http.Handler, method, path string) string {
	w := httptest.NewRecorder()
	m.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return fmt.Sprint(w.Code, " ", strings.TrimSpace(w.Body.String()))
}

func TestMux_ServicesComeAndGo_WhileConnectionsGoOn(t *testing.T) {
	var m server.Mux
	l := run(t, &server.Server{Handler: &m, Logger: quiet()})
	refused := func() {
		t.Helper()
		_, _, err := tryDial(t, l, nil)
		if e := asHandshakeError(t, err); e.Status != 404 {
			t.Errorf("want 404, got %v", e)
		}
	}
	refused()
	attach(t, &m, "/", echo())
	old := dial(t, l, nil)
	roundTrip(t, old, "attached")
	if err := m.Detach("/"); err != nil {
		t.Fatal(err)
	}
	refused()
	roundTrip(t, old, "detached, and still here")
	attach(t, &m, "/", echo())
	roundTrip(t, dial(t, l, nil), "attached again")
	roundTrip(t, old, "and still here")
}

func TestMux_FindsHandlersAsServeMuxDoes(t *testing.T) {
	var m server.Mux
	for _, pattern := range []string{"/chat/", "/chat/{room}/log", "GET /time", "example.test/time", "/gone"} {
		attach(t, &m, pattern, says("found"))
	}
	m.Detach("/gone") // which makes all others anew
	for path, want := range map[string]string{
		"GET /chat/":                    "200 found /chat/",
		"GET /chat/lobby":               "200 found /chat/",
		"GET /chat/lobby/log":           "200 found /chat/{room}/log",
		"GET /time":                     "200 found GET /time",
		"GET http://example.test/time":  "200 found example.test/time",
		"POST http://localhost/time":    "405 Method Not Allowed",
		"GET /gone":                     "404 404 page not found",
		"GET /Chat/":                    "404 404 page not found",
		"GET http://example.test/other": "404 404 page not found",
	} {
		method, url, _ := strings.Cut(path, " ")
		if strings.HasPrefix(url, "/") {
			url = "http://localhost" + url
		}
		if got := fetch(&m, method, url); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}

func TestMux_SaysWhatCannotBeAttached(t *testing.T) {
	var m server.Mux
	attach(t, &m, "/chat", says("first"))
	attach(t, &m, "/rooms/{room}", says("first"))
	for _, tt := range []struct {
		pattern, want string
		h             http.Handler
	}{
		{"/chat", `Attach("/chat"): there is a handler already`, says("second")},
		{"/rooms/{name}", "matches the same requests as", says("second")},
		{"/{any}/lobby", "neither is more specific", says("second")},
		{"", "invalid pattern", says("second")},
		{"chat", "host/path missing /", says("second")},
		{"/{", "bad wildcard segment", says("second")},
		{"/nil", "nil handler", nil},
		{"/nil", "nil handler", http.HandlerFunc(nil)},
	} {
		err := m.Attach(tt.pattern, tt.h)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.ContainsAny(err.Error(), "\n") || strings.Contains(err.Error(), ".go:") {
			t.Errorf("%q: want %q, got %v", tt.pattern, tt.want, err)
		}
	}
	if got := fetch(&m, "GET", "/chat"); got != "200 first /chat" {
		t.Errorf("the first handler is gone: %q", got)
	}
	for _, pattern := range []string{"/nothing", "", "/{any}/lobby"} {
		if err := m.Detach(pattern); err == nil || !strings.Contains(err.Error(), "nothing is attached there") {
			t.Errorf("Detach(%q): %v", pattern, err)
		}
	}
}

func TestMux_MayChangeWhileItServes(t *testing.T) {
	var m server.Mux
	attach(t, &m, "/stays", says("here"))
	var work sync.WaitGroup
	for i := range 4 {
		work.Go(func() {
			pattern := fmt.Sprintf("/comes/%d", i)
			for range 100 {
				if err := m.Attach(pattern, says("here")); err != nil {
					t.Error(err)
				}
				if got := fetch(&m, "GET", pattern); !strings.HasPrefix(got, "200") {
					t.Errorf("attached: %s", got)
				}
				if got := fetch(&m, "GET", "/stays"); !strings.HasPrefix(got, "200") {
					t.Errorf("the other one: %s", got)
				}
				if err := m.Detach(pattern); err != nil {
					t.Error(err)
				}
				if got := fetch(&m, "GET", pattern); !strings.HasPrefix(got, "404") {
					t.Errorf("detached: %s", got)
				}
			}
		})
	}
	work.Wait()
}

// One port for pages, for POST and for WebSocket.
func TestMux_SharesThePortWithPlainHTTP(t *testing.T) {
	var m server.Mux
	attach(t, &m, "GET /chat", echo())
	attach(t, &m, "POST /chat", says("posted"))
	attach(t, &m, "/", says("page"))
	srv := &server.Server{Addr: "127.0.0.1:0", Handler: &m, Logger: quiet()}
	addr, err := srv.Listen()
	if err != nil {
		t.Fatal(err)
	}
	runOn(t, srv, srv.ListenAndServe)
	c, _, err := client.Dial(t.Context(), "ws://"+addr.String()+"/chat", &client.Options{Proxy: noProxy})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	roundTrip(t, c, "by WebSocket")
	web := &http.Client{Transport: &http.Transport{}}
	defer web.CloseIdleConnections()
	resp, err := web.Post("http://"+addr.String()+"/chat", "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if string(body) != "posted POST /chat" {
		t.Errorf("POST: %q", body)
	}
}
