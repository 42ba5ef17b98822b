package server_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/server"
)

// watching is an Observer that notes everything but times and sizes.
func watching(j *journal) *conn.Observer {
	return &conn.Observer{
		Opened:  func(*conn.Conn) { j.note("opened") },
		Ended:   func(_ *conn.Conn, e conn.End) { j.note("ended %d", e.Code) },
		Error:   func(_ *conn.Conn, kind conn.ErrorKind, err error) { j.note("%v", kind) },
		Refused: func(status int, err error) { j.note("refused %d", status) },
	}
}

// wantNotes waits until j has those lines, and fails if it has others.
func wantNotes(t *testing.T, j *journal, want ...string) {
	t.Helper()
	synctest.Wait()
	if got := j.all(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestObserver_IsToldOfRefusals(t *testing.T) {
	for _, tt := range refusals {
		synctest.Test(t, func(t *testing.T) {
			j, o := new(journal), tt.o
			o.Conn.Observer = watching(j)
			nc := rawDial(t, serveHTTP(t, acceptor(&o)))
			send(t, nc, tt.request)
			receive(t, nc)
			wantNotes(t, j, fmt.Sprint("refused ", tt.status))
		})
	}
}

func TestObserver_IsToldOfRefusals_WhoeverRefuses(t *testing.T) {
	deny := func(*http.Request) error { return errors.New("no") }
	watched := func(j *journal) server.Options {
		return server.Options{Conn: conn.Options{Observer: watching(j)}}
	}
	for _, tt := range []struct {
		name   string
		status int
		make   func(j *journal) *server.Server
	}{
		{"Service that is not valid", 500, func(j *journal) *server.Server {
			nop := func(*conn.Conn, conn.Message) (any, error) { return nil, nil }
			return &server.Server{Handler: &server.Service{Options: watched(j), OnText: nop, OnMessage: nop, Logger: quiet()}}
		}},
		{"Upgrade", 403, func(j *journal) *server.Server {
			return &server.Server{Handler: server.Upgrade(func(*http.Request) (*server.Service, error) {
				return &server.Service{Options: watched(j), Logger: quiet()}, errors.New("no")
			})}
		}},
		{"Upgrade without a Service", 404, func(j *journal) *server.Server {
			return &server.Server{Observer: watching(j), Handler: server.Upgrade(func(*http.Request) (*server.Service, error) { return nil, nil })}
		}},
		{"Authenticate", 401, func(j *journal) *server.Server {
			return &server.Server{Observer: watching(j), Handler: server.Authenticate(echo(), server.Basic("here", login))}
		}},
		{"Authorize", 403, func(j *journal) *server.Server {
			return &server.Server{Observer: watching(j), Handler: server.Authorize(echo(), deny)}
		}},
		{"Check, to the Server's", 403, func(j *journal) *server.Server {
			s := echo()
			s.Check = deny
			return &server.Server{Observer: watching(j), Handler: s}
		}},
		{"Check, to the Service's own", 403, func(j *journal) *server.Server {
			s := echo()
			s.Check, s.Conn = deny, watched(j).Conn
			return &server.Server{Observer: watching(new(journal)), Handler: s}
		}},
		{"MaxURIBytes", 414, func(j *journal) *server.Server {
			return &server.Server{Observer: watching(j), Handler: echo(), MaxURIBytes: 5}
		}},
		{"MaxConnsPerAddr", 429, func(j *journal) *server.Server {
			return &server.Server{Observer: watching(j), Handler: echo(), MaxConnsPerAddr: 1}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := new(journal)
				srv := tt.make(j)
				srv.Logger = quiet()
				l := run(t, srv)
				if srv.MaxConnsPerAddr > 0 {
					connect(t, l, "192.0.2.7:1000")
				}
				nc := connect(t, l, "192.0.2.7:1000")
				send(t, nc, strings.Replace(request(), "GET / ", "GET /chat?room=1 ", 1))
				if resp, _ := receive(t, nc); resp.StatusCode != tt.status {
					t.Errorf("status %d", resp.StatusCode)
				}
				wantNotes(t, j, fmt.Sprint("refused ", tt.status))
			})
		})
	}
}

