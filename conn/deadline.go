package conn

import (
	"context"
	"time"

	"github.com/swan-ws/websocket/internal/instant"
)

// hurry returns when the time that ctx gives is over, 0 if it gives all there is. The
// error says that it is over.
func hurry(ctx context.Context) (by instant.Time, err error) {
	end, limited := ctx.Deadline()
	if err = ctx.Err(); err != nil || !limited {
		return 0, err
	}
	now := time.Now()
	left := end.Sub(now)
	if left <= 0 { // its timer is late
		return 0, context.DeadlineExceeded
	}
	return instant.Of(now).Add(left), nil
}

// setDeadline gives the peer WriteTimeout, or less if the caller's time is over by
// then. It is called by whoever is writing. Most calls find a deadline that is good
// enough: setting it costs more than a small frame.
func (o *outbox) setDeadline(c *Conn, by instant.Time) {
	limit, hurried := c.opt.WriteTimeout, by != 0
	if limit == 0 && !hurried && !o.exact {
		return
	}
	now := instant.Now()
	fresh := !o.exact && now < o.fresh
	switch {
	case hurried && (limit == 0 || by < now.Add(limit)):
		o.exact = true
	case fresh:
		return
	default:
		by = now.Add(limit).Add(limit / 4)
		o.exact, o.fresh = false, now.Add(limit/4)
	}
	var deadline time.Time // none
	if o.exact || limit > 0 {
		deadline = time.Now().Add(by.Sub(now))
	}
	c.stream.SetWriteDeadline(deadline)
}
