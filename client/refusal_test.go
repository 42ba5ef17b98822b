package client_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/handshake"
)

func TestClient_ReportsARefusal(t *testing.T) {
	for _, status := range []int{200, 204, 301, 302, 303, 307, 308, 400, 401, 403, 404, 407, 426, 429, 500, 502, 503} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			header, body := "X-Status: "+fmt.Sprint(status)+"\r\n", "no luck"
			want := fmt.Sprintf(`server refused with %d %s: "no luck"`, status, http.StatusText(status))
			switch status {
			case 204:
				body, want = "", "server refused with 204 No Content"
			case 301, 302, 303, 307, 308:
				header += "Location: ws://elsewhere.test/\r\n"
			case 401:
				header += "WWW-Authenticate: Basic realm=\"x\"\r\n"
				want += ` (it wants "Basic realm=\"x\"", and got no Authorization: set Options.Auth)`
			case 426:
				header += "Sec-WebSocket-Version: 13\r\n"
			case 429, 503:
				header += "Retry-After: 5\r\n"
			}
			if status != 204 {
				header += fmt.Sprintf("Content-Length: %d\r\n", len(body))
			}
			o, n := reachEach(t, func(string) server {
				return answer(fmt.Sprintf("HTTP/1.1 %d %s\r\n%s\r\n%s", status, http.StatusText(status), header, body))
			})
			dials := watchDials(o)
			resp, err := dialFails(t, "ws://example.test/", o)
			e := asHandshakeError(t, err)
			if e.Status != status || string(e.Body) != body || e.Header.Get("X-Status") != fmt.Sprint(status) || !strings.HasSuffix(err.Error(), want) {
				t.Errorf("got %d, %q, %v: %q, want %q", e.Status, e.Body, e.Header, err, want)
			}
			if _, ok := errors.AsType[*handshake.Error](err); !ok {
				t.Errorf("no *handshake.Error in %v", err)
			}
			text, err := io.ReadAll(resp.Body)
			if resp.StatusCode != status || string(text) != body || err != nil {
				t.Errorf("the response is %d with %q, %v", resp.StatusCode, text, err)
			}
			for name, values := range e.Header {
				if !slices.Equal(resp.Header[name], values) {
					t.Errorf("%s: %q in the response, %q in the error", name, resp.Header[name], values)
				}
			}
			if len(dials()) != 1 || !dials()[0].isClosed() {
				t.Errorf("dialed %q; the stream should be closed", n.addresses())
			}
		})
	}
}

func TestClient_ShowsHowToAuthenticate(t *testing.T) {
	o := reach(t, answer("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n"))
	_, err := dialFails(t, "ws://example.test/", o)
	if got := asHandshakeError(t, err).Header.Get("WWW-Authenticate"); got != `Basic realm="x"` {
		t.Errorf("got %q", got)
	}
}

