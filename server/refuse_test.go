package server_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/server"
)

// expectEnd wants the server to have closed without another byte.
func expectEnd(t testing.TB, nc net.Conn) {
	t.Helper()
	rest, err := io.ReadAll(nc)
	if len(rest) > 0 || err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("want the end of the stream, got %q, %v", rest, err)
	}
}

// refusals are all the ways in which a handshake is turned down.
var refusals = []struct {
	name    string
	request string
	o       server.Options
	status  int
	header  http.Header // of the response, among others
}{
	{"no upgrade", "GET / HTTP/1.1\r\nHost: example.test\r\n\r\n", server.Options{}, 426,
		http.Header{"Upgrade": {"websocket"}}},
	{"other upgrade", strings.Replace(request(), "Upgrade: websocket", "Upgrade: h2c", 1), server.Options{}, 426,
		http.Header{"Upgrade": {"websocket"}}},
	{"other version", strings.Replace(request(), ": 13", ": 8", 1), server.Options{}, 426,
		http.Header{"Sec-Websocket-Version": {"13"}, "Upgrade": {"websocket"}}},
	{"no version", strings.Replace(request(), "Sec-WebSocket-Version: 13\r\n", "", 1), server.Options{}, 400,
		http.Header{"Sec-Websocket-Version": {"13"}}},
	{"no Connection", strings.Replace(request(), "Connection: Upgrade\r\n", "", 1), server.Options{}, 400, nil},
	{"keep-alive alone", strings.Replace(request(), "Connection: Upgrade", "Connection: keep-alive", 1), server.Options{}, 400, nil},
	{"no key", strings.Replace(request(), "Sec-WebSocket-Key", "X-Key", 1), server.Options{}, 400, nil},
	{"short key", strings.Replace(request(), sampleKey, "AAAA", 1), server.Options{}, 400, nil},
	{"two keys", request("Sec-WebSocket-Key: " + sampleKey), server.Options{}, 400, nil},
	{"bad subprotocol", request("Sec-WebSocket-Protocol: a b"), server.Options{}, 400, nil},
	{"bad extension", request("Sec-WebSocket-Extensions: ;"), server.Options{}, 400, nil},
	{"HTTP/1.0", strings.Replace(request("Connection: keep-alive"), "HTTP/1.1", "HTTP/1.0", 1), server.Options{}, 400, nil},
	{"POST", strings.Replace(request(), "GET", "POST", 1), server.Options{}, 405, http.Header{"Allow": {"GET"}}},
	{"body", request("Content-Length: 3"), server.Options{}, 400, nil},
	{"chunked body", request("Transfer-Encoding: chunked"), server.Options{}, 400, nil},
	{"foreign origin", request("Origin: http://evil.test"), server.Options{}, 403, nil},
	{"plain Check", request(), server.Options{Check: func(*http.Request) error { return errors.New("the secret word") }}, 403, nil},
	{"Rejection", request(), server.Options{Check: func(*http.Request) error {
		return &server.Rejection{Status: 401, Header: http.Header{"Www-Authenticate": {"Basic"}}, Body: "who are you?"}
	}}, 401, http.Header{"Www-Authenticate": {"Basic"}}},
	{"Rejection that would keep the connection", request(), server.Options{Check: func(*http.Request) error {
		return &server.Rejection{Status: 404, Header: http.Header{"Connection": {"keep-alive"}}}
	}}, 404, nil},
	{"bad header of our own", request(), server.Options{Header: http.Header{"Upgrade": {"x"}}}, 500, nil},
}

// Whoever believes that the upgrade has happened must not reach the HTTP server
// with what comes next: on the same connection nothing is a request any more.
func TestServer_ARefusalIsTheLastWordOnItsConnection(t *testing.T) {
	for _, tt := range refusals {
		t.Run(tt.name, func(t *testing.T) {
			var smuggled atomic.Int32
			accept := acceptor(&tt.o)
			l := serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/smuggled" {
					smuggled.Add(1)
					return
				}
				accept(w, r)
			}))
			nc := rawDial(t, l)
			next := "GET /smuggled HTTP/1.1\r\nHost: example.test\r\n\r\n"
			send(t, nc, tt.request+next+next)
			wire, err := io.ReadAll(nc)
			if err != nil && !errors.Is(err, syscall.ECONNRESET) {
				t.Fatal(err)
			}
			if n := bytes.Count(wire, []byte("\r\nContent-Length: ")); n != 1 || smuggled.Load() != 0 {
				t.Errorf("%d responses, %d smuggled requests: %q", n, smuggled.Load(), wire)
			}
			resp, _ := receive(t, bytes.NewReader(wire))
			if resp.StatusCode != tt.status || !resp.Close {
				t.Errorf("want %d and Connection: close, got %q", tt.status, wire)
			}
			for name, want := range tt.header {
				if got := resp.Header[name]; fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
}

