package conn_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
)

func TestCloseContext_WithoutAnAnswer_TakesAsLongAsItsContext(t *testing.T) {
	const after = 42 * time.Second // more than CloseTimeout
	for name, hurried := range map[string]func() (context.Context, context.CancelFunc){
		"deadline": func() (context.Context, context.CancelFunc) { return context.WithTimeout(bg, after) },
		"cancelled": func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(bg)
			time.AfterFunc(after, cancel)
			return ctx, cancel
		},
	} {
		for _, role := range roles {
			for _, size := range []int{1 << 16, 4} { // in which the Close frame finds room, and not
				t.Run(name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						c, _ := againstSize(t, role, conn.Options{PingEvery: -1, WriteTimeout: -1}, size)
						ctx, cancel := hurried()
						defer cancel()
						start := time.Now()
						err := c.CloseContext(ctx, frame.CloseNormal, "bye")
						if took := time.Since(start); took != after {
							t.Errorf("took %v, want %v", took, after)
						}
						if err == nil || !strings.Contains(err.Error(), "not closed in order") {
							t.Error(err)
						}
						wantClosed(t, c)
					})
				})
			}
		}
	}
}

func TestCloseContext_WithAnAnswer_IsClose(t *testing.T) {
	for _, role := range roles {
		synctest.Test(t, func(t *testing.T) {
			c, peer := against(t, role, conn.Options{CloseTimeout: -1, PingEvery: -1})
			go func() {
				newWire(peer).mustNext(t)
				<-time.After(time.Hour)
				peer.Write(closeTo(role, frame.CloseNormal, ""))
				peer.Close()
			}()
			if err := c.CloseContext(bg, frame.CloseNormal, ""); err != nil {
				t.Error(err)
			}
			wantClosed(t, c)
		})
	}
}

func TestCloseContext_ThatHasEnded_ClosesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := against(t, 0, conn.Options{})
		ctx, cancel := context.WithCancel(bg)
		cancel()
		start := time.Now()
		if err := c.CloseContext(ctx, frame.CloseGoingAway, ""); err == nil || time.Since(start) != 0 {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if got := conn.CloseStatus(c.Err()); got != frame.CloseGoingAway {
			t.Errorf("ended with %v", got)
		}
		wantClosed(t, c)
	})
}
