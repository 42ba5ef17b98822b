package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/frame"
	"github.com/swan-ws/websocket/server"
)

// ticketError is an error that says itself how to close.
type ticketError struct{}

func (ticketError) Error() string                        { return "ticket expired" }
func (ticketError) CloseWith() (frame.CloseCode, string) { return 4003, "buy another" }

// Whatever callback returns an error, it ends the connection with what that says, or
// 1011, and it is reported unless it is a CloseFrame and no more.
func TestService_AnErrorOfACallbackEndsTheConnection(t *testing.T) {
	sorry := server.CloseFrame{Code: 4001, Reason: "sorry"}
	for name, tt := range map[string]struct {
		err      error
		wire     string
		reported string
	}{
		"any error":          {errors.New("disk full"), `88 02 03f3`, "error *errors.errorString"},
		"CloseFrame":         {sorry, `88 07 0fa1 "sorry"`, ""},
		"*CloseFrame":        {&sorry, `88 07 0fa1 "sorry"`, ""},
		"wrapped":            {fmt.Errorf("disk full: %w", sorry), `88 07 0fa1 "sorry"`, "error *fmt.wrapError"},
		"*wrapped":           {fmt.Errorf("disk full: %w", &sorry), `88 07 0fa1 "sorry"`, "error *fmt.wrapError"},
		"CloseWith":          {ticketError{}, `88 0d 0fa3 "buy another"`, "error server_test.ticketError"},
		"no status":          {server.CloseFrame{Code: frame.CloseNoStatus}, `88 00`, ""},
		"a code not to send": {server.CloseFrame{Code: 5555}, `88 02 03f3`, "error *fmt.wrapError"},
		"both in one":        {errors.Join(&conn.BindError{Err: io.EOF}, sorry), `88 07 0fa1 "sorry"`, "error *errors.joinError"},
	} {
		for _, cb := range callbacks {
			switch cb.name {
			case "OnPing", "OnPong", "OnPing in a message", "OnError", "OnClose":
				continue // these return no error
			}
			t.Run(cb.name+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					j := new(journal)
					peer, ended := serveRaw(failIn(cb.name, j, func(*conn.Conn) error { return tt.err }))
					trigger(peer, cb.name, cb.trigger)
					expect(t, peer, conntest.Hex(tt.wire))
					peer.Write(conntest.Hex(`8181 00000000 "y"`)) // is not handled any more
					peer.Write(conntest.Hex(`8880 00000000`))
					<-ended
					want := []string{"close"}
					if tt.reported != "" {
						want = []string{tt.reported, "close"}
					}
					if got := j.all(); !slices.Equal(got[len(got)-len(want):], want) || j.count("text y") != 0 {
						t.Errorf("got %q, want it to end in %q", got, want)
					}
					peer.Close()
				})
			})
		}
	}
}

