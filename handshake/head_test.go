package handshake_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/net/http/httpguts"

	"github.com/swan-ws/websocket/handshake"
)

// browser is what a browser sends, which is more than the standard asks for.
var browser = crlf("GET /chat/r%C3%B6om?user=ada&x=1 HTTP/1.1\nHost: server.example.com:8080\nConnection: Upgrade\nPragma: no-cache\n" +
	"Cache-Control: no-cache\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) Browser/1.0\nUpgrade: websocket\n" +
	"Origin: http://server.example.com:8080\nSec-WebSocket-Version: 13\nAccept-Encoding: gzip, deflate\n" +
	"Accept-Language: en-GB,en;q=0.9\nCookie: a=1; b=2\nSec-WebSocket-Key: " + sampleKey + "\n" +
	"Sec-WebSocket-Protocol: chat\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\n\n")

// plain is what a program sends.
var plain = crlf("GET /chat?room=1 HTTP/1.1\nHost: server.example.com\nUpgrade: websocket\nConnection: Upgrade\n" +
	"Sec-WebSocket-Key: " + sampleKey + "\nSec-WebSocket-Version: 13\nOrigin: http://server.example.com\n\n")

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// served is how net/http's server reads a request: as ReadRequest, and the Host is
// not in the header then. nil: it does not.
func served(text string) *http.Request {
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
	if err != nil || !httpguts.ValidHostHeader(r.Host) {
		return nil
	}
	for _, values := range r.Header {
		for _, value := range values {
			if !httpguts.ValidHeaderFieldValue(value) {
				return nil
			}
		}
	}
	delete(r.Header, "Host")
	return r
}

func sameRequest(t *testing.T, want, got *http.Request) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(http.Request{}), cmpopts.EquateComparable(http.NoBody)); diff != "" {
		t.Errorf("not what net/http reads (-want +got):\n%s", diff)
	}
}

func TestHead_ReadsWhatNetHTTPReads(t *testing.T) {
	for _, tt := range []struct{ name, text string }{
		{"of a browser", browser},
		{"of a program", plain},
		{"names in any case", strings.NewReplacer("Sec-WebSocket-Key", "SEC-websocket-KEY", "Upgrade: w", "uPGRADE:W").Replace(plain)},
		{"space around values", strings.NewReplacer(": ", ": \t ", "13\r\n", "13\t \r\n").Replace(plain)},
		{"a field on two lines", strings.Replace(plain, "Origin", "Connection: keep-alive\r\nOrigin", 1)},
		{"a value of nothing", strings.Replace(plain, "Origin", "X:\r\nOrigin", 1)},
		{"a value that is not ASCII", strings.Replace(plain, "Origin", "X: \xff\u00e9\r\nOrigin", 1)},
		{"an empty query", strings.Replace(plain, "?room=1", "?", 1)},
		{"a double slash", strings.Replace(plain, "/chat", "//chat//x", 1)},
		{"a fragment", strings.Replace(plain, "/chat", "/chat#top", 1)},
		{"a handshake that is none", strings.Replace(plain, "Sec-WebSocket-Key", "Sec-WebSocket-Kez", 1)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var h handshake.Head
			if !h.Parse(tt.text) {
				t.Fatal("not read")
			}
			sameRequest(t, served(tt.text), &h.Request)
		})
	}
}

