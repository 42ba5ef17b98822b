package conn_test

import (
	"io"
	"net"
	"testing"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/internal/loop"
)

// inLoop returns a socket in an event loop, and its peer.
func inLoop(tb testing.TB) (ours io.ReadWriteCloser, theirs net.Conn) {
	tb.Helper()
	sc, cc := loopback(tb)
	socket, err := loop.Take(sc)
	if err != nil {
		tb.Fatal(err)
	}
	return socket, cc
}

func TestAttach_AllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("sync.Pool forgets under the race detector")
	}
	eachAgreement(t, func(t *testing.T, compressed bool, newConn func(io.ReadWriteCloser) *conn.Conn) {
		for _, p := range payloads() {
			for _, frames := range []int{1, 3} {
				ours, theirs := inLoop(t)
				c := newConn(ours)
				got, ended := make(chan int), make(chan error, 1)
				c.Attach(16, nil, func(m conn.Message) bool { got <- len(m.Data); return true }, func(err error) { ended <- err })
				n, allocs := allocsOf(func() int { return <-got }, theirs, p.frames(c.Role(), compressed, frames))
				if n != len(p.p) || allocs > 0 {
					t.Errorf("%v in %d frames: %v allocations, %d bytes read", p, frames, allocs, n)
				}
				theirs.Close()
				<-ended
			}
		}
	})
}

func TestWrite_InAnEventLoop_AllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("sync.Pool forgets under the race detector")
	}
	eachAgreement(t, func(t *testing.T, _ bool, newConn func(io.ReadWriteCloser) *conn.Conn) {
		for _, p := range payloads() {
			ours, theirs := inLoop(t)
			c := newConn(ours)
			wrote, ended := make(chan error), make(chan error, 1)
			c.Attach(16, nil, func(m conn.Message) bool {
				wrote <- c.Write(bg, p.MessageType, p.p)
				return true
			}, func(err error) { ended <- err })
			taken := make(chan struct{})
			go func() {
				defer close(taken)
				discard(theirs)
			}()
			var err error
			_, allocs := allocsOf(func() int { err = <-wrote; return 0 }, theirs, to(c.Role(), fin|binaryData, "now"))
			if err != nil || allocs > 0 {
				t.Errorf("%v: %v allocations, %v", p, allocs, err)
			}
			c.CloseNow()
			<-ended
			<-taken
			theirs.Close()
		}
	})
}
