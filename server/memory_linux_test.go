package server_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/server"
)

// What is counted: what the heap holds for a connection that has answered a message and
// waits for the next, its goroutine included but for the stack, and the stacks, which must
// not have had to grow: they begin with 2 KiB.
// The clients are bare descriptors.
func TestMemory_AConnectionThatWaits_HoldsLittle(t *testing.T) {
	if raceEnabled {
		t.Skip("which has memory of its own")
	}
	for _, tc := range []struct {
		name         string
		handler      http.Handler
		heap, stacks int64
	}{
		{"accept", http.HandlerFunc(echoOn), 1700, 2700},
		{"read", http.HandlerFunc(readOn), 1700, 2700},
		{"service", echoing(false), 1800, 2700},
		{"reply", sendingBack(), 1800, 2700},
		{"event loop", echoing(true), 900, 500},
	} {
		t.Run(tc.name, func(t *testing.T) {
			heap, stacks := costOfWaiting(t, tc.handler, 1000)
			t.Logf("a connection: %d bytes of heap, %d of stacks", heap, stacks)
			if !strings.HasPrefix(runtime.Version(), "go1.26") || testing.CoverMode() != "" {
				tc.stacks = 5000 // other compilers have other frames: they may need twice as much
			}
			if heap > tc.heap || stacks > tc.stacks {
				t.Errorf("a connection holds %d bytes of heap, %d allowed, and %d of stacks, %d allowed", heap, tc.heap, stacks, tc.stacks)
			}
		})
	}
}

func echoing(inLoop bool) http.Handler {
	return &server.Service{
		EventLoop: inLoop,
		OnMessage: func(c *conn.Conn, m conn.Message) (any, error) {
			return nil, c.Write(context.Background(), m.Type, m.Data)
		},
	}
}

func echoOn(w http.ResponseWriter, r *http.Request) {
	c, err := server.Accept(w, r, nil)
	if err != nil {
		return
	}
	go func() {
		defer c.CloseNow()
		for m, err := range c.Messages(context.Background()) {
			if err != nil || c.Write(context.Background(), m.Type, m.Data) != nil {
				return
			}
		}
	}()
}

func sendingBack() http.Handler {
	return &server.Service{OnMessage: func(_ *conn.Conn, m conn.Message) (any, error) { return m, nil }}
}

func readOn(w http.ResponseWriter, r *http.Request) {
	c, err := server.Accept(w, r, nil)
	if err != nil {
		return
	}
	go func() {
		defer c.CloseNow()
		for {
			m, err := c.Read(context.Background())
			if err != nil || c.Write(context.Background(), m.Type, m.Data) != nil {
				return
			}
		}
	}()
}

// costOfWaiting returns what each of so many connections costs.
func costOfWaiting(t *testing.T, h http.Handler, conns int64) (heap, stacks int64) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server.Server{Handler: h}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	defer func() { s.Close(); <-served }()
	at := syscall.SockaddrInet4{Port: l.Addr().(*net.TCPAddr).Port, Addr: [4]byte{127, 0, 0, 1}}

	clients := make([]int, 0, 2*conns)
	defer func() {
		for _, fd := range clients {
			syscall.Close(fd)
		}
	}()
	dial := func(n int64) {
		for range n {
			clients = append(clients, exchange(t, &at))
		}
	}
	dial(conns / 4) // what all connections share is made
	heapBefore, stacksBefore := inUse(t)
	dial(conns)
	heapAfter, stacksAfter := inUse(t)
	return (heapAfter - heapBefore) / conns, (stacksAfter - stacksBefore) / conns
}

// exchange opens a connection and has a message of it echoed.
func exchange(t *testing.T, at syscall.Sockaddr) (fd int) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Connect(fd, at); err != nil {
		t.Fatal(err)
	}
	var in [512]byte
	for _, out := range []string{
		"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
		"\x82\x85\x00\x00\x00\x00hello",
	} {
		if _, err := io.WriteString(descriptor(fd), out); err != nil {
			t.Fatal(err)
		}
		if n, err := syscall.Read(fd, in[:]); err != nil || n < 7 {
			t.Fatal(n, err)
		}
	}
	return fd
}

type descriptor int

func (fd descriptor) Write(p []byte) (int, error) { return syscall.Write(int(fd), p) }

// inUse returns what the heap and the stacks take, once net/http's goroutines are gone.
func inUse(t *testing.T) (heap, stacks int64) {
	before := 0
	eventually(t, func() (bool, string) {
		<-time.After(20 * time.Millisecond)
		n := runtime.NumGoroutine()
		same := n == before
		before = n
		return same, ""
	})
	debug.FreeOSMemory()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc), int64(m.StackInuse)
}
