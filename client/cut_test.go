package client_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/handshake"
)

// cutResponses are those whose every byte is tried as the last one.
var cutResponses = []struct {
	name, text string
	head       int // bytes without which there is no response
	ok         bool
}{
	{"accepted", fill(accepted, new(http.Request)), len(fill(accepted, new(http.Request))), true},
	{"refused", "HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\nsorry", len("HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\n"), false},
}

// A response that ends early is a failed handshake, not a hang and not a success.
func TestClient_SurvivesTheEndAfterEveryByte(t *testing.T) {
	ends := map[string]func(nc *conntest.Conn){
		"EOF":   func(nc *conntest.Conn) { nc.Close() },
		"reset": func(nc *conntest.Conn) { nc.Reset() },
	}
	for _, tt := range cutResponses {
		for how, end := range ends {
			t.Run(tt.name+"/"+how, func(t *testing.T) {
				for cut := range len(tt.text) + 1 {
					synctest.Test(t, func(t *testing.T) {
						o := reach(t, func(nc net.Conn) {
							r, err := readRequest(nc)
							if err != nil {
								t.Error(err)
								return
							}
							io.WriteString(nc, cutText(tt.text, r)[:cut])
							synctest.Wait() // until the client waits for more
							end(nc.(*conntest.Conn))
						})
						dials := watchDials(o)
						c, resp, err := client.Dial(t.Context(), "ws://example.test/", o)
						if tt.ok && cut == len(tt.text) {
							if err != nil {
								t.Fatal(err)
							}
							if _, err := c.Read(t.Context()); conn.CloseStatus(err) != 1006 {
								t.Errorf("a read after it: %v", err)
							}
							return
						}
						e := asHandshakeError(t, err)
						if (resp != nil) != (cut >= tt.head) || (e.Status != 0) != (cut >= tt.head) {
							t.Errorf("after %d bytes: %v with the response %v", cut, err, resp)
						}
						want := map[string]error{"EOF": io.ErrUnexpectedEOF, "reset": syscall.ECONNRESET}[how]
						if cut < tt.head && !errors.Is(err, want) {
							t.Errorf("after %d bytes: %v, want %v in it", cut, err, want)
						}
						if !dials()[0].isClosed() {
							t.Errorf("after %d bytes: the stream is still open", cut)
						}
					})
				}
			})
		}
	}
}

// cutText is text with the Accept that answers r, of the same length.
func cutText(text string, r *http.Request) string {
	return strings.Replace(text, handshake.AcceptKey(""), handshake.AcceptKey(r.Header.Get("Sec-Websocket-Key")), 1)
}

// And one that never ends is given up in time.
func TestClient_GivesUpAStallAfterEveryByte(t *testing.T) {
	for _, tt := range cutResponses {
		t.Run(tt.name, func(t *testing.T) {
			for cut := range len(tt.text) {
				synctest.Test(t, func(t *testing.T) {
					o := reach(t, func(nc net.Conn) {
						if r, err := readRequest(nc); err == nil {
							io.WriteString(nc, cutText(tt.text, r)[:cut])
							io.Copy(io.Discard, nc)
						}
					})
					o.HandshakeTimeout = time.Minute
					dials := watchDials(o)
					start := time.Now()
					resp, err := dialFails(t, "ws://example.test/", o)
					e := asHandshakeError(t, err)
					if !errors.Is(err, context.DeadlineExceeded) || (resp != nil) != (cut >= tt.head) || (e.Status != 0) != (cut >= tt.head) {
						t.Errorf("after %d bytes: %v with the response %v", cut, err, resp)
					}
					if took := time.Since(start); took != time.Minute {
						t.Errorf("after %d bytes: took %v", cut, took)
					}
					if !dials()[0].isClosed() {
						t.Errorf("after %d bytes: the stream is still open", cut)
					}
				})
			}
		})
	}
}

// route is a way to a server that accepts.
type route struct {
	name, url string
	options   func(t *testing.T) *client.Options
}

func routes() []route {
	via := func(proxy string) func(*url.URL) (*url.URL, error) {
		return func(*url.URL) (*url.URL, error) { return url.Parse(proxy) }
	}
	secure := authority.issue(farOff, "example.test", "proxy.test")
	behind := func(front func(server) server, proxy string, inner server) func(t *testing.T) *client.Options {
		return func(t *testing.T) *client.Options {
			o := reach(t, front(inner))
			o.Proxy = via(proxy)
			o.TLSConfig = trusting()
			return o
		}
	}
	direct := func(s server) server { return s }
	tunnel := func(s server) server { return connectProxy(nil, s) }
	secureTunnel := func(s server) server { return overTLS(secure, connectProxy(nil, s)) }
	socks := func(s server) server { return socksProxy(nil, "", s) }
	var all []route
	for _, way := range []struct {
		name, proxy string
		front       func(server) server
	}{
		{"direct", "", direct}, {"CONNECT", "http://proxy.test", tunnel},
		{"CONNECT over TLS", "https://proxy.test", secureTunnel}, {"SOCKS5", "socks5://proxy.test", socks},
	} {
		all = append(all,
			route{"ws " + way.name, "ws://example.test/", behind(way.front, way.proxy, answer(accepted))},
			route{"wss " + way.name, "wss://example.test/", behind(way.front, way.proxy, overTLS(secure, answer(accepted)))})
	}
	for i := range all {
		if strings.HasSuffix(all[i].name, "direct") {
			inner := all[i].options
			all[i].options = func(t *testing.T) *client.Options {
				o := inner(t)
				o.Proxy = nil
				return o
			}
		}
	}
	return all
}

