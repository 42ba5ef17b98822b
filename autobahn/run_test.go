package autobahn

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// verdict is a result in short.
func verdictOf(r Result) string { return fmt.Sprintf("%s/%s", r.Behavior, r.BehaviorClose) }

// wantVerdict complains with what the result says.
func wantVerdict(t *testing.T, r Result, want string) {
	t.Helper()
	if got := verdictOf(r); got != want {
		t.Errorf("%s, want %s\n%s", got, want, r.story())
	}
}

// beginning is how the cases of a test begin.
const beginning = "case 99.1\n does x\n wants x\n"

func TestRun_Runs_CasesOfItsOwn(t *testing.T) {
	tests := []struct {
		name, lines    string
		habit          habit
		server, client string // verdicts; "": not tried
	}{
		{"timeout mark", "> text \"a\"\nwait 1s as A\n> text \"b\"\nclose after 1s\n< text \"a\"\n< timeout A\n< text \"b\"\nend us 1000 clean", wellBehaved, "OK/OK", "OK/OK"},
		{"kill", "> text nofin \"a\"\nkill after 1s\n< nothing\nend us 1001", wellBehaved, "OK/OK", "OK/OK"},
		{"close", "> text nofin \"a\"\nclose after 1s\n< nothing\nend us 1000", wellBehaved, "OK/OK", "OK/OK"},
		{"close events", "> close 1000\nkill after 1s\n< close 1000\nend us 1000 clean", wellBehaved, "OK/OK", "OK/OK"},
		{"close without a code", "> close\nkill after 1s\n< close none\nend us 1000 clean told", wellBehaved, "OK/WRONG CODE", "OK/WRONG CODE"},
		{"a raw close begins nothing", "> opcode 8 hex 03 e8\nkill after 1s\n< nothing\nend peer 1000", wellBehaved, "OK/OK", "OK/OK"},
		{"no second close", "> opcode 8 hex 03 e8\nwait 500ms\n> close 1000\nkill after 1s\n< nothing\nend peer 1000", wellBehaved, "OK/OK", "OK/OK"},
		{"head and payload", "> text head \"swan\"\n> bytes \"sw\"\nwait 1s\n> bytes times 1 \"an\"\nclose after 1s\n< text \"swan\"\nend us 1000 clean", wellBehaved, "OK/OK", "OK/OK"},
		{"in the middle of a frame", "> text head \"swan\"\nkill after 1s\n< nothing\nend us any", wellBehaved, "OK/OK", "OK/OK"},
		{"a length that is a lie", "> text length16 300 \"swan\"\n> ping\nkill after 1s\n< nothing\nend either any", wellBehaved, "OK/OK", "OK/OK"},
		{"fragments with an empty last", "> text fragments 2 \"swan\"\nclose after 1s\n< text \"swan\"\nend us 1000 clean", wellBehaved, "OK/OK", "OK/OK"},
		{"key", "> ping key 00000000 \"swan\"\nclose after 1s\n< pong \"swan\"\nend us 1000 clean", wellBehaved, "OK/OK", "FAILED/FAILED"},
		{"masked", "> ping masked \"swan\"\nkill after 1s\n< pong \"swan\"\nend us 1000 clean", wellBehaved, "OK/OK", "FAILED/FAILED"},
		{"unmasked", "> ping unmasked \"swan\"\nkill after 1s\n< nothing\nend peer 1002", wellBehaved, "OK/OK", ""},
		{"many", "> ping times 1000 \"swan\"\nclose after 5s\n< pong times 1000 \"swan\"\nend us 1000 clean", wellBehaved, "OK/OK", "OK/OK"},
		{"alone and in pieces", "> text nofin alone chop 3 \"swan\"\n> cont alone \"goose\"\nclose after 1s\n< text \"swangoose\"\nend us 1000 clean", wellBehaved, "OK/OK", "OK/OK"},
		{"quiet", "> text \"a\"\nkill after 1s\n< text \"a\"\nend us 1001 clean quiet", wellBehaved, "OK/OK", "OK/OK"},
		{"either closes", "> text \"a\"\nkill after 1s\n< text \"a\"\nend either 1000", wellBehaved, "OK/OK", "OK/OK"},
		{"drop", "> text \"a\"\n> drop\n< text maybe \"a\"\nend either any\nalive", wellBehaved, "OK/OK", "OK/OK"},
		{"shutdown where there is none", "> text \"a\"\n> shutdown\n< text maybe \"a\"\nkill after 1s\nend either any", wellBehaved, "OK/OK", "OK/OK"},
		{"reading off", "reading off\n> ping times 100 \"a\"\nwait 1s\nreading on\nclose after 1s\n< pong times 100 \"a\"\nend us 1000 clean", wellBehaved, "OK/OK", "OK/OK"},
		{"not alive", "> text \"a\"\nkill after 1s\n< nothing\nend us any\nalive", saysNothing, "FAILED/FAILED BY CLIENT", ""},
		{"keys", "keys differ\n> text times 3 \"a\"\nkill after 1s\n< text times 3 \"a\"\nend us 1000 clean", wellBehaved, "OK/OK", "OK/OK"},
		{"the same keys", "keys differ\n> text times 3 \"a\"\nkill after 1s\n< text times 3 \"a\"\nend us 1000 clean", sameKey, "OK/OK", "FAILED/UNCLEAN"},
		{"linger", "linger 2s as A\n> text \"a\"\nclose after 1s\n< text \"a\"\n< timeout A\nend us 1000 clean", wellBehaved, "FAILED/OK", "OK/OK"},
		{"linger longer than the client", "linger 9s as A\n> text \"a\"\nclose after 1s\n< text \"a\"\n< timeout A\nend us 1000 clean", wellBehaved, "", "FAILED/OK"},
		{"deflated", "deflate permessage-deflate\ndeflate accept any\n> text deflated \"swan\"\n> text deflated times 2 \"swan\" x 3\nclose after 1s\n< text \"swan\"\n< text times 2 \"swanswanswan\"\nend us 1000 clean", wellBehaved, "OK/OK", "OK/OK"},
		{"deflated though declined", "> text deflated \"swan\"\nkill after 1s\n< nothing\nend peer 1002", wellBehaved, "OK/OK", "OK/OK"},
		{"damaged", "deflate permessage-deflate\ndeflate accept any\n> text \"swan\"\nclose after 1s\n< text \"swan\"\nend us 1000 clean", echoesDamage, "FAILED/WRONG CODE", "FAILED/WRONG CODE"},
		{"strict", "deflate permessage-deflate\ndeflate accept any\nstrict window\nmessage text times 3 from json size 2048\ntimeout 5s", wellBehaved, "OK/OK", "OK/OK"},
		{"strict, and not granted", "deflate permessage-deflate; server_max_window_bits=9\ndeflate accept server_max_window_bits=9\nstrict window\nmessage text times 3 from json size 2048\ntimeout 5s", wellBehaved, "FAILED/FAILED", "OK/OK"},
		{"a series of one text", "message text times 3 \"swan\"\ntimeout 5s", wellBehaved, "OK/OK", "OK/OK"},
		{"a series compressed", "deflate permessage-deflate\ndeflate accept any\nmessage binary times 9 chop 2 \"swan\"\ntimeout 5s", wellBehaved, "OK/OK", "OK/OK"},
		{"a long series", "deflate permessage-deflate; client_max_window_bits\ndeflate accept client_max_window_bits=9\nmessage text times 50 from html size 65536\ntimeout 5s", wellBehaved, "OK/OK", "OK/OK"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := parse(t, beginning+tt.lines)
			if tt.server != "" {
				wantVerdict(t, runServer(t, c, tt.habit), tt.server)
			}
			if tt.client != "" {
				wantVerdict(t, runClientCase(t, c, tt.habit), tt.client)
			}
		})
	}
}

