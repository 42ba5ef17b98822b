// Package authtest meets a server over a real connection, for tests.
package authtest

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/server"
)

// Serve runs a WebSocket server that tells those who come in one of the ways who they
// are. Below /admin it does so only for those who have the scope "admin". It returns
// the server's URL.
func Serve(t testing.TB, ways ...server.Authenticator) string {
	t.Helper()
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	whoami := &server.Service{
		OnOpen: func(c *conn.Conn, _ *http.Request) error {
			return c.WriteText(t.Context(), server.PrincipalOf(c).Name)
		},
	}
	mux := http.NewServeMux()
	mux.Handle("/", whoami)
	mux.Handle("/admin", server.Authorize(whoami, server.AnyScope("admin")))
	ts := httptest.NewServer(server.Authenticate(mux, ways...))
	t.Cleanup(ts.Close)
	return "ws" + strings.TrimPrefix(ts.URL, "http")
}

// Meet dials and returns who the server says we are.
func Meet(t testing.TB, url string, auth client.Auth) string {
	t.Helper()
	c, resp, err := client.Dial(t.Context(), url, &client.Options{Auth: auth})
	if err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	defer c.CloseNow()
	if resp.StatusCode != http.StatusSwitchingProtocols {
		t.Errorf("%s: accepted with %d", url, resp.StatusCode)
	}
	m, err := c.Read(t.Context())
	if err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	return string(m.Data)
}

// Refused dials, wants to be refused with this status, and returns the challenge.
func Refused(t testing.TB, url string, auth client.Auth, status int) string {
	t.Helper()
	c, _, err := client.Dial(t.Context(), url, &client.Options{Auth: auth})
	if err == nil {
		c.CloseNow()
		t.Fatalf("%s: accepted, want %d", url, status)
	}
	e, ok := errors.AsType[*client.HandshakeError](err)
	if !ok || e.Status != status {
		t.Fatalf("%s: %v, want %d", url, err, status)
	}
	return e.Header.Get("WWW-Authenticate")
}

// Status returns what a server would answer to who was refused with err: 401 if err
// is not a refusal with a status of its own, 101 if it is nil.
func Status(err error) int {
	if err == nil {
		return http.StatusSwitchingProtocols
	}
	if r, ok := errors.AsType[*server.Rejection](err); ok {
		return r.Status
	}
	return http.StatusUnauthorized
}

// RoundTrip is an http.RoundTripper without a network, for tests with a clock of
// their own.
type RoundTrip func(r *http.Request) (status int, body string, err error)

// RoundTrip implements http.RoundTripper.
func (f RoundTrip) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body, err := f(r)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Request: r,
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   io.NopCloser(strings.NewReader(body)),
	}, nil
}

// Client is an http.Client without a network.
func Client(f RoundTrip) *http.Client { return &http.Client{Transport: f} }

// Hang waits until the request is given up.
func Hang(r *http.Request) (int, string, error) {
	<-r.Context().Done()
	return 0, "", context.Cause(r.Context())
}
