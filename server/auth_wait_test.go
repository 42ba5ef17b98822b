package server

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// Logins beyond what half of the processors can do wait, and not for ever.
func TestUsers_LoginsWaitForTheirTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, err := ParseUsers("")
		if err != nil {
			t.Fatal(err)
		}
		for range cap(u.slots) {
			u.slots <- struct{}{} // all processors are busy
		}
		start := time.Now()
		_, err = u.Login(context.Background(), "ada", "x")
		if e, ok := errors.AsType[*Rejection](err); !ok || e.Status != 503 || e.Header.Get("Retry-After") == "" || time.Since(start) != loginTimeout {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := u.Login(ctx, "ada", "x"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a client that has gone: %v", err)
		}
		done := make(chan error, 1)
		go func() {
			_, err := u.Login(context.Background(), "ada", "x")
			done <- err
		}()
		synctest.Wait()
		<-u.slots
		if err := <-done; err == nil || err.Error() != "wrong name or password" || len(u.slots) != cap(u.slots)-1 {
			t.Errorf("when there was room: %v, with %d still held", err, len(u.slots))
		}
	})
}
