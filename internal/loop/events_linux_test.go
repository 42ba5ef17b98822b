package loop_test

import (
	"runtime"
	"syscall"
	"testing"
)

// A read stops short at urgent data, though there is more behind it.
func TestSocket_ReadsOn_BehindUrgentData(t *testing.T) {
	for range 20 {
		s, peer := pair(t)
		raw, err := peer.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		if err := raw.Control(func(fd uintptr) {
			for _, part := range []struct {
				p     string
				flags int
			}{{"before", 0}, {"!", syscall.MSG_OOB}, {"behind", 0}} {
				if err := syscall.Sendto(int(fd), []byte(part.p), part.flags, nil); err != nil {
					t.Error(err)
				}
			}
		}); err != nil {
			t.Fatal(err)
		}
		got := make(chan byte, 100)
		reading := make(chan struct{}, 1)
		read := func() {
			reading <- struct{}{}
			defer func() { <-reading }()
			p := make([]byte, 100)
			for {
				n, err := s.TryRead(p)
				for _, b := range p[:n] {
					got <- b
				}
				if n == 0 || err != nil {
					return
				}
			}
		}
		s.OnReadable(read)
		read()
		for range "beforebehind" {
			<-got
		}
	}
}

// What had come before a callback began to wait for the peer is there for others to
// read, without an event of its own.
func TestSocket_ACallbackThatWaitsForThePeer_IsCalledAgain(t *testing.T) {
	for range 2 * runtime.GOMAXPROCS(0) {
		s, peer := pair(t)
		came := make(chan struct{}, 100)
		wrote := make(chan error, 100)
		s.OnReadable(func() {
			came <- struct{}{}
			if len(came) == 1 {
				_, err := s.Write(make([]byte, 64<<20))
				wrote <- err
			}
		})
		peer.Write([]byte("x"))
		for len(came) < 2 {
			runtime.Gosched()
		}
		s.Close()
		if err := <-wrote; err == nil {
			t.Error("the peer has taken it all")
		}
	}
}
