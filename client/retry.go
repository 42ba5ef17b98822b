package client

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
)

// What the zero Retry stands for.
const (
	DefaultRetryInterval    = time.Second
	DefaultRetryFactor      = 2
	DefaultRetryMaxInterval = 30 * time.Second
	DefaultRetryJitter      = 0.5
)

// maxRetryAfter is the longest wait that a server can ask for.
const maxRetryAfter = time.Hour

// A Retry says when to try again, and for how long. The zero value waits for a
// second, then two, then four and so on up to 30, each time up to half of that less,
// and ends when the context does.
type Retry struct {
	// MaxCount is how many attempts may follow one that failed, in a row. 0 or
	// negative: any number, until the context ends.
	MaxCount int
	// Interval is the wait before the first of them. 0 or negative:
	// DefaultRetryInterval.
	Interval time.Duration
	// Factor is how much longer each wait is than the one before; 1 makes all alike,
	// and so does less. 0: DefaultRetryFactor.
	Factor float64
	// MaxInterval is the longest wait. 0 or negative: DefaultRetryMaxInterval.
	MaxInterval time.Duration
	// Jitter is how much of each wait is left to chance, from 0 to 1, so that the
	// clients of a server that failed do not all come at once (§7.2.3). 0:
	// DefaultRetryJitter. Negative: nothing.
	Jitter float64

	// When reports whether it is worth trying again after err, a failure of Dial or,
	// with Keep, what a session returned. nil: Retryable.
	When func(err error) bool
	// OnRetry, if set, is called before each wait with what went wrong, the number
	// of the attempt that will follow, from 1, and the wait.
	OnRetry func(err error, attempt int, wait time.Duration)
}

// Retryable reports whether the reason for err may pass: the network, a server that
// is overloaded or restarts, a deadline. These are
//
//   - errors of the network, and streams that end early, those of proxies included;
//   - the HTTP statuses 408, 425, 429, and 500 and above except 501 and 505;
//   - the close codes 1001, 1011, 1012, 1013 and 1014 if the peer sent them, 1006 for
//     a connection that was lost, and conn.ErrIdleTimeout.
//
// Everything else is not: 400, 401, 403 and their like, certificates, answers that
// break the rules, messages that do, connections closed in order or by this side,
// and the application's own errors.
func Retryable(err error) bool {
	if e, ok := errors.AsType[*HandshakeError](err); ok && e.Status != 0 {
		return retryableStatus(e.Status)
	}
	if e, ok := errors.AsType[*proxyError](err); ok {
		return retryableStatus(e.status)
	}
	if conn.CloseStatus(err) != 0 { // first: it wraps net.ErrClosed, which is a net.Error
		return retryableClose(err)
	}
	if _, ok := errors.AsType[tls.AlertError](err); ok { // in a *net.OpError
		return false
	}
	_, network := errors.AsType[net.Error](err)
	return network || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

func retryableStatus(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return false
	}
	return status >= 500
}

func retryableClose(err error) bool {
	e, ok := errors.AsType[*conn.CloseError](err)
	switch {
	case !ok: // a *frame.ProtocolError
		return false
	case !e.Remote:
		return errors.Is(err, conn.ErrIdleTimeout)
	}
	switch e.Code {
	case frame.CloseGoingAway, frame.CloseAbnormal, frame.CloseInternalError,
		frame.CloseServiceRestart, frame.CloseTryAgainLater, frame.CloseBadGateway:
		return true
	}
	return false
}

// tries counts the attempts that have failed in a row.
type tries struct {
	*Retry
	failed int
	waited time.Duration // before the last one
}

// again waits until it is time for another attempt after err. If there is to be
// none, it returns err with the reason.
func (t *tries) again(ctx context.Context, err error) error {
	if err = blame(ctx, err); ctx.Err() != nil {
		return err
	}
	when := t.When
	if when == nil {
		when = Retryable
	}
	if !when(err) {
		return err
	}
	if t.failed++; t.MaxCount > 0 && t.failed > t.MaxCount {
		return fmt.Errorf("%w: given up after %d retries", err, t.MaxCount)
	}
	t.waited = t.wait(retryAfter(err))
	if t.OnRetry != nil {
		t.OnRetry(err, t.failed, t.waited)
	}
	timer := time.NewTimer(t.waited)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: no time to try again after: %w", ctx.Err(), err)
	}
}

// lasted is told how long a connection was of use. If that is longer than the wait
// for it was, those who accept only to hang up are not the reason, and counting
// begins anew.
func (t *tries) lasted(d time.Duration) {
	if d > t.waited {
		t.failed, t.waited = 0, 0
	}
}

// wait returns how long to wait for the next attempt, but not less than the server
// has asked for.
func (t *tries) wait(asked time.Duration) time.Duration {
	limit := orDefault(t.MaxInterval, DefaultRetryMaxInterval)
	interval := orDefault(t.Interval, DefaultRetryInterval)
	factor, jitter := t.Factor, t.Jitter
	if factor == 0 {
		factor = DefaultRetryFactor
	}
	if jitter == 0 {
		jitter = DefaultRetryJitter
	}
	longest := limit
	if grown := float64(interval) * math.Pow(max(factor, 1), float64(t.failed-1)); grown < float64(limit) {
		longest = time.Duration(grown)
	}
	part := time.Duration(min(max(jitter, 0), 1) * chance() * float64(longest))
	if asked == 0 {
		return longest - part
	}
	return max(longest-part, asked+part) // not all at once here either
}

func orDefault(d, standard time.Duration) time.Duration {
	if d <= 0 {
		return standard
	}
	return d
}

// chance returns a number from 0 to 1, without 1.
func chance() float64 {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return float64(binary.LittleEndian.Uint64(b[:])>>11) / (1 << 53)
}

// retryAfter returns the wait that the server asks for (RFC 9110 §10.2.3), 0 for
// none.
func retryAfter(err error) time.Duration {
	e, ok := errors.AsType[*HandshakeError](err)
	if !ok {
		return 0
	}
	text := e.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	if date, err := http.ParseTime(text); err == nil {
		return min(max(time.Until(date), 0), maxRetryAfter)
	}
	return 0
}
