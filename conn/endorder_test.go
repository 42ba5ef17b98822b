package conn_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
)

// R101, R102: the stream "SHOULD be closed first by the server, so that it holds
// the TIME_WAIT state and not the client" (§7.1.1). A sending direction that is
// shut down counts as closed to TCP.
func TestClose_OfAClient_LeavesTheStreamsEndToTheServer(t *testing.T) {
	for _, begins := range []string{"client", "server"} {
		synctest.Test(t, func(t *testing.T) {
			role := machine.Client
			c, server := against(t, role, quiet)
			mustWrite(t, server, closeTo(role, frame.CloseNormal, ""))
			if begins == "client" {
				go c.Close(frame.CloseNormal, "")
			} else {
				go drain(c)
			}
			w := newWire(server)
			if f := w.mustNext(t); f.Opcode != frame.OpClose {
				t.Errorf("the server got %v", f)
			}
			server.SetReadDeadline(time.Now().Add(time.Second / 2))
			if f, err := w.next(); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%s begins: behind the Close frame the server got %v, %v", begins, f, err)
			}
			server.CloseWrite() // the server ends the stream: now the client does too
			start := time.Now()
			server.SetReadDeadline(time.Time{})
			if f, err := w.next(); err != io.EOF || time.Since(start) > 0 {
				t.Errorf("%s begins: %v, %v", begins, f, err)
			}
			<-c.Done()
			if got := fmt.Sprint(c.Phase()); got != "closed" || conn.CloseStatus(c.Err()) != frame.CloseNormal {
				t.Errorf("%s, %v", got, c.Err())
			}
		})
	}
}