// The same where the second request comes late, as through a proxy's tunnel.
func TestServer_ReadsNothingAfterARefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range refusals {
			accept := acceptor(&tt.o)
			requests := 0
			l := serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests++
				accept(w, r)
			}))
			nc := rawDial(t, l).(*conntest.Conn)
			send(t, nc, tt.request)
			receive(t, nc)
			synctest.Wait()
			io.WriteString(nc, request()) // may fail, as it should
			expectEnd(t, nc)
			if requests != 1 {
				t.Errorf("%s: %d requests were served", tt.name, requests)
			}
		}
	})
}

func TestServer_RefusesAsTheRejectionSays(t *testing.T) {
	for _, tt := range []struct {
		name   string
		err    error
		status int
		body   string
	}{
		{"in full", &server.Rejection{Status: 429, Body: "slow down"}, 429, "slow down\n"},
		{"wrapped", fmt.Errorf("quota: %w", &server.Rejection{Status: 429}), 429, "Too Many Requests\n"},
		{"plain error", errors.New("password of ada is wrong"), 403, "Forbidden\n"},
		{"no status", &server.Rejection{Body: "private"}, 500, "private\n"},
		{"informational", &server.Rejection{Status: 101}, 500, "Internal Server Error\n"},
		{"success", &server.Rejection{Status: 200}, 500, "Internal Server Error\n"},
		{"out of range", &server.Rejection{Status: 600}, 500, "Internal Server Error\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			failed := make(chan error, 1)
			l := serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, err := server.Accept(w, r, &server.Options{Check: func(*http.Request) error { return tt.err }})
				failed <- err
			}))
			nc := rawDial(t, l)
			send(t, nc, request())
			resp, body := receive(t, nc)
			if resp.StatusCode != tt.status || body != tt.body {
				t.Errorf("got %d %q, want %d %q", resp.StatusCode, body, tt.status, tt.body)
			}
			if err := <-failed; !errors.Is(err, tt.err) {
				t.Errorf("Accept returned %v, want it to wrap %v", err, tt.err)
			}
		})
	}
}

func TestServer_RejectionDescribesItself(t *testing.T) {
	e := &server.Rejection{Status: 401, Body: "log in first"}
	if got, want := e.Error(), "refused with 401 Unauthorized: log in first"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A stream that is lost while the 101 is written is an error, and closed.
func TestServer_ReportsAResponseThatCannotBeSent(t *testing.T) {
	failed := make(chan error, 1)
	var g server.Group
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := server.Accept(w, r, &server.Options{Group: &g})
		failed <- err
	})
	l := serveHTTP(t, h)
	here, there := conntest.Pipe()
	l.conns <- conntest.FailWriteAt(there, 1, nil)
	send(t, here, request())
	if err := <-failed; !errors.Is(err, conntest.ErrInjected) {
		t.Errorf("got %v", err)
	}
	expectEnd(t, here)
	if err := g.Shutdown(t.Context()); err != nil || g.Len() != 0 {
		t.Errorf("the group still counts it: %d, %v", g.Len(), err)
	}
}

// "The server MUST send an Upgrade header field in a 426 response" (RFC 9110
// §15.5.22), which Connection names (§7.8), and the version it has (§4.4).
func TestServer_TellsHowToUpgrade(t *testing.T) {
	nc := rawDial(t, serveHTTP(t, acceptor(nil)))
	send(t, nc, strings.Replace(request(), ": 13", ": 14", 1))
	head := receiveHead(t, nc)
	for _, line := range []string{
		"HTTP/1.1 426 Upgrade Required", "Upgrade: websocket", "Connection: close", "Connection: Upgrade", "Sec-Websocket-Version: 13",
	} {
		if !strings.Contains(head, line+"\r\n") {
			t.Errorf("no %q in %q", line, head)
		}
	}
}
