package hub_test

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/hub"
	deflate "github.com/swan-ws/websocket/permessage-deflate"
)

// teller is a stream that takes everything at once, as a socket does, and tells of each
// write.
type teller struct{ wrote, end chan struct{} }

func (s *teller) Read([]byte) (int, error) {
	<-s.end
	return 0, io.EOF
}
func (s *teller) Write(p []byte) (int, error) {
	s.wrote <- struct{}{}
	return len(p), nil
}
func (s *teller) WriteBoth(p, q []byte) (int, error) { return s.Write(append(p, q...)) }
func (s *teller) TryWrite(p []byte) int              { n, _ := s.Write(p); return n }
func (s *teller) TryRead([]byte) (int, error)        { return 0, nil }
func (s *teller) OnReadable(func())                  {}

func (s *teller) Close() error                     { close(s.end); return nil }
func (s *teller) SetReadDeadline(time.Time) error  { return nil }
func (s *teller) SetWriteDeadline(time.Time) error { return nil }

var _ conn.EventStream = (*teller)(nil)

// Publish allocates for the message, of which everybody gets the same.
func TestPublish_AllocatesForTheMessage_NotForThoseWhoGetIt(t *testing.T) {
	if raceDetector {
		t.Skip("sync.Pool forgets under the race detector")
	}
	const more = 200
	for _, params := range []*deflate.Params{nil, {ServerNoContextTakeover: true, ClientNoContextTakeover: true}, {}} {
		for _, size := range []int{16, 125, 126, 1 << 10, 16 << 10, 64 << 10} {
			t.Run(fmt.Sprintf("%d bytes, %+v", size, params), func(t *testing.T) {
				one, many := allocsOfPublish(t, 1, size, params), allocsOfPublish(t, 1+more, size, params)
				if many > one+more/10 {
					t.Errorf("%v allocations for one member, %v for %d", one, many, 1+more)
				}
			})
		}
	}
}

func allocsOfPublish(t *testing.T, members, size int, params *deflate.Params) float64 {
	var h hub.Hub
	wrote := make(chan struct{}, members)
	for range members {
		o := conn.Options{PingEvery: -1, Compression: deflate.Options{Mode: deflate.Takeover}}
		c := conn.New(&teller{wrote, make(chan struct{})}, conn.Config{Options: o, Role: machine.Server, Deflate: params})
		defer c.CloseNow()
		if err := h.Join(c); err != nil {
			t.Fatal(err)
		}
	}
	message := any(make([]byte, size))
	publish := func() {
		if r, err := h.Publish(hub.Everyone, message); err != nil || r.Delivered+r.Queued != members {
			t.Fatal(r, err)
		}
		for range members {
			<-wrote
		}
	}
	for range 40 { // windows fill up
		publish()
	}
	return testing.AllocsPerRun(100, publish)
}
