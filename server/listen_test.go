package server_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/server"
)

func TestServer_TellsThePortItGot(t *testing.T) {
	srv := &server.Server{Addr: "127.0.0.1:0", Handler: echo(), Logger: quiet()}
	addr, err := srv.Listen()
	if err != nil || addr.(*net.TCPAddr).Port == 0 {
		t.Fatalf("Listen: %v, %v", addr, err)
	}
	again, err := srv.Listen()
	if err != nil || again.String() != addr.String() {
		t.Errorf("again: %v, %v", again, err)
	}
	runOn(t, srv, srv.ListenAndServe)
	c, _, err := client.Dial(t.Context(), "ws://"+addr.String(), &client.Options{Proxy: noProxy})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	roundTrip(t, c, "found")
	if again, err := srv.Listen(); err != nil || again.String() != addr.String() {
		t.Errorf("while serving: %v, %v", again, err)
	}
}

// Whoever comes first, there is one port.
func TestServer_ListensOnce_HoweverManyAsk(t *testing.T) {
	srv := &server.Server{Addr: "127.0.0.1:0", Handler: echo(), Logger: quiet()}
	runOn(t, srv, srv.ListenAndServe)
	var ask sync.WaitGroup
	addrs := make(chan string, 10)
	for range cap(addrs) {
		ask.Go(func() {
			addr, err := srv.Listen()
			if err != nil {
				t.Error(err)
				return
			}
			addrs <- addr.String()
		})
	}
	ask.Wait()
	first := <-addrs
	for range cap(addrs) - 1 {
		if addr := <-addrs; addr != first {
			t.Errorf("%s and %s", first, addr)
		}
	}
}

func TestServer_ListenTellsOfAPortThatIsTaken(t *testing.T) {
	taken := listenTCP(t)
	defer taken.Close()
	srv := &server.Server{Addr: taken.Addr().String()}
	if addr, err := srv.Listen(); !errors.Is(err, syscall.EADDRINUSE) || addr != nil {
		t.Errorf("got %v, %v", addr, err)
	}
}

func TestServer_FreesThePortThatNobodyServed(t *testing.T) {
	for name, stop := range map[string]func(*server.Server) error{
		"Close":    (*server.Server).Close,
		"Shutdown": func(s *server.Server) error { return s.Shutdown(t.Context()) },
	} {
		srv := &server.Server{Addr: "127.0.0.1:0"}
		addr, err := srv.Listen()
		if err != nil {
			t.Fatal(err)
		}
		if err := stop(srv); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		l, err := net.Listen("tcp", addr.String())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		l.Close()
		if _, err := srv.Listen(); err != http.ErrServerClosed {
			t.Errorf("%s: Listen after it: %v", name, err)
		}
	}
}

func TestServer_ListensAnew_AfterItCouldNotServe(t *testing.T) {
	srv := &server.Server{Addr: "127.0.0.1:0", Handler: echo(), Logger: quiet()}
	if err := srv.ListenAndServeTLS("no such file", "nor this"); err == nil {
		t.Fatal("served without a certificate")
	}
	runOn(t, srv, srv.ListenAndServe)
	addr, err := srv.Listen()
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := client.Dial(t.Context(), "ws://"+addr.String(), &client.Options{Proxy: noProxy})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	roundTrip(t, c, "x")
}

func TestServer_TellsItsName(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("/", echo())
	mux.HandleFunc("/page", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "page") })
	for _, name := range []string{"Swan Lake/1.0", ""} {
		l := run(t, &server.Server{Handler: mux, Name: name, MaxURIBytes: 100, Logger: quiet()})
		for what, req := range map[string]string{
			"an acceptance": request(),
			"a refusal":     request("Origin: http://evil.test"),
			"a long URI":    strings.Replace(request(), "GET /", "GET /"+strings.Repeat("x", 100), 1),
			"a page":        "GET /page HTTP/1.1\r\nHost: example.test\r\n\r\n",
		} {
			nc := rawDial(t, l)
			send(t, nc, req)
			head := receiveHead(t, nc)
			if has := strings.Contains(head, "\r\nServer: "+name+"\r\n"); has != (name != "") {
				t.Errorf("%q, %s: %q", name, what, head)
			}
		}
	}
}

// A process that has no file left to open for the next connection waits until it
// has one, and does not spend its time on trying.
func TestServer_DoesNotSpin_WhenFilesRunOut(t *testing.T) {
	for _, scarce := range []error{
		&net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)},
		&net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.ENFILE)},
	} {
		for _, limit := range []int{0, 1} { // which has a listener of its own
			synctest.Test(t, func(t *testing.T) {
				log, book := logbook()
				l := &scarceListener{pipes: listenPipes(), err: scarce, until: time.Now().Add(time.Minute)}
				srv := &server.Server{Handler: echo(), MaxConnsPerAddr: limit, Logger: log}
				runOn(t, srv, func() error { return srv.Serve(l) })
				<-time.After(time.Minute)
				if n := l.calls.Load(); n < 30 || n > 80 { // in pauses that double up to a second
					t.Errorf("%v: tried %d times in a minute", scarce, n)
				}
				c := dial(t, l.pipes, nil)
				roundTrip(t, c, "served at last")
				c.CloseNow()
				if lines := book.lines(); !strings.Contains(lines[0], "accept") {
					t.Errorf("the log has %.500q", lines)
				}
			})
		}
	}
}

// scarceListener fails for some time.
type scarceListener struct {
	*pipes
	err   error
	until time.Time
	calls atomic.Int32
}

func (l *scarceListener) Accept() (net.Conn, error) {
	l.calls.Add(1)
	if time.Now().Before(l.until) {
		return nil, l.err
	}
	return l.pipes.Accept()
}
