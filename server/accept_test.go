package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/handshake"
	"github.com/swan-ws/websocket/server"
)

// acceptor accepts with o and sends back what comes, the plain way.
func acceptor(o *server.Options) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := server.Accept(w, r, o)
		if err != nil {
			return
		}
		defer c.CloseNow()
		for m, err := range c.Messages(r.Context()) {
			if err != nil {
				return
			}
			c.Write(r.Context(), m.Type, m.Data)
		}
	}
}

// §1.3 has the key and its answer; §4.2.2 item 5 the rest.
func TestServer_AnswersTheHandshakeOfTheRFC(t *testing.T) {
	nc := rawDial(t, serveHTTP(t, acceptor(nil)))
	send(t, nc, request())
	expect(t, nc, []byte("HTTP/1.1 101 Switching Protocols\r\n"+
		"Upgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"))
	send(t, nc, "\x81\x85\x00\x00\x00\x00Hello")
	expect(t, nc, conntest.Hex(`81 05 "Hello"`))
}

// wrapped hides everything of a ResponseWriter but its three methods.
type wrapped struct{ http.ResponseWriter }

// honest is a wrapper as http.ResponseController wants it.
type honest struct{ wrapped }

func (w honest) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func TestServer_AcceptsBehindAWrapperWithUnwrap(t *testing.T) {
	accept := acceptor(nil)
	l := serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		accept(honest{wrapped{honest{wrapped{w}}}}, r)
	}))
	roundTrip(t, dial(t, l, nil), "through two wrappers")
}

func TestServer_NamesTheWrapperWithoutUnwrap(t *testing.T) {
	failed := make(chan error, 1)
	l := serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := server.Accept(wrapped{w}, r, nil)
		failed <- err
	}))
	_, resp, err := tryDial(t, l, nil)
	if e := asHandshakeError(t, err); e.Status != http.StatusInternalServerError {
		t.Errorf("status %d, want 500", e.Status)
	}
	err = <-failed
	for _, word := range []string{"server_test.wrapped", "Unwrap", "handshake from a: "} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the error %q does not mention %q", err, word)
		}
	}
	if _, ok := errors.AsType[*handshake.Error](err); !ok || !resp.Close {
		t.Errorf("want a *handshake.Error and Connection: close, got %T and %v", err, resp.Header)
	}
}

// What comes in one segment with the request is not lost, wherever it is cut.
func TestServer_KeepsFramesThatComeWithTheHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := serveHTTP(t, acceptor(nil))
		wire := request() + "\x81\x85\x00\x00\x00\x00Hello" + "\x82\x80\x00\x00\x00\x00" + "\x89\x81\x00\x00\x00\x00p"
		for cut := range len(wire) + 1 {
			nc := rawDial(t, l)
			send(t, nc, wire[:cut])
			synctest.Wait() // until the server has taken it and waits for more
			send(t, nc, wire[cut:])
			if head := receiveHead(t, nc); !strings.HasPrefix(head, "HTTP/1.1 101 ") {
				t.Fatalf("cut at %d: %q", cut, head)
			}
			expect(t, nc, conntest.Hex(`81 05 "Hello" 8200 8a01 "p"`))
			nc.Close()
		}
	})
}

// receiveHead reads byte by byte, so that nothing behind the head is taken.
func receiveHead(t *testing.T, r io.Reader) (head string) {
	t.Helper()
	var b [1]byte
	for !strings.HasSuffix(head, "\r\n\r\n") {
		if _, err := io.ReadFull(r, b[:]); err != nil {
			t.Fatalf("after %q: %v", head, err)
		}
		head += string(b[:])
	}
	return head
}

func TestServer_TimeoutsOfTheHTTPServerEndWithTheHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &server.Options{Conn: conn.Options{PingEvery: -1}}
		l := serveOn(t, &http.Server{
			Handler: acceptor(o), ReadTimeout: time.Second, WriteTimeout: time.Second, IdleTimeout: time.Second,
		})
		c := dial(t, l, &client.Options{Conn: conn.Options{PingEvery: -1}})
		<-time.After(time.Hour)
		roundTrip(t, c, "still there")
	})
}

func TestServer_AddsHeadersToTheResponse(t *testing.T) {
	accept := acceptor(&server.Options{Header: http.Header{
		"X-Both":     {"options"},
		"X-Options":  {"2"},
		"Set-Cookie": {"a=1", "b=2"},
	}})
	l := serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Both", "writer")
		w.Header().Set("X-Writer", "1")
		accept(w, r)
	}))
	c, resp, err := tryDial(t, l, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	want := http.Header{"X-Both": {"options"}, "X-Writer": {"1"}, "X-Options": {"2"}, "Set-Cookie": {"a=1", "b=2"}}
	for _, name := range []string{"Upgrade", "Connection", "Sec-Websocket-Accept", "Sec-Websocket-Extensions"} {
		resp.Header.Del(name)
	}
	if diff := cmp.Diff(want, resp.Header); diff != "" {
		t.Error(diff)
	}
}