func TestRun_Runs_HandshakesOfServers(t *testing.T) {
	tests := []struct {
		name, lines string
		habit       habit
		want        string
	}{
		{"open", "< open\nend us 1000 clean", wellBehaved, "OK/OK"},
		{"open and echo", "> text \"a\"\n< open Server: echo\n< text \"a\"\nend us 1000 clean", wellBehaved, "OK/OK"},
		{"open with a header", "< open no Server\nend us 1000 clean", wellBehaved, "FAILED/WRONG CODE"},
		{"with frames", "with frames\n> text \"a\"\n< open\n< text \"a\"\nend us 1000 clean", wellBehaved, "OK/OK"},
		{"bytewise", "bytewise\n> text \"a\"\n< open\n< text \"a\"\nend us 1000 clean", wellBehaved, "OK/OK"},
		{"refused", "< refused 403", refuses, "OK/OK"},
		{"refused, but was to open", "< open\nend us 1000", refuses, "FAILED/FAILED"},
		{"refused with another status", "< refused 400,5xx", refuses, "FAILED/FAILED"},
		{"hung up", "< refused any", hangsUp, "OK/OK"},
		{"hung up without a status", "< refused 4xx", hangsUp, "FAILED/FAILED"},
		{"prose", "< refused any", noHTTP, "FAILED/FAILED"},
		{"opened, but was to refuse", "< refused any", wellBehaved, "FAILED/FAILED"},
		{"silence", "raw \"GET / HTTP/1.1\\r\\n\"\nkill after 1s\n< unanswered", wellBehaved, "OK/OK"},
		{"silence, but was to answer", "raw \"GET / HTTP/1.1\\r\\n\"\n< refused any", wellBehaved, "FAILED/FAILED"},
		{"silence with frames", "raw \"GET / HTTP/1.1\\r\\n\"\nwith frames\n> text \"a\"\nkill after 1s\n< refused any", wellBehaved, "FAILED/FAILED"},
		{"dropped before the end", "raw \"GET / HTTP/1.1\\r\\n\"\nwith frames\n> drop\n< refused any", wellBehaved, "FAILED/FAILED"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := parse(t, beginning+"for server\nheader + X-Swan: 1\n"+tt.lines)
			wantVerdict(t, runServer(t, c, tt.habit), tt.want)
		})
	}
}

