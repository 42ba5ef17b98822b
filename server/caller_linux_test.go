package server_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/server"
)

// The ways in which handshakes come to a server that has nothing but an event loop: the
// first are answered where they are read, the others elsewhere, for they may take time.
var inLoop = map[string]func(s *server.Service){
	"plain": func(*server.Service) {},
	"check": func(s *server.Service) { s.Check = func(*http.Request) error { return nil } },
	"open":  func(s *server.Service) { s.OnOpen = func(*conn.Conn, *http.Request) error { return nil } },
}

// listenInLoop runs f with a server of each kind, which set may change, and with how to
// connect to it.
func listenInLoop(t *testing.T, set func(srv *server.Server, s *server.Service), f func(t *testing.T, srv *server.Server, open func() net.Conn)) {
	for name, kind := range inLoop {
		t.Run(name, func(t *testing.T) {
			s := echo()
			s.EventLoop = true
			kind(s)
			srv := &server.Server{Addr: "127.0.0.1:0", Handler: s, Logger: quiet()}
			if set != nil {
				set(srv, s)
			}
			at, err := srv.Listen()
			if err != nil {
				t.Fatal(err)
			}
			runOn(t, srv, srv.ListenAndServe)
			f(t, srv, func() net.Conn { return dialTCP(t, at) })
		})
	}
}

func TestEventLoop_TakesHandshakes_HoweverTheyCome(t *testing.T) {
	listenInLoop(t, nil, func(t *testing.T, _ *server.Server, open func() net.Conn) {
		text := request()
		for name, pieces := range map[string][]string{
			"at once":         {text + frameX},
			"before a frame":  {text, frameX},
			"byte by byte":    strings.SplitAfter(text+frameX, ""),
			"in the middle":   {text[:len(text)/2], text[len(text)/2:] + frameX},
			"too long for us": {request("X-Long: "+strings.Repeat("x", 5000)) + frameX},
		} {
			t.Run(name, func(t *testing.T) {
				nc := open()
				for _, p := range pieces {
					send(t, nc, p)
					runtime.Gosched()
				}
				receiveHead(t, nc)
				expect(t, nc, echoX)
				send(t, nc, frameX)
				expect(t, nc, echoX)
			})
		}
	})
}

func TestEventLoop_ManyCallAtOnce(t *testing.T) {
	listenInLoop(t, nil, func(t *testing.T, srv *server.Server, open func() net.Conn) {
		var calls sync.WaitGroup
		for range 50 {
			nc := open()
			calls.Go(func() {
				defer nc.Close()
				for _, text := range []string{request(), frameX} {
					if _, err := io.WriteString(nc, text); err != nil {
						t.Error(err)
					}
				}
				r := bufio.NewReader(nc)
				resp, err := http.ReadResponse(r, nil)
				if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
					t.Error(resp, err)
					return
				}
				got := make([]byte, len(echoX))
				if _, err := io.ReadFull(r, got); err != nil || string(got) != string(echoX) {
					t.Errorf("% x, %v", got, err)
				}
			})
		}
		calls.Wait()
		eventually(t, func() (bool, string) {
			<-time.After(10 * time.Millisecond)
			n := srv.Conns().Len()
			return n == 0, fmt.Sprint(n, " connections are left")
		})
	})
}

func TestEventLoop_AnswersPagesToo(t *testing.T) {
	listenInLoop(t, nil, func(t *testing.T, _ *server.Server, open func() net.Conn) {
		nc := open()
		send(t, nc, "GET / HTTP/1.1\r\nHost: example.test\r\n\r\n")
		if resp, _ := receive(t, nc); resp.StatusCode != http.StatusUpgradeRequired {
			t.Errorf("%s", resp.Status)
		}
		nc = open()
		send(t, nc, "nonsense\r\n\r\n")
		if resp, _ := receive(t, nc); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s", resp.Status)
		}
	})
}

