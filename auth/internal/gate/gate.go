// Package gate has what all ways to log in need: a bound on how many do at a time,
// and errors for what is not the client's fault.
package gate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/swan-ws/websocket/server"
)

// Unavailable makes of err one that does not say that the credentials are wrong: a
// refusal with 503. One that is a refusal already stays as it is.
func Unavailable(err error) error {
	return refusal(err, &server.Rejection{
		Status: http.StatusServiceUnavailable,
		Header: http.Header{"Retry-After": {"10"}},
	})
}

// Misconfigured is Unavailable for what does not pass by itself: 500.
func Misconfigured(err error) error {
	return refusal(err, &server.Rejection{Status: http.StatusInternalServerError})
}

func refusal(err error, r *server.Rejection) error {
	if _, ok := errors.AsType[*server.Rejection](err); ok {
		return err
	}
	return fmt.Errorf("%w: %w", err, r)
}

// A Gate lets a number of callers in at a time. The zero value is one.
type Gate struct {
	once  sync.Once
	slots chan struct{}
}

// Enter waits for a place, of which there are n, and returns how to leave it.
func (g *Gate) Enter(ctx context.Context, n int) (leave func(), err error) {
	g.once.Do(func() { g.slots = make(chan struct{}, n) })
	select {
	case g.slots <- struct{}{}:
		return func() { <-g.slots }, nil
	case <-ctx.Done():
		return nil, Unavailable(fmt.Errorf("no place among %d that log in: %w", n, ctx.Err()))
	}
}
