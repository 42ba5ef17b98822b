package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/swan-ws/websocket/server"
)

// A handshake may be answered with anything that a request may, and to the client it
// is as if net/http had done it, but that the connection ends.
func TestServer_AnswersAHandshake_AsNetHTTPDoes(t *testing.T) {
	type rw = http.ResponseWriter
	status := func(code int) func(rw, *http.Request) {
		return func(w rw, _ *http.Request) { w.WriteHeader(code) }
	}
	long := strings.Repeat("0123456789", 10000)
	for _, tt := range []struct {
		name   string
		handle func(w rw, r *http.Request)
	}{
		{"not at all", func(rw, *http.Request) {}},
		{"403", func(w rw, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) }},
		{"404", http.NotFound},
		{"302", func(w rw, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }},
		{"401", func(w rw, r *http.Request) {
			w.Header().Set("WWW-Authenticate", "Basic")
			w.Header().Add("Set-Cookie", "a=1")
			w.Header().Add("Set-Cookie", "b=2")
			w.WriteHeader(401)
		}},
		{"200", status(200)},
		{"204", status(204)},
		{"204 with a body", func(w rw, _ *http.Request) {
			w.WriteHeader(204)
			if _, err := io.WriteString(w, "x"); err != http.ErrBodyNotAllowed {
				panic(err)
			}
		}},
		{"304", status(304)},
		{"599", status(599)},
		{"nothing, written", func(w rw, _ *http.Request) { w.Write(nil) }},
		{"a page", func(w rw, _ *http.Request) { io.WriteString(w, "<html>") }},
		{"a page in pieces", func(w rw, _ *http.Request) {
			for i := range 10 {
				fmt.Fprint(w, i)
				w.(http.Flusher).Flush()
			}
		}},
		{"a long page", func(w rw, _ *http.Request) { io.WriteString(w, long) }},
		{"a long page in pieces", func(w rw, _ *http.Request) {
			for i := range 100 {
				io.WriteString(w, long[i*1000:][:1000])
			}
		}},
		{"a page of known length", func(w rw, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(long)))
			io.WriteString(w, long)
		}},
		{"a page of the wrong length", func(w rw, _ *http.Request) {
			w.Header().Set("Content-Length", "5")
			io.WriteString(w, "01234")
			if _, err := io.WriteString(w, "x"); err != http.ErrContentLength {
				panic(err)
			}
		}},
		{"a length that is none", func(w rw, _ *http.Request) {
			w.Header().Set("Content-Length", "x")
			io.WriteString(w, "01234")
		}},
		{"a type of its own", func(w rw, _ *http.Request) {
			w.Header().Set("Content-Type", "text/x")
			io.WriteString(w, "x")
		}},
		{"no type", func(w rw, _ *http.Request) {
			w.Header()["Content-Type"] = nil
			io.WriteString(w, "x")
		}},
		{"a header that comes too late", func(w rw, _ *http.Request) {
			w.WriteHeader(200)
			w.Header().Set("X-Late", "x")
		}},
		{"a header with a line end in it", func(w rw, _ *http.Request) {
			w.Header().Set("X", "a\r\nY: b")
		}},
		{"a name with a line end in it", func(w rw, _ *http.Request) {
			w.Header()["X: a\r\nY"] = []string{"b"}
		}},
		{"chunked, as if it were the handler's to say", func(w rw, _ *http.Request) {
			w.Header().Set("Transfer-Encoding", "chunked")
			w.Header().Set("Content-Type", "text/x")
			io.WriteString(w, "x")
		}},
		{"two statuses", func(w rw, _ *http.Request) {
			w.WriteHeader(400)
			w.WriteHeader(500)
		}},
		{"what it would read", func(w rw, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			fmt.Fprint(w, r.Method, r.RequestURI, r.URL, r.Proto, r.Host, r.RemoteAddr, r.ContentLength, r.Close, r.TLS, r.Header, body, err)
		}},
		{"what may be asked of it", func(w rw, r *http.Request) {
			c := http.NewResponseController(w)
			fmt.Fprint(w, c.EnableFullDuplex(), c.SetReadDeadline(time.Time{}), c.SetWriteDeadline(time.Time{}), c.Flush())
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := http.HandlerFunc(tt.handle)
			theirs, ours := rawDial(t, serveHTTP(t, h)), rawDial(t, run(t, &server.Server{Handler: h, Logger: quiet()}))
			send(t, theirs, request())
			send(t, ours, request())
			want, wantBody := receive(t, theirs)
			got, body := receive(t, ours)
			expectClosed(t, ours)
			if got.Header.Get("Date") == "" || !got.Close || got.Proto != "HTTP/1.1" {
				t.Errorf("want a Date and Connection: close, got %v", got)
			}
			if len(want.TransferEncoding) > 0 { // for which a length may do as well
				delete(got.Header, "Content-Length")
			}
			for _, h := range []http.Header{want.Header, got.Header} {
				delete(h, "Date")
				delete(h, "Connection")
			}
			if diff := cmp.Diff(want.Header, got.Header); diff != "" || got.Status != want.Status || body != wantBody {
				t.Errorf("%s, want %s\n%.100q\n%.100q\n(-net/http +ours):\n%s", got.Status, want.Status, body, wantBody, diff)
			}
		})
	}
}

