package conn

import (
	"errors"
	"fmt"
	"net"

	"github.com/swan-ws/websocket/frame"
)

// A CloseError says that the connection is closed and why. errors.Is(err,
// net.ErrClosed) holds for it.
type CloseError struct {
	// Code is what the Close frame said: frame.CloseNoStatus if it had no code,
	// frame.CloseAbnormal if there was no Close frame.
	Code frame.CloseCode
	// Reason is the Close frame's text. It is for logs and developers: do not
	// show it to end users (§7.1.6).
	Reason string
	// Remote: the peer began. Otherwise this side did.
	Remote bool
	// Cause is what made the connection end, if it was no Close of the peer's or
	// the application's: the stream's error, ErrPongTimeout or ErrIdleTimeout.
	Cause error
}

// Error returns for example `websocket: closed by peer: 1001 going away: "bye"`.
func (e *CloseError) Error() string {
	switch {
	case e.Code == frame.CloseAbnormal && e.Remote:
		return fmt.Sprintf("websocket: connection lost without a Close frame: %v", e.Cause)
	case e.Code == frame.CloseAbnormal:
		return fmt.Sprintf("websocket: closed without a Close frame: %v", e.Cause)
	}
	who := ""
	if e.Remote {
		who = " by peer"
	}
	if e.Reason == "" {
		return fmt.Sprintf("websocket: closed%s: %v", who, e.Code)
	}
	return fmt.Sprintf("websocket: closed%s: %v: %q", who, e.Code, e.Reason)
}

// Unwrap returns Cause.
func (e *CloseError) Unwrap() error { return e.Cause }

// Is makes errors.Is(err, net.ErrClosed) hold.
func (e *CloseError) Is(target error) bool { return target == net.ErrClosed }

// faultError is a fault in the peer's bytes as an application sees it:
// errors.As finds the *frame.ProtocolError, errors.Is finds net.ErrClosed.
type faultError struct{ fault *frame.ProtocolError }

func (e *faultError) Error() string        { return "websocket: " + e.fault.Error() }
func (e *faultError) Unwrap() error        { return e.fault }
func (e *faultError) Is(target error) bool { return target == net.ErrClosed }

// CloseStatus returns the close code that err stands for: that of a *CloseError,
// or the one sent for a *frame.ProtocolError. It is 0 if err is about something
// else, such as a context that ended.
func CloseStatus(err error) frame.CloseCode {
	if e, ok := errors.AsType[*CloseError](err); ok {
		return e.Code
	}
	if e, ok := errors.AsType[*frame.ProtocolError](err); ok {
		return e.Code
	}
	return 0
}

// The Cause of a CloseError, beside the errors of the stream.
var (
	ErrPongTimeout = errors.New("the peer did not answer a ping in time") // Options.PongWithin
	ErrIdleTimeout = errors.New("no message passed in time")              // Options.IdleTimeout
)

var (
	errConcurrentRead = errors.New("websocket: another goroutine, or the Service whose callback this is, reads this connection: one at a time can")
	errCloseNow       = errors.New("CloseNow")
	errNoClose        = errors.New("the peer sent no Close frame")
	errNotText        = errors.New("websocket: text is not valid UTF-8: send it as a binary message")
	errHookExit       = errors.New("websocket: OnPing, OnPong or AnswerPing ended its goroutine")
	errReaderPassed   = errors.New("websocket: the rest of this message has been skipped by a later read")
	errMessageEnded   = errors.New("websocket: write to a message that has ended: ask for a new Writer")
)
