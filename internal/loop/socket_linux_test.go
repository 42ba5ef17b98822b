package loop_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/swan-ws/websocket/internal/loop"
)

// pair returns a Socket and its peer.
func pair(t *testing.T) (*loop.Socket, *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	peer, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	s, err := loop.Take(nc.(*net.TCPConn))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		peer.Close()
	})
	return s, peer.(*net.TCPConn)
}

// echo has s send back what comes, and returns a channel that gets the error at the
// end.
func echo(s *loop.Socket) <-chan error {
	end := make(chan error, 1)
	var mu sync.Mutex
	buf := make([]byte, 1000)
	read := func() {
		mu.Lock()
		defer mu.Unlock()
		for {
			n, err := s.TryRead(buf)
			if n > 0 {
				_, err = s.Write(buf[:n])
			}
			if err != nil {
				select {
				case end <- err:
				default:
				}
			}
			if n == 0 || err != nil {
				return
			}
		}
	}
	s.OnReadable(read)
	read() // what came before
	return end
}

func exchange(t *testing.T, peer net.Conn, p []byte) {
	t.Helper()
	go peer.Write(p)
	back := make([]byte, len(p))
	if _, err := io.ReadFull(peer, back); err != nil || !bytes.Equal(back, p) {
		t.Errorf("%d bytes came back otherwise: %v", len(p), err)
	}
}

func TestSocket_CallsBack_WhenThereIsSomethingToRead(t *testing.T) {
	s, peer := pair(t)
	end := echo(s)
	for _, size := range []int{1, 999, 1000, 1001, 1 << 20} {
		exchange(t, peer, bytes.Repeat([]byte("swan"), size)[:size])
	}
	peer.CloseWrite()
	if err := <-end; err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
	if s.RemoteAddr().String() != peer.LocalAddr().String() || s.LocalAddr().String() != peer.RemoteAddr().String() {
		t.Errorf("%v - %v", s.LocalAddr(), s.RemoteAddr())
	}
}

// The end may come with the last bytes, so that there is one event for both.
func TestSocket_SeesTheEnd_ThatCameWithTheLastBytes(t *testing.T) {
	for range 200 {
		s, peer := pair(t)
		peer.Write([]byte("last"))
		peer.Close()
		if err := <-echo(s); err == nil {
			t.Fatal("no end")
		}
		s.Close()
	}
}

func TestSocket_ASlowCallback_HoldsUpNobodyElse(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	for range 2 * runtime.GOMAXPROCS(0) { // on every poller
		s, peer := pair(t)
		came := make(chan struct{}, 100)
		s.OnReadable(func() {
			came <- struct{}{}
			<-release
		})
		peer.Write([]byte("x"))
		<-came
		<-came // the call goes on elsewhere, for those who can read on
	}
	for range 2 * runtime.GOMAXPROCS(0) {
		s, peer := pair(t)
		echo(s)
		exchange(t, peer, []byte("quick"))
	}
}

func TestSocket_ACallbackThatEndsItsGoroutine_HoldsUpNobodyElse(t *testing.T) {
	for range 2 * runtime.GOMAXPROCS(0) {
		s, peer := pair(t)
		s.OnReadable(runtime.Goexit)
		peer.Write([]byte("x"))
	}
	for range 2 * runtime.GOMAXPROCS(0) {
		s, peer := pair(t)
		echo(s)
		exchange(t, peer, []byte("quick"))
	}
}

func TestSocket_Read_WaitsForThePeer_AndItsEnd(t *testing.T) {
	s, peer := pair(t)
	got := make(chan string)
	go func() {
		p, err := io.ReadAll(struct{ io.Reader }{s})
		got <- fmt.Sprintf("%s, %v", p, err)
	}()
	peer.Write([]byte("at "))
	peer.Write([]byte("last"))
	peer.CloseWrite()
	if text := <-got; text != "at last, <nil>" {
		t.Error(text)
	}
	if n, err := s.Read(nil); n != 0 || err != nil {
		t.Errorf("a read of nothing: %d, %v", n, err)
	}
	if err := s.CloseWrite(); err != nil {
		t.Error(err)
	}
	if n, err := peer.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("after CloseWrite: %d, %v", n, err)
	}
}

func TestSocket_TellsWhatTheSystemSays(t *testing.T) {
	s, peer := pair(t)
	peer.SetLinger(0)
	peer.Close() // a reset
	if _, err := s.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read: %v", err)
	}
	if _, err := s.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("write: %v", err)
	}
	if _, err := loop.Take(peer); err == nil {
		t.Error("a closed connection was taken")
	}
}

func TestSocket_Write_WaitsForThePeer(t *testing.T) {
	s, peer := pair(t)
	p := bytes.Repeat([]byte("swan"), 4<<20)
	wrote := make(chan error, 1)
	go func() {
		_, err := s.Write(p)
		wrote <- err
	}()
	got := make([]byte, len(p))
	if _, err := io.ReadFull(peer, got); err != nil || !bytes.Equal(got, p) {
		t.Errorf("%v, or other bytes", err)
	}
	if err := <-wrote; err != nil {
		t.Error(err)
	}
}

