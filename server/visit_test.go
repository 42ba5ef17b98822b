package server_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/server"
)

// A frame with x, as a client sends it, and its echo.
const frameX = "\x81\x81\x00\x00\x00\x00x"

var echoX = conntest.Hex(`8101 "x"`)

// What a client sends at once is one thing, and how it comes another.
func TestServer_SameHandshake_HoweverItIsCut(t *testing.T) {
	text := request("Origin: http://example.test") + frameX
	synctest.Test(t, func(t *testing.T) {
		l := run(t, &server.Server{Handler: echo(), Logger: quiet()})
		for cut := range len(text) {
			nc := rawDial(t, l)
			send(t, nc, text[:cut])
			synctest.Wait()
			send(t, nc, text[cut:])
			receiveHead(t, nc)
			expect(t, nc, echoX)
			nc.Close()
		}
		nc := rawDial(t, l)
		for i := range text {
			send(t, nc, text[i:i+1])
			synctest.Wait()
		}
		receiveHead(t, nc)
		expect(t, nc, echoX)
	})
}

// Nor does it matter who takes the connection: what came behind the head is his.
func TestServer_GivesWhatCameBehindTheHead_ToWhoeverHijacks(t *testing.T) {
	// Who watches a stream takes a byte of it.
	for name, watched := range map[string]int{"at once": 0, "when watched": 1} {
		for _, behind := range []string{"", "x", strings.Repeat("x", 3000)} {
			t.Run(fmt.Sprint(name, " ", len(behind)), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					l := run(t, &server.Server{Logger: quiet(), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if watched > 0 {
							r.Context().Done()
							<-time.After(time.Second)
						}
						nc, brw, err := http.NewResponseController(w).Hijack()
						if err != nil {
							t.Error(err)
							return
						}
						defer nc.Close()
						if n := brw.Reader.Buffered(); n != len(behind)+watched {
							t.Errorf("%d bytes buffered, want %d", n, len(behind)+watched)
						}
						io.CopyN(nc, brw, int64(len(behind)+5))
						if _, err := w.Write([]byte("x")); err != http.ErrHijacked {
							t.Errorf("a write after it: %v", err)
						}
						if _, _, err := http.NewResponseController(w).Hijack(); err != http.ErrHijacked {
							t.Errorf("again: %v", err)
						}
					})})
					nc := rawDial(t, l)
					send(t, nc, request()+behind)
					synctest.Wait()
					send(t, nc, "later")
					expect(t, nc, []byte(behind+"later"))
				})
			})
		}
	}
}

func TestServer_TakesHandshakes_ThroughMiddleware(t *testing.T) {
	type wrapped struct{ http.ResponseWriter }
	for name, wrap := range map[string]func(http.ResponseWriter) http.ResponseWriter{
		"with Unwrap": func(w http.ResponseWriter) http.ResponseWriter { return unwrapping{w} },
		"with Hijack": func(w http.ResponseWriter) http.ResponseWriter { return hijacking{w, w.(http.Hijacker)} },
	} {
		t.Run(name, func(t *testing.T) {
			nc := rawDial(t, run(t, &server.Server{Logger: quiet(), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				echo().ServeHTTP(wrap(w), r)
			})}))
			send(t, nc, request()+frameX)
			receiveHead(t, nc)
			expect(t, nc, echoX)
		})
	}
	nc := rawDial(t, run(t, &server.Server{Logger: quiet(), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		echo().ServeHTTP(wrapped{w}, r)
	})}))
	send(t, nc, request())
	if resp, body := receive(t, nc); resp.StatusCode != 500 || !strings.Contains(body, "Unwrap") {
		t.Errorf("with neither: %d %q", resp.StatusCode, body)
	}
}

type unwrapping struct{ http.ResponseWriter }

func (w unwrapping) Unwrap() http.ResponseWriter { return w.ResponseWriter }

type hijacking struct {
	http.ResponseWriter
	http.Hijacker
}