func TestServer_RefusesToSendAHeaderThatIsNotTheApplications(t *testing.T) {
	for _, field := range []struct{ name, value string }{
		{"Upgrade", "h2c"},
		{"Connection", "keep-alive"},
		{"Connection", "Upgrade"},
		{"Content-Length", "5"},
		{"Transfer-Encoding", "chunked"},
		{"Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="},
		{"Sec-WebSocket-Protocol", "chat"},
		{"Sec-WebSocket-Extensions", "permessage-deflate"},
		{"Sec-WebSocket-Anything", "x"},
		{"X-Split", "a\r\nEvil: 1"},
		{"X Space", "a"},
	} {
		for _, where := range []string{"writer", "options"} {
			t.Run(where+"/"+field.name, func(t *testing.T) {
				header := http.Header{field.name: {field.value}}
				failed := make(chan error, 1)
				l := serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					o := &server.Options{Header: header}
					if where == "writer" {
						w.Header()[http.CanonicalHeaderKey(field.name)] = header[field.name]
						o.Header = nil
					}
					_, err := server.Accept(w, r, o)
					failed <- err
				}))
				nc := rawDial(t, l)
				send(t, nc, request())
				resp, body := receive(t, nc)
				if resp.StatusCode != http.StatusInternalServerError || !resp.Close {
					t.Errorf("want 500 and close, got %d %v", resp.StatusCode, resp.Header)
				}
				if err := <-failed; err == nil || !strings.Contains(body, "Header: ") {
					t.Errorf("want the field to be named, got the error %v and the body %q", err, body)
				}
				expectEnd(t, nc)
			})
		}
	}
}

func TestServer_AgreesOnASubprotocol(t *testing.T) {
	for _, tt := range []struct {
		name               string
		offered, supported []string
		serverOrder        bool
		want               string
	}{
		{"the client's order", []string{"b", "a"}, []string{"a", "b"}, false, "b"},
		{"the server's order", []string{"b", "a"}, []string{"a", "b"}, true, "a"},
		{"the first known", []string{"x", "a"}, []string{"a", "b"}, false, "a"},
		{"case counts", []string{"A"}, []string{"a"}, false, ""},
		{"none in common", []string{"x"}, []string{"a"}, false, ""},
		{"none in common, the server's order", []string{"x"}, []string{"a"}, true, ""},
		{"none offered", nil, []string{"a"}, false, ""},
		{"none supported", []string{"a"}, nil, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			agreed := make(chan string, 1)
			l := serveHTTP(t, &server.Service{
				Options: server.Options{Subprotocols: tt.supported, PreferServerOrder: tt.serverOrder},
				OnOpen:  func(c *conn.Conn, _ *http.Request) error { agreed <- c.Subprotocol(); return nil },
			})
			c, resp, err := tryDial(t, l, &client.Options{Subprotocols: tt.offered})
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseNow()
			if got := <-agreed; got != tt.want || c.Subprotocol() != tt.want {
				t.Errorf("server %q, client %q, want %q", got, c.Subprotocol(), tt.want)
			}
			// "MUST NOT send back a |Sec-WebSocket-Protocol| header field" (§4.2.2)
			if _, present := resp.Header["Sec-Websocket-Protocol"]; present != (tt.want != "") {
				t.Errorf("header: %v", resp.Header)
			}
		})
	}
}

func TestServer_TakesSubprotocolsFromSeveralLines(t *testing.T) {
	nc := rawDial(t, serveHTTP(t, acceptor(&server.Options{Subprotocols: []string{"chat.v2"}})))
	send(t, nc, request("Sec-WebSocket-Protocol: chat.v1", "Sec-WebSocket-Protocol: chat.v2"))
	head := receiveHead(t, nc)
	if !strings.Contains(head, "\r\nSec-WebSocket-Protocol: chat.v2\r\n") {
		t.Errorf("got %q", head)
	}
}