// Who says nothing, or begins and does not go on, is cut, and takes no goroutine before
// that.
func TestEventLoop_CutsWhoDoesNotAsk(t *testing.T) {
	const limit = 200 * time.Millisecond
	set := func(srv *server.Server, _ *server.Service) { srv.HandshakeTimeout = limit }
	listenInLoop(t, set, func(t *testing.T, _ *server.Server, open func() net.Conn) {
		before := runtime.NumGoroutine()
		begin := time.Now()
		var silent []net.Conn
		for range 20 {
			silent = append(silent, open())
		}
		if n := runtime.NumGoroutine() - before; n > 10 {
			t.Errorf("%d goroutines for those who say nothing", n)
		}
		halting := open()
		send(t, halting, request()[:20])
		for _, nc := range silent {
			if n, err := nc.Read(make([]byte, 1)); n != 0 || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%d, %v", n, err)
			}
		}
		if took := time.Since(begin); took < limit {
			t.Errorf("cut after %v", took)
		}
		if _, err := io.Copy(io.Discard, halting); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
	})
}

func TestEventLoop_ShutdownAndClose_EndWhoHasNotAsked(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, srv *server.Server) error{
		"Shutdown": func(t *testing.T, srv *server.Server) error { return srv.Shutdown(t.Context()) },
		"Close":    func(_ *testing.T, srv *server.Server) error { return srv.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			listenInLoop(t, nil, func(t *testing.T, srv *server.Server, open func() net.Conn) {
				silent, halting := open(), open()
				send(t, halting, request()[:20])
				if err := end(t, srv); err != nil {
					t.Error(err)
				}
				for _, nc := range []net.Conn{silent, halting} {
					if _, err := io.Copy(io.Discard, nc); errors.Is(err, os.ErrDeadlineExceeded) {
						t.Error(err)
					}
				}
			})
		})
	}
}

func TestEventLoop_CountsAddresses(t *testing.T) {
	set := func(srv *server.Server, _ *server.Service) { srv.MaxConnsPerAddr = 2 }
	listenInLoop(t, set, func(t *testing.T, srv *server.Server, open func() net.Conn) {
		status := func(nc net.Conn, text string) int {
			send(t, nc, text)
			resp, err := http.ReadResponse(bufio.NewReader(nc), nil)
			if err != nil {
				t.Fatal(err)
			}
			return resp.StatusCode
		}
		long := request("X-Long: " + strings.Repeat("x", 5000)) // that is net/http's
		for range 3 {
			first, second, third, fourth := open(), open(), open(), open()
			if got := status(first, request()); got != http.StatusSwitchingProtocols {
				t.Error("the first gets", got)
			}
			if got := status(second, long); got != http.StatusSwitchingProtocols {
				t.Error("the second gets", got)
			}
			if got := status(third, request()); got != http.StatusTooManyRequests {
				t.Error("the third gets", got)
			}
			if got := status(fourth, long); got != http.StatusTooManyRequests {
				t.Error("the fourth gets", got)
			}
			for _, nc := range []net.Conn{first, second, third, fourth} {
				nc.Close()
			}
			eventually(t, func() (bool, string) {
				<-time.After(10 * time.Millisecond)
				nc := open()
				defer nc.Close()
				got := status(nc, request())
				return got == http.StatusSwitchingProtocols && srv.Conns().Len() <= 1, fmt.Sprint(got)
			})
			eventually(t, func() (bool, string) {
				<-time.After(10 * time.Millisecond)
				n := srv.Conns().Len()
				return n == 0, fmt.Sprint(n)
			})
		}
	})
}

