package handshake_test

import (
	"bufio"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/swan-ws/websocket/handshake"
)

// wantError checks that err is an *Error with this status, section and a reason
// that has text in it, and that nothing of a peer gets through unquoted.
func wantError(t *testing.T, err error, status int, section, text string) {
	t.Helper()
	var e *handshake.Error
	if !errors.As(err, &e) {
		t.Fatalf("error = %v, want an *Error", err)
	}
	if e.Status != status || e.Section != section || !strings.Contains(e.Reason, text) {
		t.Errorf("error = %d §%s %s\nwant    %d §%s ...%s...", e.Status, e.Section, e.Reason, status, section, text)
	}
	if strings.ContainsAny(e.Error(), "\r\n\x00") || len(e.Error()) > 2000 {
		t.Errorf("error %q, want a short line", e.Error())
	}
}

// readRequest reads one request as a server does. Lines are written with \n.
func readRequest(text string) (*http.Request, error) {
	return http.ReadRequest(bufio.NewReader(strings.NewReader(strings.ReplaceAll(text, "\n", "\r\n"))))
}

func mustReadRequest(t testing.TB, text string) *http.Request {
	t.Helper()
	r, err := readRequest(text)
	if err != nil {
		t.Fatalf("ReadRequest(%q): %v", text, err)
	}
	return r
}

// mustReadResponse reads one response as a client does. Lines are written with \n.
func mustReadResponse(t testing.TB, text string) *http.Response {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(strings.ReplaceAll(text, "\n", "\r\n"))), nil)
	if err != nil {
		t.Fatalf("ReadResponse(%q): %v", text, err)
	}
	return resp
}

func TestError_NamesItsSource(t *testing.T) {
	e := &handshake.Error{Section: "4.2.1", Reason: "Upgrade: missing"}
	if got, want := e.Error(), "Upgrade: missing (RFC 6455 §4.2.1)"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	e.Section = "RFC 9112 §3.2"
	if got, want := e.Error(), "Upgrade: missing (RFC 9112 §3.2)"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
}
