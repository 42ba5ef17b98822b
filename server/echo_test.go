package server_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
	"github.com/swan-ws/websocket/server"
)

// overTCP serves h on a port of this machine, with TLS or without, and returns
// how to dial it.
func overTCP(t testing.TB, h http.Handler, secure bool) func() (*conn.Conn, error) {
	srv := &server.Server{Handler: h, Logger: quiet()}
	o := &client.Options{Proxy: noProxy, Conn: conn.Options{MaxMessage: 4 << 20}}
	l := listenTCP(t)
	scheme := "ws://"
	if secure {
		scheme = "wss://"
		cert, roots := certificate(t)
		srv.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
		o.TLSConfig = &tls.Config{RootCAs: roots}
		runOn(t, srv, func() error { return srv.ServeTLS(l, "", "") })
	} else {
		runOn(t, srv, func() error { return srv.Serve(l) })
	}
	return func() (*conn.Conn, error) {
		c, _, err := client.Dial(t.Context(), scheme+l.Addr().String()+"/", o)
		return c, err
	}
}

func TestEndToEnd_BothSidesKnowWhetherTheyAreSecure(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("tls=%v", secure), func(t *testing.T) {
			s := &server.Service{
				OnText: func(c *conn.Conn, _ conn.Message) (any, error) { return c.Secure(), nil },
				Logger: quiet(),
			}
			c := mustDial(t, overTCP(t, s, secure))
			say(t, c, "secure?")
			wantHeard(t, c, fmt.Sprintf("text %v", secure))
			if c.Secure() != secure {
				t.Errorf("the client says %v", c.Secure())
			}
		})
	}
}

var messageSizes = []int{0, 1, 2, 7, 8, 125, 126, 127, 4095, 4096, 4097, 16383, 16384, 16385, 65535, 65536, 65537, 1 << 20, 3<<20 + 1}

// Messages of every length encoding, and of the sizes at which buffers change,
// arrive whole both ways.
func TestEndToEnd_EchoesEverySize(t *testing.T) {
	for _, secure := range []bool{false, true} {
		for _, kind := range []conn.MessageType{conn.Text, conn.Binary} {
			t.Run(fmt.Sprintf("%v/tls=%v", kind, secure), func(t *testing.T) {
				s := echo()
				s.Conn.MaxMessage = 4 << 20
				dial := overTCP(t, s, secure)
				c, err := dial()
				if err != nil {
					t.Fatal(err)
				}
				for _, size := range messageSizes {
					echoOne(t, c, kind, payload(kind, size))
				}
				if err := c.Close(1000, ""); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// payload is text or bytes that differ from place to place.
func payload(kind conn.MessageType, size int) []byte {
	p := bytes.Repeat([]byte("0123456789 swan "), size/16+1)[:size]
	if kind == conn.Binary {
		for i := range p {
			p[i] = byte(i * 7)
		}
	}
	return p
}

func echoOne(t *testing.T, c *conn.Conn, kind conn.MessageType, p []byte) {
	t.Helper()
	wrote := make(chan error, 1)
	go func() { wrote <- c.Write(t.Context(), kind, p) }()
	m, err := c.Read(t.Context())
	if err != nil || m.Type != kind || !bytes.Equal(m.Data, p) {
		t.Fatalf("%d bytes came back as %v message of %d, %v", len(p), m.Type, len(m.Data), err)
	}
	if err := <-wrote; err != nil {
		t.Fatal(err)
	}
}

// The same with the server as the one who begins.
func TestEndToEnd_ServerMayBegin(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("tls=%v", secure), func(t *testing.T) {
			result := make(chan struct{})
			dial := overTCP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer close(result)
				c, err := server.Accept(w, r, &server.Options{Conn: conn.Options{MaxMessage: 4 << 20}})
				if err != nil {
					t.Error(err)
					return
				}
				for _, size := range messageSizes {
					echoOne(t, c, conn.Binary, payload(conn.Binary, size))
				}
				c.Close(1000, "")
			}), secure)
			c, err := dial()
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseNow()
			for m, err := range c.Messages(t.Context()) {
				if err != nil {
					if conn.CloseStatus(err) != 1000 {
						t.Error(err)
					}
					break
				}
				c.Write(t.Context(), m.Type, m.Data)
			}
			<-result
		})
	}
}

var sendableCodes = []frame.CloseCode{1000, 1001, 1002, 1003, 1005, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999}

// Either side's code and reason reach the other, who confirms them.
func TestEndToEnd_CloseCodesArrive(t *testing.T) {
	for _, secure := range []bool{false, true} {
		closed := make(chan error, 1)
		dial := overTCP(t, &server.Service{
			OnBinary: func(c *conn.Conn, m conn.Message) (any, error) {
				code := frame.CloseCode(m.Data[0])<<8 | frame.CloseCode(m.Data[1])
				return server.CloseFrame{Code: code, Reason: "of the server"}, nil
			},
			OnClose: func(_ *conn.Conn, err error) { closed <- err },
			Logger:  quiet(),
		}, secure)
		for _, code := range sendableCodes {
			t.Run(fmt.Sprintf("%d/tls=%v", code, secure), func(t *testing.T) {
				c := mustDial(t, dial)
				reason := "of the client"
				if code == frame.CloseNoStatus {
					reason = ""
				}
				if err := c.Close(code, reason); err != nil {
					t.Error("client:", err)
				}
				checkClose(t, "server", <-closed, code, reason, true)
				checkClose(t, "client", c.Err(), code, reason, false)
				if code == frame.CloseNoStatus || code == frame.CloseMandatoryExtension {
					return // without a code it has no reason; 1010 is for clients only
				}
				c = mustDial(t, dial)
				c.Write(t.Context(), conn.Binary, []byte{byte(code >> 8), byte(code)})
				checkClose(t, "client", drain(c), code, "of the server", true)
				checkClose(t, "server", <-closed, code, "of the server", false)
			})
		}
	}
}

func mustDial(t *testing.T, dial func() (*conn.Conn, error)) *conn.Conn {
	t.Helper()
	c, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow() })
	return c
}

func checkClose(t *testing.T, who string, err error, code frame.CloseCode, reason string, remote bool) {
	t.Helper()
	e, ok := errors.AsType[*conn.CloseError](err)
	if !ok || e.Code != code || e.Reason != reason || e.Remote != remote || !errors.Is(err, net.ErrClosed) {
		t.Errorf("%s: got %+v, want %d %q, remote %v", who, err, code, reason, remote)
	}
}

func TestEndToEnd_ServesManyAtATime(t *testing.T) {
	for _, secure := range []bool{false, true} {
		dial := overTCP(t, echo(), secure)
		var clients sync.WaitGroup
		for i := range 100 {
			clients.Go(func() {
				c, err := dial()
				if err != nil {
					t.Error(err)
					return
				}
				defer c.CloseNow()
				for n := range 20 {
					want := fmt.Sprintf("client %d, message %d", i, n)
					c.WriteText(t.Context(), want)
					if m, err := c.Read(t.Context()); err != nil || string(m.Data) != want {
						t.Errorf("%q came back as %q, %v", want, m.Data, err)
						return
					}
				}
				if err := c.Close(1000, ""); err != nil {
					t.Error(err)
				}
			})
		}
		clients.Wait()
	}
}
