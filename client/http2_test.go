package client_test

//lint:file-ignore SA1019 net/http's Transport does not take ":protocol".

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
	_ "github.com/swan-ws/websocket/http2" // reachHTTP2 needs it
	deflate "github.com/swan-ws/websocket/permessage-deflate"
)

// reachHTTP2 returns Options for a world in which every address leads to a server with
// h that speaks HTTP/2.
func reachHTTP2(t testing.TB, h http.HandlerFunc) *client.Options {
	s := &http.Server{Handler: h, Protocols: new(http.Protocols)}
	s.Protocols.SetUnencryptedHTTP2(true)
	o := reachAsHTTP2(t, func(nc net.Conn) {
		l := &single{Conn: nc, next: make(chan net.Conn, 1)}
		l.next <- l
		s.Serve(l)
	})
	t.Cleanup(func() { s.Close() })
	return o
}

// single is a listener that accepts one connection, and is closed with that.
type single struct {
	net.Conn
	next chan net.Conn
	once sync.Once
}

func (l *single) Accept() (net.Conn, error) {
	if nc := <-l.next; nc != nil {
		return nc, nil
	}
	return nil, net.ErrClosed
}

func (l *single) Close() error {
	l.once.Do(func() { close(l.next) })
	return l.Conn.Close()
}

func (l *single) Addr() net.Addr { return l.LocalAddr() }

func reachAsHTTP2(t testing.TB, s server) *client.Options {
	_, n := reachEach(t, func(string) server { return s })
	via := &http2.Transport{AllowHTTP: true, DialTLSContext: func(ctx context.Context, network, addr string, _ *tls.Config) (net.Conn, error) {
		return n.dial(ctx, network, addr)
	}}
	t.Cleanup(via.CloseIdleConnections)
	return &client.Options{HTTP2: via}
}

// opened answers 200, and reads until the client's direction ends. It reports how.
func opened(ended chan<- error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		_, err := io.Copy(io.Discard, r.Body)
		ended <- err
	}
}