// A listener of all addresses leaves it to each connection which one it came to.
func TestEventLoop_KnowsWhoCameWhere(t *testing.T) {
	for _, host := range []string{"", "127.0.0.1", "[::1]"} {
		for _, to := range []string{"127.0.0.1", "[::1]"} {
			if host != "" && host != to {
				continue
			}
			t.Run(host+" "+to, func(t *testing.T) {
				s := &server.Service{EventLoop: true, Logger: quiet(), OnText: func(c *conn.Conn, _ conn.Message) (any, error) {
					return fmt.Sprint(c.LocalAddr(), " ", c.RemoteAddr()), nil
				}}
				srv := &server.Server{Addr: host + ":0", Handler: s, Logger: quiet()}
				at, err := srv.Listen()
				if err != nil {
					t.Skip("there is no such address here: ", err)
				}
				runOn(t, srv, srv.ListenAndServe)
				_, port, _ := net.SplitHostPort(at.String())
				nc, err := net.Dial("tcp", to+":"+port)
				if err != nil {
					t.Skip("there is no such address here: ", err)
				}
				defer nc.Close()
				nc.SetDeadline(time.Now().Add(patience))
				send(t, nc, request()+frameX)
				receiveHead(t, nc)
				want := fmt.Sprint(nc.RemoteAddr(), " ", nc.LocalAddr())
				expect(t, nc, append([]byte{0x81, byte(len(want))}, want...))
			})
		}
	}
}

// There are no descriptors left over.
func TestEventLoop_GivesDescriptorsBack(t *testing.T) {
	listenInLoop(t, nil, func(t *testing.T, srv *server.Server, open func() net.Conn) {
		round := func() {
			asked, silent, page := open(), open(), open()
			send(t, asked, request())
			receiveHead(t, asked)
			send(t, page, "GET / HTTP/1.1\r\nHost: example.test\r\nConnection: close\r\n\r\n")
			receive(t, page)
			for _, nc := range []net.Conn{asked, silent, page} {
				nc.Close()
			}
		}
		round()
		before := descriptors(t)
		for range 20 {
			round()
		}
		eventually(t, func() (bool, string) {
			<-time.After(10 * time.Millisecond)
			n := descriptors(t)
			return n <= before, fmt.Sprint(n, " descriptors, ", before, " before")
		})
	})
}

func descriptors(t *testing.T) int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// Whoever has asked and gone is still known by his address, which the system forgets.
func TestEventLoop_KnowsWhoHasAsked_AndGone(t *testing.T) {
	for _, in := range []bool{false, true} {
		t.Run(fmt.Sprint(in), func(t *testing.T) {
			log, book := logbook()
			srv := &server.Server{Addr: "127.0.0.1:0", Logger: quiet(), Handler: &server.Service{EventLoop: in, Logger: log}}
			at, err := srv.Listen()
			if err != nil {
				t.Fatal(err)
			}
			nc, err := net.Dial("tcp", at.String())
			if err != nil {
				t.Fatal(err)
			}
			send(t, nc, "GET / HTTP/1.1\r\nHost: example.test\r\n\r\n")
			nc.(*net.TCPConn).SetLinger(0)
			nc.Close()
			runOn(t, srv, srv.ListenAndServe)
			want := "remote=" + nc.LocalAddr().String()
			eventually(t, func() (bool, string) {
				<-time.After(10 * time.Millisecond)
				got := strings.Join(book.lines(), "\n")
				return strings.Contains(got, want), fmt.Sprintf("want %q, the log has %q", want, got)
			})
		})
	}
}

// Whoever is there before he is accepted is answered by who accepts, whom no callback
// may hold up: not even when the first read ends where the frames begin.
func TestEventLoop_AFrameThatCameBeforeTheAnswer_HoldsUpNobodyElse(t *testing.T) {
	const firstRead = 4 << 10
	s, release := echo(), make(chan struct{})
	s.EventLoop = true
	waitWhenTold(s, release)
	srv := &server.Server{Addr: "127.0.0.1:0", Handler: s, Logger: quiet()}
	at, err := srv.Listen()
	if err != nil {
		t.Fatal(err)
	}
	first := dialTCP(t, at) // nobody accepts yet
	pad := firstRead - len(request("X-Pad: "))
	send(t, first, request("X-Pad: "+strings.Repeat("x", pad))+"\x81\x84\x00\x00\x00\x00wait")
	runOn(t, srv, srv.ListenAndServe)
	receiveHead(t, first)
	second := dialTCP(t, at)
	send(t, second, request())
	receiveHead(t, second)
	close(release)
	expect(t, first, []byte("\x81\x04wait"))
}
