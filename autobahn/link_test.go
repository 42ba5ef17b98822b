package autobahn_test

import (
	"cmp"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/swan-ws/websocket/autobahn"
)

// runClient has a client run cases, some at once, of a fuzzing server that listens
// on l and is to be found at address. echo is told where a case is, without the
// scheme.
func runClient(t *testing.T, l net.Listener, address string, o autobahn.Options, echo func(at string)) []autobahn.Result {
	const agent = "client"
	done := make(chan bool, len(o.Cases))
	o.OnResult = func(autobahn.Result) { done <- true }
	server := &autobahn.FuzzingServer{Options: o}
	var serving, clients sync.WaitGroup
	serving.Go(func() { server.Serve(l) })
	slots := make(chan bool, cmp.Or(o.Parallel, clientCases))
	for _, c := range o.Cases {
		slots <- true
		clients.Go(func() {
			echo(address + "/runCase?" + url.Values{"casetuple": {c.ID}, "agent": {agent}}.Encode())
			<-slots
		})
	}
	clients.Wait()
	late := time.After(patience)
	for n := range o.Cases {
		select {
		case <-done:
		case <-late:
			t.Errorf("%d of %d cases have no result", len(o.Cases)-n, len(o.Cases))
		}
	}
	results := server.Results(agent)
	server.Close()
	serving.Wait()
	return results
}

const (
	clientCases = 16 // at once, unless Options.Parallel says
	patience    = 20 * time.Second
)

// choppedConn reads and writes one octet at a time.
type choppedConn struct{ net.Conn }

func chop(nc net.Conn) net.Conn { return choppedConn{nc} }

func (c choppedConn) Read(p []byte) (int, error) { return c.Conn.Read(p[:min(len(p), 1)]) }

func (c choppedConn) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var one int
		one, err = c.Conn.Write(p[n : n+1])
		n += one
	}
	return n, err
}

// CloseWrite is there as in the connection below.
func (c choppedConn) CloseWrite() error { return c.Conn.(*net.TCPConn).CloseWrite() }

// choppedListener chops what it accepts.
type choppedListener struct{ net.Listener }

func (l choppedListener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return chop(nc), nil
}

// proxy returns the address of a proxy that hands on octets to another address
// and back, and each end of them by itself, as proxies of TCP do.
func proxy(t *testing.T, to string) string {
	l := listen(t)
	var conns sync.WaitGroup
	during(t, l.Close, func() error {
		for {
			here, err := l.Accept()
			if err != nil {
				conns.Wait()
				return err
			}
			conns.Go(func() { join(here, to) })
		}
	})
	return l.Addr().String()
}

func join(here net.Conn, to string) {
	defer here.Close()
	there, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer there.Close()
	var ways sync.WaitGroup
	for _, way := range [][2]net.Conn{{here, there}, {there, here}} {
		ways.Go(func() {
			io.Copy(way[0], way[1])
			way[0].(*net.TCPConn).CloseWrite()
		})
	}
	ways.Wait()
}