// What waits ends with its deadline, with a deadline set meanwhile, and with Close.
func TestSocket_WhatWaits_Ends(t *testing.T) {
	huge := make([]byte, 64<<20)
	for what, wait := range map[string]func(*loop.Socket) error{
		"read":  func(s *loop.Socket) error { _, err := s.Read(huge); return err },
		"write": func(s *loop.Socket) error { _, err := s.Write(huge); return err },
		"both":  func(s *loop.Socket) error { _, err := s.WriteBoth(huge[:1], huge); return err },
	} {
		for _, tc := range []struct {
			name string
			end  func(*loop.Socket)
			want error
		}{
			{"deadline before", func(s *loop.Socket) { s.SetDeadline(time.Now().Add(10 * time.Millisecond)) }, os.ErrDeadlineExceeded},
			{"deadline long ago", func(s *loop.Socket) { s.SetDeadline(time.Unix(1, 0)) }, os.ErrDeadlineExceeded},
			{"close", func(s *loop.Socket) { s.Close() }, net.ErrClosed},
		} {
			t.Run(what+" "+tc.name, func(t *testing.T) {
				s, _ := pair(t)
				err := make(chan error)
				go func() { err <- wait(s) }()
				tc.end(s)
				if got := <-err; !errors.Is(got, tc.want) {
					t.Errorf("%v, want %v", got, tc.want)
				}
			})
		}
	}
}

// However little the peer makes room for, both pieces come whole, one behind the other.
func TestSocket_WriteBoth_WritesBoth(t *testing.T) {
	s, peer := pair(t)
	head, body := bytes.Repeat([]byte("swan"), 1<<18), bytes.Repeat([]byte("lake"), 1<<20)
	wrote := make(chan error, 1)
	go func() {
		n, err := s.WriteBoth(head, body)
		if err == nil && n != len(head)+len(body) {
			err = fmt.Errorf("wrote %d bytes", n)
		}
		wrote <- err
	}()
	got := make([]byte, len(head)+len(body))
	if _, err := io.ReadFull(peer, got); err != nil || !bytes.Equal(got[:len(head)], head) || !bytes.Equal(got[len(head):], body) {
		t.Errorf("other bytes came, %v", err)
	}
	if err := <-wrote; err != nil {
		t.Error(err)
	}
}

func TestSocket_Closed_DoesNothing(t *testing.T) {
	s, _ := pair(t)
	s.Close()
	p := []byte("x")
	_, read := s.TryRead(p)
	_, write := s.Write(p)
	_, both := s.WriteBoth(p, p)
	for what, err := range map[string]error{"read": read, "write": write, "both": both, "close": s.Close(), "half": s.CloseWrite()} {
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if n := s.TryWrite(p); n != 0 {
		t.Errorf("wrote %d", n)
	}
}

// Descriptors are used again at once: nobody may read what is another's.
func TestSocket_ManyComeAndGo(t *testing.T) {
	var all sync.WaitGroup
	for who := range 8 {
		all.Go(func() {
			for turn := range 100 {
				s, peer := pair(t)
				echo(s)
				exchange(t, peer, bytes.Repeat([]byte{byte(who), byte(turn)}, 300))
				if turn%2 == 0 {
					go s.Close()
				}
				peer.Close()
				s.Close()
			}
		})
	}
	all.Wait()
}

func TestSocket_WakesAfter_WhatItWasToldLast(t *testing.T) {
	for _, tc := range []struct {
		name  string
		times []time.Duration
	}{
		{"at once", []time.Duration{0}},
		{"soon", []time.Duration{3 * time.Millisecond}},
		{"sooner than it was told before", []time.Duration{time.Hour, time.Millisecond}},
		{"later than it was told before", []time.Duration{5 * time.Millisecond, 20 * time.Millisecond}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, _ := pair(t)
			woken := make(chan time.Duration, 10)
			var asked time.Time
			for i, d := range tc.times {
				asked = time.Now()
				s.WakeAfter(d, alarm(func() { woken <- tc.times[i] }))
			}
			last := tc.times[len(tc.times)-1]
			if d := <-woken; d != last || time.Since(asked) < last {
				t.Errorf("woken by %v, after %v", d, time.Since(asked))
			}
			s.WakeAfter(time.Millisecond, alarm(func() { woken <- -1 }))
			if d := <-woken; d != -1 {
				t.Errorf("woken once more by %v", d)
			}
		})
	}
}

func TestSocket_IsNotWoken_AfterClose(t *testing.T) {
	closed, _ := pair(t)
	other, _ := pair(t)
	woken := make(chan string, 2)
	closed.WakeAfter(2*time.Millisecond, alarm(func() { woken <- "closed" }))
	closed.Close()
	closed.WakeAfter(0, alarm(func() { woken <- "closed" }))
	other.WakeAfter(10*time.Millisecond, alarm(func() { woken <- "other" }))
	if who := <-woken; who != "other" {
		t.Errorf("the %s one is woken", who)
	}
}
