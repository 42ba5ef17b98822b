package server_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/server"
)

// alone is set in the processes in which the memory is measured, one for each case, so
// that nothing is there of what other tests have left. Goroutines begin with 2 KiB of
// stack in them, whatever others have used.
const alone = "WEBSOCKET_TEST_ALONE"

// What is counted: what the heap holds for a connection that has answered a message and
// waits for the next, its goroutine included but for the stack, and the stacks, which
// need not have grown. The clients are bare descriptors.
func TestMemory_AConnectionThatWaits_HoldsLittle(t *testing.T) {
	if raceEnabled {
		t.Skip("which has memory of its own")
	}
	// Goroutines begin with what they use on the average, and 928 more, rounded up to a
	// power of two: beyond this the next ones would have 4 KiB.
	mostUsed, mostStack := int64(2048-928), int64(2700)
	if !strings.HasPrefix(runtime.Version(), "go1.26") || testing.CoverMode() != "" {
		mostUsed, mostStack = 2*mostUsed, 2*mostStack // other compilers have other frames
	}
	for _, tc := range []struct {
		name         string
		handler      http.Handler
		heap, stacks int64
	}{
		{"accept", http.HandlerFunc(echoOn), 1700, mostStack},
		{"read", http.HandlerFunc(readOn), 1700, mostStack},
		{"service", echoing(false), 2000, mostStack},
		{"reply", sendingBack(), 2000, mostStack},
		{"loop", echoing(true), 900, 500},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if os.Getenv(alone) == "" {
				repeatAlone(t)
				return
			}
			heap, stacks, used := costOfWaiting(t, tc.handler, 1000)
			t.Logf("a connection: %d bytes of heap, %d of stacks, of which it uses %d", heap, stacks, used)
			if heap > tc.heap || stacks > tc.stacks || used > mostUsed {
				t.Errorf("at the most %d of heap, %d of stacks and %d used are allowed", tc.heap, tc.stacks, mostUsed)
			}
		})
	}
}

// repeatAlone runs the test in a process of its own.
func repeatAlone(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.v", "-test.run=^"+strings.ReplaceAll(t.Name(), "/", "$/^")+"$")
	cmd.Env = append(os.Environ(), alone+"=1", "GODEBUG=adaptivestackstart=0")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "bytes of heap") {
		t.Errorf("%v:\n%s", err, out)
	}
	t.Logf("%s", out)
}

func echoing(inLoop bool) http.Handler {
	return &server.Service{
		EventLoop: inLoop,
		OnMessage: func(c *conn.Conn, m conn.Message) (any, error) { return nil, writeBack(c, m) },
	}
}

// writeBack has the callback need some stack for itself.
//
//go:noinline
func writeBack(c *conn.Conn, m conn.Message) error {
	return c.Write(context.Background(), m.Type, m.Data)
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
func costOfWaiting(t *testing.T, h http.Handler, conns int64) (heap, stacks, used int64) {
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
	heapBefore, stacksBefore, usedBefore := inUse(t)
	dial(conns)
	heap, stacks, used = inUse(t)
	return (heap - heapBefore) / conns, (stacks - stacksBefore) / conns, (used - usedBefore) / conns
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

// inUse returns what the heap and the stacks take, and what of the stacks is used, once
// net/http's goroutines are gone.
func inUse(t *testing.T) (heap, stacks, used int64) {
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
	scanned := []metrics.Sample{{Name: "/gc/scan/stack:bytes"}}
	metrics.Read(scanned)
	return int64(m.HeapAlloc), int64(m.StackInuse), int64(scanned[0].Value.Uint64())
}