func TestServer_ChecksTheOrigin(t *testing.T) {
	for _, tt := range []struct {
		name   string
		origin string // "": none
		o      server.Options
		want   int
	}{
		{"no browser", "", server.Options{}, 101},
		{"same site", "http://example.test", server.Options{}, 101},
		{"same site behind a TLS proxy", "https://example.test:80", server.Options{}, 403},
		{"other site", "http://evil.test", server.Options{}, 403},
		{"other port", "http://example.test:8080", server.Options{}, 403},
		{"ends alike", "http://notexample.test", server.Options{}, 403},
		{"null", "null", server.Options{}, 403},
		{"file", "file://", server.Options{}, 403},
		{"not an origin", "example.test", server.Options{}, 403},
		{"pattern", "https://app.test", server.Options{Origins: []string{"app.test"}}, 101},
		{"pattern below", "https://a.b.app.test", server.Options{Origins: []string{"*.app.test"}}, 101},
		{"pattern below, itself", "https://app.test", server.Options{Origins: []string{"*.app.test"}}, 403},
		{"pattern with a port", "http://app.test:3000", server.Options{Origins: []string{"app.test:3000"}}, 101},
		{"pattern with a scheme", "http://app.test", server.Options{Origins: []string{"https://app.test"}}, 403},
		{"any", "http://evil.test", server.Options{InsecureAllowAnyOrigin: true}, 101},
		{"any, null", "null", server.Options{InsecureAllowAnyOrigin: true}, 101},
		{"malformed pattern", "http://evil.test", server.Options{Origins: []string{"*"}}, 500},
		{"malformed pattern, ws", "http://evil.test", server.Options{Origins: []string{"ws://app.test"}}, 500},
	} {
		t.Run(tt.name, func(t *testing.T) {
			nc := rawDial(t, serveHTTP(t, acceptor(&tt.o)))
			lines := []string{"Origin: " + tt.origin}
			if tt.origin == "" {
				lines = nil
			}
			send(t, nc, request(lines...))
			if head := receiveHead(t, nc); !strings.HasPrefix(head, fmt.Sprintf("HTTP/1.1 %d ", tt.want)) {
				t.Errorf("want %d, got %q", tt.want, head)
			}
		})
	}
}

func TestServer_SaysWhichOriginPatternIsMalformed(t *testing.T) {
	nc := rawDial(t, serveHTTP(t, acceptor(&server.Options{Origins: []string{"wss://app.test"}})))
	send(t, nc, request("Origin: https://app.test"))
	_, body := receive(t, nc)
	if !strings.Contains(body, `origin pattern "wss://app.test": no Origin has the scheme ws or wss`) {
		t.Errorf("got %q", body)
	}
}

func TestServer_AsksCheckLast(t *testing.T) {
	called := false
	o := &server.Options{Check: func(*http.Request) error { called = true; return nil }}
	l := serveHTTP(t, acceptor(o))
	for _, lines := range [][]string{{"Origin: http://evil.test"}, {"Sec-WebSocket-Key: " + sampleKey}, {"Content-Length: 1"}} {
		nc := rawDial(t, l)
		send(t, nc, request(lines...))
		if resp, _ := receive(t, nc); resp.StatusCode < 400 || called {
			t.Errorf("%q: status %d, Check called: %v", lines, resp.StatusCode, called)
		}
	}
	nc := rawDial(t, l)
	send(t, nc, request())
	if receiveHead(t, nc); !called {
		t.Error("Check was not called for a handshake in order")
	}
}

func TestServer_ShowsTheRequestToCheckAndOnOpen(t *testing.T) {
	type userKey struct{}
	seen := make(chan []string, 2)
	look := func(r *http.Request) []string {
		user, _ := r.Context().Value(userKey{}).(string)
		return []string{user, r.PathValue("room"), r.URL.Query().Get("q"), r.Header.Get("Authorization")}
	}
	mux := http.NewServeMux()
	mux.Handle("/rooms/{room}", &server.Service{
		Options: server.Options{Check: func(r *http.Request) error { seen <- look(r); return nil }},
		OnOpen:  func(_ *conn.Conn, r *http.Request) error { seen <- look(r); return nil },
	})
	l := serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mux.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, "ada")))
	}))
	c, _, err := client.Dial(t.Context(), "ws://example.test/rooms/7?q=x%20y", &client.Options{
		DialContext: l.dial, Proxy: noProxy, Header: http.Header{"Authorization": {"Bearer t"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	for _, who := range []string{"Check", "OnOpen"} {
		if got := <-seen; !slices.Equal(got, []string{"ada", "7", "x y", "Bearer t"}) {
			t.Errorf("%s saw %q", who, got)
		}
	}
}

func TestServer_ContextOfTheRequestEndsWithTheConnection(t *testing.T) {
	ended := make(chan context.Context, 1)
	l := serveHTTP(t, &server.Service{
		OnOpen: func(_ *conn.Conn, r *http.Request) error { ended <- r.Context(); return nil },
	})
	c := dial(t, l, nil)
	ctx := <-ended
	if ctx.Err() != nil {
		t.Error("over before the connection is")
	}
	c.Close(1000, "")
	<-ctx.Done()
}