// A Close frame holds what §7.4 lets one hold. Of what it does not the connection ends
// with 1011, and the developer is told.
func TestService_ClosesWithTheCodesOfTheRFC_AndNoOthers(t *testing.T) {
	long := strings.Repeat("x", frame.MaxCloseReason)
	for _, tt := range []struct {
		end  server.CloseFrame
		want string // "": 1011 instead
	}{
		{server.CloseFrame{Code: frame.CloseNormal}, "close 1000 "},
		{server.CloseFrame{Code: frame.CloseGoingAway, Reason: "bye"}, "close 1001 bye"},
		{server.CloseFrame{Code: frame.CloseProtocolError}, "close 1002 "},
		{server.CloseFrame{Code: frame.CloseUnsupportedData}, "close 1003 "},
		{server.CloseFrame{Code: frame.CloseInvalidPayload}, "close 1007 "},
		{server.CloseFrame{Code: frame.ClosePolicyViolation}, "close 1008 "},
		{server.CloseFrame{Code: frame.CloseTooBig}, "close 1009 "},
		{server.CloseFrame{Code: frame.CloseInternalError, Reason: "sorry"}, "close 1011 sorry"},
		{server.CloseFrame{Code: frame.CloseServiceRestart}, "close 1012 "},
		{server.CloseFrame{Code: frame.CloseTryAgainLater}, "close 1013 "},
		{server.CloseFrame{Code: 3000}, "close 3000 "},
		{server.CloseFrame{Code: 3555, Reason: "Custom close frame message"}, "close 3555 Custom close frame message"},
		{server.CloseFrame{Code: 4999, Reason: long}, "close 4999 " + long},
		{server.CloseFrame{Code: frame.CloseNoStatus}, "close 1005 "},

		{server.CloseFrame{}, ""},
		{server.CloseFrame{Code: 999}, ""},
		{server.CloseFrame{Code: 1004}, ""},
		{server.CloseFrame{Code: frame.CloseAbnormal}, ""},
		{server.CloseFrame{Code: 1015}, ""},
		{server.CloseFrame{Code: 1016}, ""},
		{server.CloseFrame{Code: 2999}, ""},
		{server.CloseFrame{Code: 5000}, ""},
		{server.CloseFrame{Code: frame.CloseNormal, Reason: long + "x"}, ""},
		{server.CloseFrame{Code: frame.CloseNormal, Reason: "\xff"}, ""},
		{server.CloseFrame{Code: frame.CloseNoStatus, Reason: "why not"}, ""},
	} {
		ways := map[string]*server.Service{
			"reply":   replying(tt.end),
			"pointer": replying(&tt.end),
			"error":   erring(tt.end),
			"stream":  replying(func(yield func(server.CloseFrame) bool) { yield(tt.end) }),
		}
		if tt.end.Reason == "" {
			ways["code"] = replying(tt.end.Code)
		}
		for name, s := range ways {
			t.Run(fmt.Sprintf("%d %.10s/%s", tt.end.Code, tt.end.Reason, name), func(t *testing.T) {
				var told []error
				s.OnError = func(_ *conn.Conn, err error) { told = append(told, err) }
				c, ended := served(t, s)
				say(t, c, "x")
				want := tt.want
				if want == "" {
					want = "close 1011 "
				}
				wantHeard(t, c, want)
				<-ended
				if (len(told) == 1) != (tt.want == "") {
					t.Errorf("OnError was told of %v", told)
				}
			})
		}
	}
}

func TestCloseFrame_SaysWhatItIs(t *testing.T) {
	for want, f := range map[string]server.CloseFrame{
		"close with 4000":                  {Code: 4000},
		"close with 4000: no more tickets": {Code: 4000, Reason: "no more tickets"},
	} {
		if f.Error() != want {
			t.Errorf("%q, want %q", f, want)
		}
	}
}

// What a callback meets because the connection has ended is no error of its own.
func TestService_AnErrorAfterTheEnd_IsReportedUnlessItIsOfTheEnd(t *testing.T) {
	for _, tt := range []struct {
		name     string
		callback func(c *conn.Conn) (any, error)
		want     []string
	}{
		{"of a write", func(c *conn.Conn) (any, error) { return nil, c.WriteText(context.Background(), "x") }, []string{"close"}},
		{"of the reply", func(*conn.Conn) (any, error) { return "x", nil }, []string{"close"}},
		{"of the context", func(c *conn.Conn) (any, error) { return nil, c.Context().Err() }, []string{"close"}},
		{"CloseFrame", func(*conn.Conn) (any, error) { return nil, server.CloseFrame{Code: 4000} }, []string{"close"}},
		{"its own", func(*conn.Conn) (any, error) { return nil, errors.New("disk full") }, []string{"error *errors.errorString", "close"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := new(journal)
			s := doIn("", j, nil)
			s.OnText = func(c *conn.Conn, _ conn.Message) (any, error) {
				c.CloseNow()
				return tt.callback(c)
			}
			c, ended := served(t, s)
			say(t, c, "x")
			<-ended
			j.wantNotes(t, append([]string{"open"}, tt.want...)...)
		})
	}
}

