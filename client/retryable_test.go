package client_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
	"github.com/swan-ws/websocket/handshake"
)

func TestRetryable_TellsWhatMayPass(t *testing.T) {
	status := func(code int) error { return &client.HandshakeError{Status: code, Err: &handshake.Error{}} }
	closed := func(code frame.CloseCode) error { return &conn.CloseError{Code: code, Remote: true} }
	for _, tt := range []struct {
		name string
		err  error
		want bool
	}{
		{"refused", &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, true},
		{"reset", syscall.ECONNRESET, true},
		{"no such name", &net.DNSError{IsNotFound: true}, true},
		{"deadline of an attempt", context.DeadlineExceeded, true},
		{"canceled", context.Canceled, false},
		{"end of the stream", io.EOF, true},
		{"alert", &net.OpError{Op: "remote error", Err: tls.AlertError(40)}, false},
		{"certificate", &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, false},
		{"no TLS", tls.RecordHeaderError{Msg: "no TLS"}, false},
		{"half a response", &client.HandshakeError{Err: io.ErrUnexpectedEOF}, true},
		{"no response in time", &client.HandshakeError{Err: context.DeadlineExceeded}, true},
		{"a response of something else", &client.HandshakeError{Err: errors.New("malformed")}, false},
		{"bad URL", &handshake.Error{}, false},
		{"no token", &client.AuthError{Err: errors.New("wrong password")}, false},
		{"no way to the token", &client.AuthError{Err: syscall.EHOSTUNREACH}, true},
		{"application's", errors.New("out of stock"), false},
		{"nothing", nil, false},

		{"101", status(101), false},
		{"302", status(302), false},
		{"400", status(400), false},
		{"401", status(401), false},
		{"403", status(403), false},
		{"404", status(404), false},
		{"408", status(408), true},
		{"425", status(425), true},
		{"426", status(426), false},
		{"429", status(429), true},
		{"500", status(500), true},
		{"501", status(501), false},
		{"502", status(502), true},
		{"503", status(503), true},
		{"504", status(504), true},
		{"505", status(505), false},

		{"1000", closed(1000), false},
		{"1001", closed(1001), true},
		{"1002", closed(1002), false},
		{"1005", closed(1005), false},
		{"1006", closed(1006), true},
		{"1008", closed(1008), false},
		{"1011", closed(1011), true},
		{"1012", closed(1012), true},
		{"1013", closed(1013), true},
		{"1014", closed(1014), true},
		{"4000", closed(4000), false},
		{"own close", &conn.CloseError{Code: 1001}, false},
		{"own CloseNow", &conn.CloseError{Code: 1006, Cause: io.EOF}, false},
		{"idle", &conn.CloseError{Code: 1001, Cause: conn.ErrIdleTimeout}, true},
		{"silent", &conn.CloseError{Code: 1006, Remote: true, Cause: conn.ErrPongTimeout}, true},
		{"fault of the peer", &frame.ProtocolError{Code: 1011}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := client.Retryable(tt.err); got != tt.want {
				t.Errorf("got %t", got)
			}
			if tt.err == nil {
				return
			}
			if got := client.Retryable(fmt.Errorf("wrapped: %w", tt.err)); got != tt.want {
				t.Errorf("wrapped: got %t", got)
			}
		})
	}
}

// The rules hold for what Dial meets, and not only for errors made here.
func TestClient_WithRetry_RepeatsOnlyWhatMayPass(t *testing.T) {
	for _, tt := range []struct {
		name     string
		response string
		proxy    bool
		dials    int
	}{
		{"401", "HTTP/1.1 401 Unauthorized\r\n\r\n", false, 1},
		{"403", "HTTP/1.1 403 Forbidden\r\n\r\n", false, 1},
		{"broken rule", strings.Replace(accepted, "ACCEPT", "no", 1), false, 1},
		{"another protocol", "220 mail.test ESMTP\r\n\r\n", false, 1},
		{"503", "HTTP/1.1 503 Unavailable\r\n\r\n", false, 3},
		{"nothing", "", false, 3},
		{"half", "HTTP/1.1 101 Switching Protocols\r\nUpgr", false, 3},
		{"proxy with 407", "HTTP/1.1 407 Who\r\n\r\n", true, 1},
		{"proxy with 502", "HTTP/1.1 502 Gone\r\n\r\n", true, 3},
		{"proxy with nothing", "", true, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := reach(t, refusing(tt.response))
				if tt.proxy {
					o.Proxy = through("http://proxy.test")
				}
				o.Retry = &client.Retry{MaxCount: 2}
				var k clock
				k.time(o, never)
				dialFails(t, "ws://example.test/", o)
				if len(k.at) != tt.dials {
					t.Errorf("%d dials, want %d", len(k.at), tt.dials)
				}
			})
		})
	}
}