func TestServer_ContextOfAHandshake(t *testing.T) {
	for _, tt := range []struct {
		name   string
		inside func(srv *server.Server, client net.Conn, r *http.Request)
	}{
		{"ends with the handler", func(*server.Server, net.Conn, *http.Request) {}},
		{"ends with the handler that has watched it", func(_ *server.Server, _ net.Conn, r *http.Request) {
			if r.Context().Err() != nil {
				t.Error("ended at once")
			}
		}},
		{"ends when the client goes", func(_ *server.Server, client net.Conn, r *http.Request) {
			ctx, cancel := context.WithTimeout(r.Context(), time.Hour)
			defer cancel()
			client.Close()
			if <-ctx.Done(); ctx.Err() != context.Canceled {
				t.Error(ctx.Err())
			}
		}},
		{"ends when the server is closed", func(srv *server.Server, _ net.Conn, r *http.Request) {
			srv.Close()
			<-r.Context().Done()
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clients, contexts := make(chan net.Conn, 1), make(chan context.Context, 1)
				srv := &server.Server{Logger: quiet()}
				srv.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					ctx := r.Context()
					if hs, ok := ctx.Value(http.ServerContextKey).(*http.Server); !ok || hs.ReadHeaderTimeout == 0 {
						t.Error("no http.Server")
					}
					if addr, ok := ctx.Value(http.LocalAddrContextKey).(net.Addr); !ok || addr.Network() == "" {
						t.Error("no address")
					}
					if _, ok := ctx.Deadline(); ok || ctx.Value("x") != nil {
						t.Error("a deadline, or a value")
					}
					tt.inside(srv, <-clients, r)
					contexts <- ctx
				})
				nc := rawDial(t, run(t, srv))
				clients <- nc
				send(t, nc, request())
				synctest.Wait()
				if ctx := <-contexts; ctx.Err() != context.Canceled {
					t.Error("has not ended")
				}
			})
		})
	}
}

func TestServer_APanicOfAHandlerInAHandshake_ClosesTheConnection(t *testing.T) {
	for _, tt := range []struct {
		name   string
		how    func()
		logged string
	}{
		{"any", func() { panic("oh") }, "panic serving a: oh"},
		{"http.ErrAbortHandler", func() { panic(http.ErrAbortHandler) }, ""},
		{"runtime.Goexit", runtime.Goexit, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log, book := logbook()
			srv := &server.Server{Logger: log, Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { tt.how() })}
			l := run(t, srv)
			nc := rawDial(t, l)
			send(t, nc, request())
			expectClosed(t, nc)
			if err := srv.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			if got := strings.Join(book.lines(), "\n"); !strings.Contains(got, tt.logged) || tt.logged == "" && got != "" {
				t.Errorf("the log has %q", got)
			}
		})
	}
}

// Whoever begins late has less time, not more.
func TestServer_CutsAHandshakeThatBeginsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := run(t, &server.Server{Handler: echo(), HandshakeTimeout: 3 * time.Second, Logger: quiet()})
		nc := rawDial(t, l)
		start := time.Now()
		<-time.After(2 * time.Second)
		send(t, nc, "GET")
		io.Copy(io.Discard, nc)
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("cut after %v", took)
		}
	})
}

func TestServer_ShutdownAndHandshakes(t *testing.T) {
	for _, tt := range []struct {
		name string
		sent string
		wait time.Duration // of the handler
		took time.Duration
		want int // 0: no response
	}{
		{"nothing has come", "", 0, 500 * time.Millisecond, 0},
		{"half of it has come", request()[:50], 0, 500 * time.Millisecond, 0},
		{"the handler is at it", request(), time.Second, time.Second, 503},
		{"the handler is at it too long", request(), time.Hour, time.Minute, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := &server.Server{Logger: quiet(), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					<-time.After(tt.wait)
					server.Accept(w, r, nil)
				})}
				nc := rawDial(t, run(t, srv))
				nc.SetDeadline(time.Time{})
				send(t, nc, tt.sent)
				synctest.Wait()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				start := time.Now()
				err := srv.Shutdown(ctx)
				if took := time.Since(start); took < tt.took || took > tt.took+time.Second || (err != nil) != (tt.took == time.Minute) {
					t.Errorf("%v after %v", err, took)
				}
				if tt.want == 0 {
					expectClosed(t, nc)
				} else if resp, _ := receive(t, nc); resp.StatusCode != tt.want {
					t.Errorf("got %d", resp.StatusCode)
				}
				<-time.After(tt.wait)
			})
		})
	}
}