// Of the body there are the first 4 KiB, however it is sent, and however much
// was allowed for the header.
func TestClient_KeepsTheBeginningOfTheBody(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 1024)
	for _, tt := range []struct{ name, response, want string }{
		{"with a length", "HTTP/1.1 403 Forbidden\r\nContent-Length: 16384\r\n\r\n" + long, long[:4096]},
		{"until the end", "HTTP/1.0 403 Forbidden\r\n\r\n" + long, long[:4096]},
		{"chunked", "HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwell\r\n5\r\n, no.\r\n0\r\n\r\n", "well, no."},
		{"chunked and long", "HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n4000\r\n" + long + "\r\n0\r\n\r\n", long[:4096]},
		{"less than announced", "HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\nwell", "well"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := reach(t, func(nc net.Conn) {
				if _, err := readRequest(nc); err == nil {
					io.WriteString(nc, tt.response)
				}
			})
			o.MaxHandshakeBytes = 200
			_, err := dialFails(t, "ws://example.test/", o)
			if e := asHandshakeError(t, err); e.Status != 403 || string(e.Body) != tt.want {
				t.Errorf("got %d and %d bytes %.100q, want %d bytes", e.Status, len(e.Body), e.Body, len(tt.want))
			}
			if len(err.Error()) > 300 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}

// "the client MUST _Fail the WebSocket Connection_" (§4.1, items 1 to 6).
func TestClient_RefusesAnIllegalResponse(t *testing.T) {
	replace := func(old, new string) string { return strings.Replace(accepted, old, new, 1) }
	for _, tt := range []struct{ name, response string }{
		{"no Accept", replace("Sec-WebSocket-Accept: ACCEPT\r\n", "")},
		{"Accept of another key", replace("ACCEPT", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")},
		{"Accept empty", replace("ACCEPT", "")},
		{"Accept twice", withHeader("Sec-WebSocket-Accept: ACCEPT")},
		{"Accept with more", replace("ACCEPT", "ACCEPT, x")},
		{"no Upgrade", replace("Upgrade: websocket\r\n", "")},
		{"other Upgrade", replace("Upgrade: websocket", "Upgrade: h2c")},
		{"longer Upgrade", replace("Upgrade: websocket", "Upgrade: websocket2")},
		{"Upgrade twice", withHeader("Upgrade: websocket")},
		{"no Connection", replace("Connection: Upgrade\r\n", "")},
		{"other Connection", replace("Connection: Upgrade", "Connection: close")},
		{"subprotocol not asked for", withHeader("Sec-WebSocket-Protocol: c")},
		{"subprotocol in another case", withHeader("Sec-WebSocket-Protocol: A")},
		{"subprotocol twice", withHeader("Sec-WebSocket-Protocol: a", "Sec-WebSocket-Protocol: a")},
		{"two subprotocols", withHeader("Sec-WebSocket-Protocol: a, b")},
		{"subprotocol empty", withHeader("Sec-WebSocket-Protocol:")},
		{"extension not asked for", withHeader("Sec-WebSocket-Extensions: x-other")},
		{"extension with a parameter not asked for", withHeader("Sec-WebSocket-Extensions: permessage-deflate; x=1")},
		{"extension empty", withHeader("Sec-WebSocket-Extensions: ,")},
		{"HTTP/1.0", replace("HTTP/1.1", "HTTP/1.0")},
		{"HTTP/2.0", replace("HTTP/1.1", "HTTP/2.0")},
		{"length", withHeader("Content-Length: 5")},
		{"chunked", withHeader("Transfer-Encoding: chunked")},
		{"status 101 alone", "HTTP/1.1 101 Switching Protocols\r\n\r\n"},
		{"no HTTP", "\x81\x05Hello\r\n\r\n"},
		{"status of letters", replace("101", "1o1")},
		{"status of two digits", replace("101", "10")},
		{"header without a colon", withHeader("Nonsense")},
		{"header folded at the start", replace("Upgrade:", " Upgrade:")},
		{"nothing", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := reach(t, func(nc net.Conn) {
				r, err := readRequest(nc)
				if err != nil {
					t.Error(err)
					return
				}
				respond(nc, r, tt.response)
				if tt.response != "" {
					untilClosed(nc)
				}
			})
			o.Subprotocols = []string{"a", "b"}
			dials := watchDials(o)
			resp, err := dialFails(t, "ws://example.test/", o)
			e := asHandshakeError(t, err)
			if e.Err == nil || e.Status != 0 && resp == nil || e.Status == 0 && resp != nil {
				t.Errorf("status %d with the response %v: %v", e.Status, resp, e.Err)
			}
			if e.Status == 101 && !strings.Contains(err.Error(), "handshake failed: ") {
				t.Errorf("the error hides the fault: %q", err)
			}
			if !dials()[0].isClosed() {
				t.Error("the stream is still open")
			}
		})
	}
}

func TestClient_AcceptsALegalResponse(t *testing.T) {
	replace := func(old, new string) string { return strings.Replace(accepted, old, new, 1) }
	for _, tt := range []struct{ name, response string }{
		{"Upgrade in capitals", replace("Upgrade: websocket", "Upgrade: WebSocket")},
		{"Connection with more", replace("Connection: Upgrade", "Connection: keep-alive, UPGRADE")},
		{"Accept with space around", replace("ACCEPT", "  ACCEPT\t")},
		{"names in lower case", strings.ReplaceAll(strings.ToLower(accepted), "accept\r\n", "ACCEPT\r\n")},
		{"no reason", replace(" Switching Protocols", "")},
		{"length 0", withHeader("Content-Length: 0")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			response := strings.Replace(tt.response, "http/1.1", "HTTP/1.1", 1)
			c, _ := dial(t, "ws://example.test/", reach(t, answer(response)))
			if err := c.Close(1000, ""); err != nil {
				t.Error(err)
			}
		})
	}
}

// Responses such as 103 Early Hints announce the real one (RFC 9110 §15.2).
func TestClient_SkipsInterimResponses(t *testing.T) {
	for n := range 12 {
		interim := ""
		for i := range n {
			interim += fmt.Sprintf("HTTP/1.1 %d Wait\r\nX-I: %d\r\n\r\n", []int{100, 102, 103, 199}[i%4], i)
		}
		o := reach(t, answer(interim+accepted))
		c, resp, err := client.Dial(t.Context(), "ws://example.test/", o)
		if n > 10 {
			if err == nil || !strings.Contains(err.Error(), "too many interim responses") {
				t.Errorf("after %d: %v", n, err)
			}
			asHandshakeError(t, err)
			continue
		}
		if err != nil {
			t.Errorf("after %d: %v", n, err)
			continue
		}
		if resp.StatusCode != 101 || len(resp.Header["X-I"]) > 0 {
			t.Errorf("after %d: the response is %v", n, resp)
		}
		c.CloseNow()
	}
}

func TestClient_RefusesALongHeader(t *testing.T) {
	for _, tt := range []struct {
		name     string
		max, len int
		ok       bool
	}{
		{"default, within", 0, 16_000, true},
		{"default, beyond", 0, 17_000, false},
		{"set, within", 100_000, 99_000, true},
		{"no limit", -1, 200_000, true},
		{"set, beyond", 1_000, 1_000, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := reach(t, answer(withHeader("X-Long: "+strings.Repeat("x", tt.len))))
			o.MaxHandshakeBytes = tt.max
			c, _, err := client.Dial(t.Context(), "ws://example.test/", o)
			if tt.ok {
				if err != nil {
					t.Fatal(err)
				}
				c.CloseNow()
				return
			}
			asHandshakeError(t, err)
			if !strings.Contains(err.Error(), "MaxHandshakeBytes") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// The limit is for all that comes before the end of the header.
func TestClient_RefusesAnEndlessHeader(t *testing.T) {
	for _, line := range []string{"X: y\r\n", "x", "\x00"} {
		o := reach(t, func(nc net.Conn) {
			readRequest(nc)
			io.WriteString(nc, "HTTP/1.1 200 OK\r\n")
			for {
				if _, err := io.WriteString(nc, strings.Repeat(line, 100)); err != nil {
					return
				}
			}
		})
		dials := watchDials(o)
		_, err := dialFails(t, "ws://example.test/", o)
		if len(err.Error()) > 1000 {
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
		if !dials()[0].isClosed() {
			t.Error("the stream is still open")
		}
	}
}

// What a peer writes is quoted, and not at length.
func TestClient_QuotesThePeerInErrors(t *testing.T) {
	for _, response := range []string{
		"\x1b[31m" + strings.Repeat("A", 5000) + "\r\n\r\n",
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: \x1b[31m" + strings.Repeat("A", 5000) + "\r\n\r\n",
		"HTTP/1.1 403 \x1b[31m" + strings.Repeat("A", 5000) + "\r\nContent-Length: 5\r\n\r\n\x1b[31m",
	} {
		_, err := dialFails(t, "ws://example.test/", reach(t, answer(response)))
		if text := err.Error(); len(text) > 700 || strings.Contains(text, "\x1b") {
			t.Errorf("%d bytes: %q", len(text), text)
		}
	}
}