func TestRun_Runs_HandshakesOfClients(t *testing.T) {
	tests := []struct {
		name, lines string
		habit       habit
		want        string
	}{
		{"open", "header + X-Swan: 1\n< open\nend us 1000 clean", wellBehaved, "OK/OK"},
		{"open and echo", "with frames\n> text \"a\"\n< open\n< text \"a\"\nend us 1000 clean", wellBehaved, "OK/OK"},
		{"refused", "response \"HTTP/1.1 404 Not Found\"\n< refused", wellBehaved, "OK/OK"},
		{"refused, but was to open", "response \"HTTP/1.1 404 Not Found\"\n< open\nend us 1000 clean", wellBehaved, "FAILED/FAILED"},
		{"goes on in spite of the accept", "header = Sec-WebSocket-Accept: x{accept}\n< refused", wellBehaved, "FAILED/FAILED"},
		{"goes on when there is something", "header - Sec-WebSocket-Accept\n> ping \"a\"\n< refused", wellBehaved, "FAILED/FAILED"},
		{"dropped", "raw \"HTTP/1.1 101\"\n> drop\n< refused", wellBehaved, "OK/OK"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := parse(t, beginning+"for client\n"+tt.lines)
			wantVerdict(t, runClientCase(t, c, tt.habit), tt.want)
		})
	}
}

// A client is not to send anything before it has an answer.
func TestRun_Catches_AHastyClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newPipeListener()
		c := builtInCase(t, "1.1.1")
		f := &FuzzingServer{Options: Options{Cases: []Case{c}}}
		done := make(chan struct{})
		go func() { defer close(done); f.Serve(l) }()
		conn, err := l.dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		go conn.Write([]byte("GET /runCase?case=1&agent=a HTTP/1.1\r\nHost: x:80\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " +
			nonce + "\r\nSec-WebSocket-Version: 13\r\n\r\n\x89\x80\x00\x00\x00\x00"))
		go func() {
			for b := make([]byte, 100); ; {
				if _, err := conn.Read(b); err != nil {
					return
				}
			}
		}()
		r, _ := f.await(t.Context(), "a", "1.1.1")
		if !strings.Contains(r.Result, "did not wait") {
			t.Error(r.story())
		}
		f.Close()
		<-done
	})
}