// RFC 8441 §5
func TestDial_OverHTTP2_AsksAsTheRFCHasIt(t *testing.T) {
	requests := make(chan *http.Request, 1)
	ended := make(chan error, 1)
	o := reachHTTP2(t, func(w http.ResponseWriter, r *http.Request) {
		requests <- r
		opened(ended)(w, r)
	})
	o.Header = http.Header{"Origin": {"http://www.example.com"}}
	o.Subprotocols = []string{"chat", "superchat"}
	c, resp := dial(t, "ws://server.example.com/chat", o)
	r := <-requests
	if r.Method != "CONNECT" || r.Header.Get(":protocol") != "websocket" || r.Host != "server.example.com" || r.RequestURI != "/chat" {
		t.Errorf("%s %s of %s: %v", r.Method, r.RequestURI, r.Host, r.Header)
	}
	for name, want := range map[string]string{
		"Sec-Websocket-Protocol": "chat, superchat", "Sec-Websocket-Version": "13", "Origin": "http://www.example.com",
		"Sec-Websocket-Key": "", "Connection": "", "Upgrade": "", "User-Agent": "", "Accept-Encoding": "identity",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if !strings.HasPrefix(r.Header.Get("Sec-Websocket-Extensions"), "permessage-deflate") {
		t.Errorf("extensions %q", r.Header.Get("Sec-Websocket-Extensions"))
	}
	if resp.ProtoMajor != 2 || c.Subprotocol() != "" || c.Secure() {
		t.Errorf("%s, %q", resp.Proto, c.Subprotocol())
	}
	c.CloseNow()
	if err := <-ended; err != nil {
		t.Errorf("the server has read to %v", err)
	}
}

// What has been written before CloseNow goes out, as over TCP. A server that goes on is
// told that nobody listens (RFC 8441 §5).
func TestCloseNow_OverHTTP2_LetsGoWhatIsWritten_ThenCancels(t *testing.T) {
	const size = 1 << 20
	ended := make(chan error, 1)
	o := reachHTTP2(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		if n, err := io.Copy(io.Discard, r.Body); n <= size || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
		<-r.Context().Done()
		_, err := w.Write(make([]byte, 1<<16))
		ended <- err
	})
	o.Conn.Compression.Mode = deflate.Off
	c, _ := dial(t, "ws://h/", o)
	if err := c.Write(t.Context(), conn.Binary, make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	c.CloseNow()
	if err := <-ended; err == nil {
		t.Error("the server may go on")
	}
}

// The end of the one direction goes with the end of the other.
func TestClose_OverHTTP2_EndsTheStreamInOrder(t *testing.T) {
	ended := make(chan error, 1)
	c, _ := dial(t, "ws://h/", reachHTTP2(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		w.Write([]byte{0x88, 2, 0x03, 0xe8})
		w.(http.Flusher).Flush()
		_, err := io.Copy(io.Discard, io.LimitReader(r.Body, 8)) // the Close, masked
		ended <- err
	}))
	if _, err := c.Read(t.Context()); conn.CloseStatus(err) != frame.CloseNormal {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// Who still writes when the server has closed finds out why.
func TestRead_OverHTTP2_FindsWhatTheServerSaidBeforeItsEnd(t *testing.T) {
	o := reachHTTP2(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		io.CopyN(io.Discard, r.Body, 1000)
		w.Write([]byte{0x88, 2, 1009 >> 8, 1009 & 0xff})
	})
	o.Conn.Compression.Mode = deflate.Off
	for range 50 {
		c, _ := dial(t, "ws://h/", o)
		var writer sync.WaitGroup
		writer.Go(func() {
			for c.Write(t.Context(), conn.Binary, make([]byte, 500)) == nil {
			}
		})
		if _, err := c.Read(t.Context()); conn.CloseStatus(err) != frame.CloseTooBig {
			t.Fatal(err)
		}
		writer.Wait()
	}
}

// A server that is about to go sends those away who come (RFC 9113 §6.8).
func TestDial_OverHTTP2_GoesOnToAnotherTCPConnection(t *testing.T) {
	ended := make(chan error, 1)
	good := reachHTTP2(t, opened(ended)).HTTP2.(*http2.Transport).DialTLSContext
	going := reachAsHTTP2(t, func(nc net.Conn) {
		io.ReadFull(nc, make([]byte, len(http2.ClientPreface)))
		f := http2.NewFramer(nc, nc)
		f.WriteSettings(http2.Setting{ID: http2.SettingEnableConnectProtocol, Val: 1})
		for {
			switch fr, err := f.ReadFrame(); fr.(type) {
			case *http2.HeadersFrame:
				f.WriteGoAway(0, http2.ErrCodeNo, nil)
				return
			default:
				if err != nil {
					return
				}
			}
		}
	})
	via := going.HTTP2.(*http2.Transport)
	first := via.DialTLSContext
	via.DialTLSContext = func(ctx context.Context, network, addr string, c *tls.Config) (net.Conn, error) {
		via.DialTLSContext = good
		return first(ctx, network, addr, c)
	}
	c, _ := dial(t, "ws://h/", going)
	c.CloseNow()
	<-ended
}

// One that goes without a word may be back soon.
func TestDial_OverHTTP2_ThatIsCutShort_MayBeTriedAgain(t *testing.T) {
	o := reachHTTP2(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	_, err := dialFails(t, "ws://h/", o)
	if e := asHandshakeError(t, err); e.Status != 0 || !client.Retryable(err) {
		t.Errorf("%d, %v", e.Status, err)
	}
}

func TestDial_OverHTTP2_TakesNoWrongAnswer(t *testing.T) {
	for name, tt := range map[string]struct {
		header http.Header
		status int
		body   string
		want   string
	}{
		"refused":                   {nil, 403, "go away", `server refused with 403 Forbidden: "go away"`},
		"a subprotocol of its own":  {http.Header{"Sec-Websocket-Protocol": {"goose"}}, 200, "", `Sec-WebSocket-Protocol: found "goose"`},
		"an extension of its own":   {http.Header{"Sec-Websocket-Extensions": {"foo"}}, 200, "", `Sec-WebSocket-Extensions: found "foo"`},
		"parameters of its own":     {http.Header{"Sec-Websocket-Extensions": {"permessage-deflate; foo"}}, 200, "", "foo"},
		"a redirect to be followed": {http.Header{"Location": {"/there"}}, 307, "", "server refused with 307 Temporary Redirect"},
	} {
		t.Run(name, func(t *testing.T) {
			gone := make(chan struct{})
			o := reachHTTP2(t, func(w http.ResponseWriter, r *http.Request) {
				for name, values := range tt.header {
					w.Header()[name] = values
				}
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.body)
				w.(http.Flusher).Flush()
				if tt.status == 200 {
					<-r.Context().Done()
				}
				close(gone)
			})
			o.HandshakeTimeout = time.Minute // or it would be what ends the stream
			resp, err := dialFails(t, "ws://h/", o)
			e := asHandshakeError(t, err)
			if !strings.Contains(e.Error(), tt.want) || e.Status != tt.status || string(e.Body) != tt.body || resp.StatusCode != tt.status {
				t.Errorf("%v, status %d, body %q, want %s", err, e.Status, e.Body, tt.want)
			}
			<-gone
		})
	}
}

func TestDial_OverHTTP2_FollowsRedirects_WithCookiesAndAuth(t *testing.T) {
	ended := make(chan error, 1)
	o := reachHTTP2(t, func(w http.ResponseWriter, r *http.Request) {
		_, _, known := r.BasicAuth()
		cookie, err := r.Cookie("who")
		switch {
		case r.URL.Path == "/":
			http.SetCookie(w, &http.Cookie{Name: "who", Value: "swan"})
			http.Redirect(w, r, "/there", http.StatusTemporaryRedirect)
		case !known || err != nil || cookie.Value != "swan":
			w.WriteHeader(http.StatusForbidden)
		default:
			opened(ended)(w, r)
		}
	})
	o.MaxRedirects, o.Auth = 1, client.Basic("swan", "secret")
	o.Jar, _ = cookiejar.New(nil)
	c, _ := dial(t, "ws://h/", o)
	c.CloseNow()
	<-ended
}

// ctx is for the handshake.
func TestDial_OverHTTP2_ContextEnds(t *testing.T) {
	ended := make(chan error, 1)
	hold := make(chan struct{})
	o := reachHTTP2(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(hold)
			<-r.Context().Done()
			return
		}
		w.WriteHeader(http.StatusOK)
		w.Write([]byte{0x81, 1, 'a'})
		w.(http.Flusher).Flush()
		_, err := io.Copy(io.Discard, r.Body)
		ended <- err
	})
	ctx, cancel := context.WithCancel(t.Context())
	c, _, err := client.Dial(ctx, "ws://h/", o)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if m, err := c.Read(t.Context()); err != nil || string(m.Data) != "a" {
		t.Errorf("after the handshake: %q, %v", m.Data, err)
	}
	c.CloseNow()
	<-ended

	ctx, cancel = context.WithCancel(t.Context())
	go func() { <-hold; cancel() }()
	if _, _, err := client.Dial(ctx, "ws://h/slow", o); !errors.Is(err, context.Canceled) {
		t.Errorf("during the handshake: %v", err)
	}
}