// A Service that is not in order serves nobody, and says why.
func TestService_Validate_NamesWhatDoesNotGoTogether(t *testing.T) {
	h := func(*conn.Conn, conn.Message) (any, error) { return nil, nil }
	idle := func(*conn.Conn) error { return nil }
	withTime := server.Options{Conn: conn.Options{IdleTimeout: time.Minute}}
	for _, tt := range []struct {
		name string
		s    server.Service
		want string
	}{
		{"nothing", server.Service{}, ""},
		{"OnMessage", server.Service{OnMessage: h}, ""},
		{"OnText and OnBinary", server.Service{OnText: h, OnBinary: h}, ""},
		{"OnIdleTimeout and a time", server.Service{OnIdleTimeout: idle, Options: withTime}, ""},
		{"OnMessage and OnText", server.Service{OnMessage: h, OnText: h}, "OnMessage"},
		{"OnMessage and OnBinary", server.Service{OnMessage: h, OnBinary: h}, "OnMessage"},
		{"OnIdleTimeout alone", server.Service{OnIdleTimeout: idle}, "IdleTimeout"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log, book := logbook()
			tt.s.Logger = log
			err := tt.s.Validate()
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("Validate: %v", err)
			}
			_, resp, err := tryDial(t, serveHTTP(t, &tt.s), nil)
			if err == nil || resp.StatusCode != http.StatusInternalServerError {
				t.Errorf("over HTTP: %v", err)
			}
			c, ended := served(t, &tt.s)
			wantHeard(t, c, "close 1011 ")
			<-ended
			if lines := book.lines(); len(lines) != 2 || !strings.Contains(lines[0], tt.want) || !strings.Contains(lines[1], tt.want) {
				t.Errorf("logged %q", lines)
			}
		})
	}
}

// In each callback in turn there is one failure, among a thousand connections.
func TestService_AFailureTouchesNoneOfAThousandOthers(t *testing.T) {
	const others = 999
	var victim *conn.Conn
	fail := func(where string, c *conn.Conn, at string) error {
		if c != victim || where != at {
			return nil
		}
		panic("boom in " + where)
	}
	for _, where := range []string{"OnOpen", "OnText", "OnBinary", "OnPing", "OnPong", "OnIdleTimeout", "OnError", "OnClose"} {
		t.Run(where, func(t *testing.T) {
			j := new(journal)
			s := &server.Service{
				Options: server.Options{Conn: conn.Options{IdleTimeout: 100 * time.Millisecond, PingEvery: -1}},
				OnOpen:  func(c *conn.Conn, _ *http.Request) error { return fail("OnOpen", c, where) },
				OnText: func(c *conn.Conn, m conn.Message) (any, error) {
					if where == "OnError" && string(m.Data) == "fail" {
						return nil, errors.New("for OnError")
					}
					return m, fail("OnText", c, where)
				},
				OnBinary:      func(c *conn.Conn, m conn.Message) (any, error) { return m, fail("OnBinary", c, where) },
				OnPing:        func(c *conn.Conn, _ []byte) []byte { fail("OnPing", c, where); return nil },
				OnPong:        func(c *conn.Conn, _ []byte) { fail("OnPong", c, where) },
				OnIdleTimeout: func(c *conn.Conn) error { return fail("OnIdleTimeout", c, where) },
				OnError:       func(c *conn.Conn, _ error) { j.note("error"); fail("OnError", c, where) },
				OnClose:       func(c *conn.Conn, _ error) { fail("OnClose", c, where) },
				Logger:        quiet(),
			}
			serve := func() (server, client *conn.Conn, run func()) {
				there, here := conntest.Pair(s.ConnOptions(), conn.Options{PingEvery: -1})
				return there, here, func() { s.Serve(there, nil) }
			}
			there, c, run := serve()
			victim = there
			var clients []*conn.Conn
			var serving sync.WaitGroup
			for range others {
				_, c, run := serve()
				clients = append(clients, c)
				serving.Go(run)
			}
			serving.Go(run)
			what := map[string]func(){
				"OnText":   func() { say(t, c, "x") },
				"OnBinary": func() { c.Write(t.Context(), conn.Binary, []byte("x")) },
				"OnPing":   func() { go c.Ping(t.Context()) },
				"OnPong":   func() { go there.Ping(t.Context()) },
				"OnError":  func() { say(t, c, "fail") },
				"OnClose":  func() { go c.Close(1011, "") },
			}[where]
			if what != nil {
				what()
			}
			err := drain(c)
			if conn.CloseStatus(err) != 1011 {
				t.Errorf("the victim heard %v", err)
			}
			for _, c := range clients {
				roundTrip(t, c, "still here")
			}
			for _, c := range clients {
				c.CloseNow()
			}
			serving.Wait()
			if n := j.count("error"); n != 1 {
				t.Errorf("OnError was called %d times", n)
			}
		})
	}
}
