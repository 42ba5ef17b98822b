package client_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"

	"github.com/swan-ws/websocket/client"
)

// The hooks of httptrace come as they do for http.Client.
func TestClient_CallsTheHooksOfATrace(t *testing.T) {
	var calls []string
	note := func(format string, args ...any) { calls = append(calls, fmt.Sprintf(format, args...)) }
	trace := &httptrace.ClientTrace{
		GetConn:              func(hostPort string) { note("GetConn %s", hostPort) },
		TLSHandshakeStart:    func() { note("TLSHandshakeStart") },
		TLSHandshakeDone:     func(s tls.ConnectionState, err error) { note("TLSHandshakeDone %v %v", s.HandshakeComplete, err) },
		GotConn:              func(i httptrace.GotConnInfo) { note("GotConn %v", i.Conn != nil) },
		WroteRequest:         func(i httptrace.WroteRequestInfo) { note("WroteRequest %v", i.Err) },
		GotFirstResponseByte: func() { note("GotFirstResponseByte") },
		Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			note("Got1xxResponse %d %s", code, h.Get("Link"))
			return nil
		},
	}
	cert := authority.issue(farOff, "example.test")
	o := reach(t, overTLS(cert, answer("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"+accepted)))
	o.TLSConfig = trusting()
	c, _, err := client.Dial(httptrace.WithClientTrace(t.Context(), trace), "wss://example.test/", o)
	if err != nil {
		t.Fatal(err)
	}
	c.CloseNow()
	want := "GetConn example.test:443, TLSHandshakeStart, TLSHandshakeDone true <nil>, GotConn true, WroteRequest <nil>, GotFirstResponseByte, Got1xxResponse 103 x"
	if got := strings.Join(calls, ", "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestClient_MindsTheHookOfInterimResponses(t *testing.T) {
	enough := errors.New("enough")
	trace := &httptrace.ClientTrace{Got1xxResponse: func(int, textproto.MIMEHeader) error { return enough }}
	o := reach(t, answer("HTTP/1.1 100 Continue\r\n\r\n"+accepted))
	if _, _, err := client.Dial(httptrace.WithClientTrace(t.Context(), trace), "ws://example.test/", o); !errors.Is(err, enough) {
		t.Errorf("got %v", err)
	}
}

// A trace with no hooks costs nothing but is no trouble either.
func TestClient_TakesAnEmptyTrace(t *testing.T) {
	o := reach(t, overTLS(authority.issue(farOff, "example.test"), answer("HTTP/1.1 102 Processing\r\n\r\n"+accepted)))
	o.TLSConfig = trusting()
	c, resp, err := client.Dial(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{}), "wss://example.test/", o)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(resp, err)
	}
	c.CloseNow()
}
