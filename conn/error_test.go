package conn_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
)

func TestCloseError_SaysWhoAndWhy(t *testing.T) {
	for _, tc := range []struct {
		err  conn.CloseError
		want string
	}{
		{conn.CloseError{Code: 1001, Reason: "bye", Remote: true}, `websocket: closed by peer: 1001 going away: "bye"`},
		{conn.CloseError{Code: 1001, Reason: "bye\n"}, `websocket: closed: 1001 going away: "bye\n"`},
		{conn.CloseError{Code: 1000, Remote: true}, "websocket: closed by peer: 1000 normal closure"},
		{conn.CloseError{Code: 4000}, "websocket: closed: 4000"},
	} {
		if got := tc.err.Error(); got != tc.want {
			t.Errorf("got %s, want %s", got, tc.want)
		}
	}
}

func TestCloseError_IsErrClosed_AndItsCause(t *testing.T) {
	var err error = &conn.CloseError{Code: frame.CloseAbnormal, Cause: io.ErrUnexpectedEOF}
	if !errors.Is(err, net.ErrClosed) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	err = &conn.CloseError{Code: frame.CloseNormal}
	if !errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

func TestCloseStatus_IsTheCodeOfAClose_OrOfAFault(t *testing.T) {
	for _, tc := range []struct {
		name string
		err  error
		want frame.CloseCode
	}{
		{"nothing", nil, 0},
		{"a close", &conn.CloseError{Code: 4001}, 4001},
		{"a wrapped close", fmt.Errorf("chat: %w", &conn.CloseError{Code: 1001}), 1001},
		{"a fault", &frame.ProtocolError{Code: 1007}, 1007},
		{"a context", context.Canceled, 0},
		{"a closed net.Conn", net.ErrClosed, 0},
	} {
		if got := conn.CloseStatus(tc.err); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}