// Whatever operation of a Dial fails, the error says so and nothing is left
// behind.
func TestClient_SurvivesTheFailureOfEveryOperation(t *testing.T) {
	for _, way := range routes() {
		t.Run(way.name, func(t *testing.T) {
			for n := 1; ; n++ {
				o := way.options(t)
				inner := o.DialContext
				var faulty *conntest.Faulty
				o.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
					nc, err := inner(ctx, network, addr)
					if err != nil {
						return nil, err
					}
					faulty = conntest.FailAt(nc, n, nil)
					return faulty, nil
				}
				dials := watchDials(o)
				c, _, err := client.Dial(t.Context(), way.url, o)
				if err == nil {
					c.CloseNow()
					if n < 3 {
						t.Errorf("succeeded with %d operations", n-1)
					}
					break
				}
				if !errors.Is(err, conntest.ErrInjected) {
					t.Errorf("operation %d: %v, want the injected error in it", n, err)
				}
				if !dials()[0].isClosed() {
					t.Errorf("operation %d: the stream is still open", n)
				}
			}
		})
	}
}

// Wherever the other side falls silent on the way, ctx and HandshakeTimeout end
// the Dial at once.
func TestClient_GivesUpAtEveryStage(t *testing.T) {
	const patience = 3 * time.Second
	ends := map[string]struct {
		err   error
		setup func(o *client.Options) (context.Context, context.CancelFunc)
	}{
		"HandshakeTimeout": {context.DeadlineExceeded, func(o *client.Options) (context.Context, context.CancelFunc) {
			o.HandshakeTimeout = patience
			return context.WithCancel(context.Background())
		}},
		"deadline of ctx": {context.DeadlineExceeded, func(o *client.Options) (context.Context, context.CancelFunc) {
			o.HandshakeTimeout = -1
			return context.WithTimeout(context.Background(), patience)
		}},
		"cancelled ctx": {context.Canceled, func(*client.Options) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(patience, cancel)
			return ctx, cancel
		}},
	}
	for name, end := range ends {
		for _, way := range routes() {
			t.Run(name+"/"+way.name, func(t *testing.T) {
				for silentAfter := int64(0); ; silentAfter += 97 {
					last := false
					synctest.Test(t, func(t *testing.T) {
						o := way.options(t)
						inner := o.DialContext
						o.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
							nc, err := inner(ctx, network, addr)
							if err != nil {
								return nil, err
							}
							return conntest.Stall(nc, silentAfter), nil
						}
						dials := watchDials(o)
						ctx, cancel := end.setup(o)
						defer cancel()
						start := time.Now()
						c, _, err := client.Dial(ctx, way.url, o)
						if last = err == nil; last {
							c.CloseNow()
							return
						}
						if !errors.Is(err, end.err) || time.Since(start) != patience {
							t.Errorf("silent after %d bytes: %v after %v", silentAfter, err, time.Since(start))
						}
						synctest.Wait() // crypto/tls closes on a goroutine of its own
						if !dials()[0].isClosed() {
							t.Errorf("silent after %d bytes: the stream is still open", silentAfter)
						}
					})
					if last {
						break
					}
				}
			})
		}
		t.Run(name+"/dial", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := &client.Options{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
					<-ctx.Done()
					return nil, ctx.Err()
				}}
				ctx, cancel := end.setup(o)
				defer cancel()
				start := time.Now()
				if _, _, err := client.Dial(ctx, "ws://example.test/", o); !errors.Is(err, end.err) || time.Since(start) != patience {
					t.Errorf("%v after %v", err, time.Since(start))
				}
			})
		})
		t.Run(name+"/request", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o, n := reachEach(t, func(string) server { return func(net.Conn) { <-time.After(time.Hour) } })
				n.pipeSize = 10 // the request does not fit, and nobody reads
				ctx, cancel := end.setup(o)
				defer cancel()
				start := time.Now()
				if _, _, err := client.Dial(ctx, "ws://example.test/", o); !errors.Is(err, end.err) || time.Since(start) != patience {
					t.Errorf("%v after %v", err, time.Since(start))
				}
			})
		})
	}
}

// ctx is for the handshake only.
func TestClient_ConnectionOutlivesTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, way := range routes() {
			o := way.options(t)
			o.Conn.PingEvery = -1
			ctx, cancel := context.WithCancel(context.Background())
			c, _, err := client.Dial(ctx, way.url, o)
			if err != nil {
				t.Fatal(err)
			}
			cancel()
			<-time.After(9 * time.Second)
			if c.Phase() != conn.Open {
				t.Errorf("%s: %v, %v", way.name, c.Phase(), c.Err())
			}
			if err := c.Close(1000, ""); err != nil {
				t.Errorf("%s: %v", way.name, err)
			}
		}
	})
}

func TestClient_RefusesAContextThatHasEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, way := range routes() {
		_, _, err := client.Dial(ctx, way.url, way.options(t))
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", way.name, err)
		}
	}
}