// What is wrong gets the answer of net/http, what is unusual its attention.
func TestHead_LeavesToNetHTTP(t *testing.T) {
	line := func(s string) string { return strings.Replace(plain, "Origin", s+"\r\nOrigin", 1) }
	for _, tt := range []struct{ name, text string }{
		{"nothing", ""},
		{"a request line alone", "GET / HTTP/1.1\r\n"},
		{"half a head", plain[:len(plain)-2]},
		{"half a line", plain[:len(plain)-5]},
		{"what follows", plain + "x"},
		{"a page", strings.Replace(plain, "Upgrade: websocket\r\n", "", 1)},
		{"another protocol", strings.Replace(plain, "websocket", "h2c", 1)},
		{"one of two protocols", strings.Replace(plain, "websocket", "h2c, websocket", 1)},
		{"another method", strings.Replace(plain, "GET", "POST", 1)},
		{"HTTP/1.0", strings.Replace(plain, "HTTP/1.1", "HTTP/1.0", 1)},
		{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
		{"an absolute target", strings.Replace(plain, "/chat", "http://server.example.com/chat", 1)},
		{"a target with a space", strings.Replace(plain, "/chat", "/ch at", 1)},
		{"a target that is not ASCII", strings.Replace(plain, "/chat", "/\u00e9", 1)},
		{"a target with a bad escape", strings.Replace(plain, "/chat", "/%zz", 1)},
		{"no Host", strings.Replace(plain, "Host", "Hose", 1)},
		{"two Hosts", line("Host: server.example.com")},
		{"an empty Host", strings.Replace(plain, "server.example.com\r\nU", "\r\nU", 1)},
		{"a bad Host", strings.Replace(plain, "server.example.com\r\nU", "a b\r\nU", 1)},
		{"a body", line("Content-Length: 5")},
		{"no body, in so many words", line("Content-Length: 0")},
		{"a chunked body", line("Transfer-Encoding: chunked")},
		{"a trailer", line("Trailer: X")},
		{"an expectation", line("Expect: 100-continue")},
		{"the last request", line("Connection: close")},
		{"Pragma alone", line("Pragma: no-cache")},
		{"a folded line", line("X: a\r\n b")},
		{"a bare LF", line("X: a\nY: b")},
		{"a bare CR", line("X: a\rY: b")},
		{"a NUL", line("X: \x00")},
		{"a space before the colon", line("X : a")},
		{"a name that is no token", line("X(: a")},
		{"no name", line(": a")},
		{"no colon", line("X")},
		{"more lines than anybody sends", line(strings.Repeat("X: a\r\n", 64) + "Y: b")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var h handshake.Head
			if h.Parse(tt.text) {
				t.Errorf("read %q", tt.text)
			}
		})
	}
}

// A Head that is used again has nothing of the request before.
func TestHead_ForgetsTheRequestBefore(t *testing.T) {
	var h handshake.Head
	type key struct{}
	h.Request = *h.Request.WithContext(context.WithValue(t.Context(), key{}, "x"))
	for _, text := range []string{browser, plain[:100], plain} {
		h.Parse(text)
		h.Request.SetPathValue("user", "ada")
	}
	if !h.Parse(plain) {
		t.Fatal("not read")
	}
	sameRequest(t, served(plain), &h.Request)
	if h.Request.PathValue("user") != "" || h.Request.Context().Value(key{}) != "x" {
		t.Error("want no path value, and the context")
	}
}

// From the text of the request to that of the response.
func TestHandshake_AllocatesNothing(t *testing.T) {
	var h handshake.Head
	wire := make([]byte, 0, 512)
	answer := func() {
		if !h.Parse(plain) {
			t.Fatal("not read")
		}
		req, err := handshake.ParseRequest(&h.Request)
		if err != nil || handshake.CheckOrigin(&h.Request, nil) != nil {
			t.Fatal("refused")
		}
		if wire, err = handshake.AppendResponse(wire[:0], handshake.Response{Key: req.Key}); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(100, answer); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

// What a Head reads, net/http reads too, to the same end.
func FuzzHead_AgreesWithNetHTTP(f *testing.F) {
	for _, text := range []string{
		browser, plain, crlf(with("Host", "a", "b")), crlf(with("Pragma", "no-cache")), crlf(with("Content-Length", "0")),
		crlf(with("Connection", "upgrade, close")), strings.Replace(plain, "/chat", "//a?b?", 1), strings.Replace(plain, "/chat", "/*;,@%2F", 1),
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var h handshake.Head
		if !h.Parse(text) {
			return
		}
		want := served(text)
		if want == nil {
			t.Fatalf("net/http does not read %q", text)
		}
		sameRequest(t, want, &h.Request)
		theirs, err := handshake.ParseRequest(want)
		ours, ourErr := handshake.ParseRequest(&h.Request)
		if diff := cmp.Diff(theirs, ours); diff != "" || !sameError(err, ourErr) {
			t.Errorf("%v, %v (-net/http +Head):\n%s", err, ourErr, diff)
		}
	})
}

func sameError(a, b error) bool {
	return a == nil && b == nil || a != nil && b != nil && a.Error() == b.Error()
}

func BenchmarkHead(b *testing.B) {
	for name, text := range map[string]string{"program": plain, "browser": browser} {
		b.Run(name, func(b *testing.B) {
			var h handshake.Head
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if !h.Parse(text) {
					b.Fatal("not read")
				}
			}
		})
	}
}