func TestServer_SendsHintsBeforeTheAnswerToAHandshake(t *testing.T) {
	nc := rawDial(t, run(t, &server.Server{Logger: quiet(), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</x>")
		w.WriteHeader(http.StatusEarlyHints)
		echo().ServeHTTP(w, r)
	})}))
	send(t, nc, request()+frameX)
	for _, want := range []string{"HTTP/1.1 103 Early Hints", "HTTP/1.1 101 Switching Protocols"} {
		if head := receiveHead(t, nc); !strings.HasPrefix(head, want) || !strings.Contains(head, "Link: </x>") {
			t.Errorf("want %s, got %q", want, head)
		}
	}
	expect(t, nc, echoX)
}

func TestServer_FlushesTheAnswerToAHandshake(t *testing.T) {
	goOn := make(chan struct{})
	nc := rawDial(t, run(t, &server.Server{Logger: quiet(), Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "now")
		w.(http.Flusher).Flush()
		<-goOn
		io.WriteString(w, "then")
	})}))
	send(t, nc, request())
	resp, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil {
		t.Fatal(err)
	}
	var now [3]byte
	if _, err := io.ReadFull(resp.Body, now[:]); err != nil || string(now[:]) != "now" {
		t.Errorf("%q, %v", now, err)
	}
	close(goOn)
	if then, err := io.ReadAll(resp.Body); err != nil || string(then) != "then" {
		t.Errorf("%q, %v", then, err)
	}
}

func TestServer_AHandshakeIsHijacked_AfterTheResponseHasBegun(t *testing.T) {
	nc := rawDial(t, run(t, &server.Server{Logger: quiet(), Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c := http.NewResponseController(w)
		c.SetReadDeadline(time.Unix(1, 0)) // is for the request
		io.WriteString(w, "first")
		nc, brw, err := c.Hijack()
		if err != nil || c.Flush() != http.ErrHijacked {
			t.Error(err)
			return
		}
		defer nc.Close()
		then, err := brw.ReadString('.')
		if err != nil {
			t.Error(err)
		}
		io.WriteString(nc, then)
	})}))
	send(t, nc, request()+"then")
	if head := receiveHead(t, nc); !strings.HasPrefix(head, "HTTP/1.1 200 ") {
		t.Errorf("got %q", head)
	}
	expect(t, nc, []byte("first"))
	send(t, nc, ".")
	expect(t, nc, []byte("then."))
}

func TestServer_AStatusThatIsNone_IsThePanicOfTheHandler(t *testing.T) {
	log, book := logbook()
	nc := rawDial(t, run(t, &server.Server{Logger: log, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(99)
	})}))
	send(t, nc, request())
	expectClosed(t, nc)
	if got := book.lines()[0]; !strings.Contains(got, "want a status from 100 to 999") {
		t.Errorf("the log has %q", got)
	}
}