// A response that does not get out is a refusal without a status.
func TestObserver_IsToldOfAResponseThatIsLost(t *testing.T) {
	j := new(journal)
	o := server.Options{Conn: conn.Options{Observer: watching(j)}}
	here, there := conntest.Pipe()
	here.Close()
	w := hijackable{nc: there}
	r, _ := http.NewRequest("GET", "http://example.test/", nil)
	for name, value := range map[string]string{"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": sampleKey} {
		r.Header.Set(name, value)
	}
	if _, err := server.Accept(w, r, &o); err == nil || !slices.Equal(j.all(), []string{"refused 0"}) {
		t.Error(err, j.all())
	}
}

func TestObserver_OfAServer_IsThatOfItsConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ofServer, ofService := new(journal), new(journal)
		own := echo()
		own.Conn.Observer = watching(ofService)
		mux := http.NewServeMux()
		mux.Handle("/", echo())
		mux.Handle("/own", own)
		l := run(t, &server.Server{Observer: watching(ofServer), Handler: mux, Logger: quiet()})
		for _, path := range []string{"/", "/own", "/"} {
			c, _, err := client.Dial(t.Context(), "ws://example.test"+path, &client.Options{DialContext: l.dial, Proxy: noProxy})
			if err != nil {
				t.Fatal(err)
			}
			roundTrip(t, c, "swan")
			c.Close(1000, "")
			synctest.Wait()
		}
		wantNotes(t, ofServer, "opened", "ended 1000", "opened", "ended 1000")
		wantNotes(t, ofService, "opened", "ended 1000")
	})
}

// Of each callback that fails the Observer is told once, and of the end.
func TestObserver_IsToldOfCallbacksThatFail(t *testing.T) {
	bad := &conn.BindError{Type: conn.Text, Err: errors.New("no")}
	for _, how := range []struct {
		kind string
		fail func(*conn.Conn) error
	}{
		{"callback", func(*conn.Conn) error { return errors.New("no") }},
		{"message", func(*conn.Conn) error { return fmt.Errorf("on the way: %w", bad) }},
		{"panic", func(*conn.Conn) error { panic("no") }},
		{"", func(*conn.Conn) error { runtime.Goexit(); return nil }},
	} {
		for _, cb := range callbacks {
			t.Run(cb.name+"/"+how.kind, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					j, notes := new(journal), new(journal)
					s := failIn(cb.name, notes, how.fail)
					s.Conn.Observer = watching(j)
					peer, ended := serveRaw(s)
					trigger(peer, cb.name, cb.trigger)
					peer.Write(conntest.Hex(`8882 00000000 03e8`))
					<-ended
					io.ReadAll(peer)
					peer.Close()
					want := []string{"opened"}
					if cb.name == "OnError" {
						want = append(want, "protocol")
					}
					if returns := !slices.Contains([]string{"OnPing", "OnPong", "OnPing in a message", "OnError", "OnClose"}, cb.name); how.kind == "panic" || how.kind != "" && returns {
						want = append(want, how.kind)
					}
					got := j.all()
					if i := slices.IndexFunc(got, func(s string) bool { return strings.HasPrefix(s, "ended") }); i < 0 {
						t.Errorf("no end in %q", got)
					} else {
						got = slices.Delete(got, i, i+1)
					}
					if !slices.Equal(got, want) {
						t.Errorf("got %q, want %q", j.all(), want)
					}
				})
			})
		}
	}
}

// A stream of replies that fails is a callback that does.
func TestObserver_IsToldOfStreamsThatFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := new(journal)
		s := &server.Service{Logger: quiet(), OnText: func(*conn.Conn, conn.Message) (any, error) {
			return func(yield func(string, error) bool) {
				<-time.After(time.Second)
				yield("", errors.New("no more"))
			}, nil
		}}
		s.Conn.Observer = watching(j)
		peer, ended := serveRaw(s)
		peer.Write(conntest.Hex(`8181 00000000 "x"`))
		go io.ReadAll(peer)
		<-ended
		peer.Close()
		wantNotes(t, j, "opened", "callback", "ended 1011")
	})
}

// hijackable is a response on a stream.
type hijackable struct {
	http.ResponseWriter
	nc net.Conn
}

func (w hijackable) Header() http.Header { return http.Header{} }

func (w hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return w.nc, bufio.NewReadWriter(bufio.NewReader(w.nc), nil), nil
}