// A peer that never comes to an end does not keep the suite.
func TestRun_Ends_Always(t *testing.T) {
	tests := []struct {
		name, lines string
		serve       func(net.Conn)
		want        string
	}{
		{"no answer", "> text \"a\"\nclose after 1s\n< text \"a\"\nend us 1000", func(c net.Conn) { hold(c) }, "FAILED/FAILED"},
		{"endless answer", "> text \"a\"\nclose after 1s\n< text \"a\"\nend us 1000", func(c net.Conn) {
			go hold(c)
			for {
				if _, err := c.Write([]byte(strings.Repeat("x", 4096))); err != nil {
					return
				}
			}
		}, "FAILED/FAILED"},
		{"a peer that stops reading", "> text \"a\" to 1MiB\nwait 1s\n> text \"b\"\nclose after 1s\n< text \"a\"\nend us 1000", func(c net.Conn) {
			request, _, err := readHead(c)
			if err != nil {
				return
			}
			c.Write([]byte("HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + acceptFor(request.get("Sec-WebSocket-Key")) + "\r\n\r\n"))
			<-time.After(time.Hour)
		}, "FAILED/FAILED"},
		{"a peer that closes and stays", "> text \"a\"\nclose after 1s\n< text \"a\"\nend peer 1000", func(c net.Conn) {
			serve(staying{c}, closesItself)
			<-time.After(time.Hour)
		}, "FAILED/WRONG CODE"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := parse(t, beginning+tt.lines)
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				f := FuzzingClient{Options: Options{Dial: func(context.Context, string, string) (net.Conn, error) {
					ours, theirs := net.Pipe()
					go tt.serve(theirs)
					return ours, nil
				}}}
				u, _ := parseURL("ws://swan.example/")
				r := f.runCase(t.Context(), c, u)
				wantVerdict(t, r, tt.want)
				if took := time.Since(begin); took > time.Minute {
					t.Errorf("it took %v", took)
				}
				<-time.After(2 * time.Hour)
			})
		})
	}
}

// hold reads until the end.
func hold(c net.Conn) {
	for b := make([]byte, 4096); ; {
		if _, err := c.Read(b); err != nil {
			return
		}
	}
}

// staying is a connection that cannot be closed.
type staying struct{ net.Conn }

func (staying) Close() error { return nil }

func TestRun_Stops_WithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		ours, theirs := net.Pipe()
		go serve(theirs, saysNothing)
		f := FuzzingClient{Options: Options{Dial: func(context.Context, string, string) (net.Conn, error) { return ours, nil }}}
		u, _ := parseURL("ws://swan.example/")
		r := f.runCase(ctx, builtInCase(t, "1.1.7"), u)
		if r.NotClean == nil || *r.NotClean != "the suite was stopped" {
			t.Error(r.story())
		}
	})
}

func TestRun_Cuts_LargeMessages(t *testing.T) {
	largest := func(o *Options) { o.Largest = 1000 }
	for id, note := range map[string]bool{"9.1.6": true, "9.7.6": true, "12.1.10": true, "1.1.2": false, "23.3.1": false} {
		c := builtInCase(t, id)
		if c.Side == ForClient {
			continue
		}
		r := runServer(t, c, wellBehaved, largest)
		if cut := strings.Contains(r.Result, "were cut to 1000 octets"); cut != note {
			t.Errorf("%s: %s", id, r.Result)
		}
	}
}

// On a machine that is late itself, the peer gets more time: all deadlines move, and
// keep their order, but not for ever.
func TestRun_Has_Mercy_OnABusyMachine(t *testing.T) {
	r := newRun(&Case{}, &Options{}, nil, false)
	for i := range 5 {
		late := time.Now().Add(-50 * time.Millisecond)
		r.deadlines[caseTimer], r.deadlines[dropLate] = late, late.Add(time.Millisecond)
		spared := r.mercy(time.Since(late))
		if want := i < 3; spared != want || spared && !r.deadlines[caseTimer].After(time.Now()) ||
			r.deadlines[dropLate].Sub(r.deadlines[caseTimer]) != time.Millisecond {
			t.Errorf("time %d: spared %t, %v", i, spared, time.Until(r.deadlines[caseTimer]))
		}
	}
	if r := newRun(&Case{}, &Options{}, nil, false); r.mercy(time.Millisecond) {
		t.Error("a millisecond is not late")
	}
}
