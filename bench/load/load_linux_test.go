package load

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/swan-ws/websocket"
	"github.com/swan-ws/websocket/bench"
)

// serve returns the address of a server that answers each message with what answer
// makes of it.
func serve(t *testing.T, answer func(websocket.Message) []websocket.Message) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		for m, err := range c.Messages(context.Background()) {
			if err != nil {
				return
			}
			for _, m := range answer(m) {
				c.Write(context.Background(), m.Type, m.Data)
			}
		}
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func once(m websocket.Message) []websocket.Message { return []websocket.Message{m} }

func TestRun_EndsAfterSoManyMessages(t *testing.T) {
	addr := serve(t, once)
	for _, c := range []struct {
		name string
		s    bench.Scenario
		n    int
	}{
		{"fewer than connections", bench.Scenario{Kind: bench.Echo, Conns: 4, Size: 10, Flight: 1, Deflate: bench.Off}, 3},
		{"in flights", bench.Scenario{Kind: bench.Echo, Conns: 3, Size: 300, Flight: 7, Deflate: bench.Off}, 1000},
		{"large", bench.Scenario{Kind: bench.Echo, Conns: 2, Size: 1 << 20, Flight: 2, Deflate: bench.Off}, 9},
		{"compressed", bench.Scenario{Kind: bench.Echo, Conns: 2, Size: 1000, Flight: 3, Deflate: bench.NoTakeover}, 1500},
		{"handshakes", bench.Scenario{Kind: bench.Dial, Conns: 4, Deflate: bench.Off}, 21},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := New(addr, c.s)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			for range 2 {
				if count, err := l.Run(Limit{Messages: c.n}); err != nil || count.Messages != c.n || count.Bytes < c.n {
					t.Errorf("got %+v and %v, want %d messages", count, err, c.n)
				}
			}
		})
	}
}

func TestRun_Idle_SendsOneMessageOnEachConnection(t *testing.T) {
	l, err := New(serve(t, once), bench.Scenario{Kind: bench.Idle, Conns: 25, Size: 40, Flight: 1, Deflate: bench.Off})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if count, err := l.Run(Limit{}); err != nil || count.Messages != 25 {
		t.Errorf("got %+v and %v, want 25 messages", count, err)
	}
}

func TestRun_NoticesWhatIsNoEcho(t *testing.T) {
	s := bench.Scenario{Kind: bench.Echo, Conns: 1, Size: 40, Flight: 1, Deflate: bench.Off}
	l, err := New(serve(t, func(m websocket.Message) []websocket.Message {
		return []websocket.Message{{Type: m.Type, Data: m.Data[1:]}}
	}), s)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := l.Run(Limit{Messages: 1}); err == nil || !strings.Contains(err.Error(), "39 bytes came back, not of 40") {
		t.Errorf("the error is %v", err)
	}
}

func TestNew_StaysOnThisMachine(t *testing.T) {
	for _, addr := range []string{"192.0.2.1:80", "[::1]:80", "localhost:80"} {
		if l, err := New(addr, bench.Scenarios[0]); err == nil {
			l.Close()
			t.Errorf("New connects to %s", addr)
		}
	}
}

func TestNew_SaysWhichConnectionFailed(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	_, err := New(s.Listener.Addr().String(), bench.Scenarios[0])
	if err == nil || !strings.Contains(err.Error(), "connection 1 of 64") || !strings.Contains(err.Error(), "404") {
		t.Errorf("the error is %v", err)
	}
}