// A server that does not say it takes connections is not asked (RFC 8441 §3).
func TestDial_OverHTTP2_AsksNoServerThatDoesNotTakeIt(t *testing.T) {
	asked := make(chan bool, 1)
	o := reachAsHTTP2(t, func(nc net.Conn) {
		io.ReadFull(nc, make([]byte, len(http2.ClientPreface)))
		f := http2.NewFramer(nc, nc)
		f.WriteSettings()
		for {
			switch fr, err := f.ReadFrame(); fr.(type) {
			case *http2.HeadersFrame:
				asked <- true
				return
			default:
				if err != nil {
					asked <- false
					return
				}
			}
		}
	})
	_, err := dialFails(t, "ws://h/", o)
	if !strings.Contains(err.Error(), "over HTTP/2: ") || !strings.Contains(err.Error(), "not supported by peer") {
		t.Error(err)
	}
	o.HTTP2.(*http2.Transport).CloseIdleConnections()
	if <-asked {
		t.Error("asked")
	}
}

func TestDial_OverHTTP2_SendsNothingThatCannotBeSent(t *testing.T) {
	o := reachHTTP2(t, func(http.ResponseWriter, *http.Request) { t.Error("sent") })
	o.Header = http.Header{"Upgrade": {"websocket"}}
	if _, err := dialFails(t, "ws://h/", o); !strings.Contains(err.Error(), "Upgrade is not yours to set") {
		t.Error(err)
	}
}
