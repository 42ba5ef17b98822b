package autobahn

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/autobahn/internal/wire"
)

// startFuzzer serves in a bubble until the test ends.
func startFuzzer(t *testing.T, f *FuzzingServer) *pipeListener {
	t.Helper()
	l := newPipeListener()
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := f.Serve(l); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		f.Close()
		serving.Wait()
	})
	return l
}

// ask asks for a path and returns the status, and the message or the sentence.
func ask(t *testing.T, l *pipeListener, path string) (status, said string) {
	t.Helper()
	conn, err := l.dial(t.Context())
	if err != nil {
		return "gone", ""
	}
	defer conn.Close()
	conn.Write([]byte("GET " + path + " HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " + nonce + "\r\nSec-WebSocket-Version: 13\r\n\r\n"))
	h, rest, err := readHead(conn)
	if err != nil {
		t.Fatal(err)
	}
	status = strings.Fields(h.first)[1]
	var r wire.Reader
	for b := make([]byte, 1000); ; {
		if status != "101" {
			said += string(rest)
			rest = nil
		}
		r.Feed(rest)
		for item, ok := r.Next(); ok; item, ok = r.Next() {
			if item.Kind == wire.Message {
				said = string(item.Payload)
			} else if item.Header.Opcode == wire.Close {
				conn.Write(wire.Header{Fin: true, Opcode: wire.Close, Masked: true}.Append(nil))
			}
		}
		n, err := conn.Read(b)
		if err != nil {
			return status, said
		}
		rest = b[:n]
	}
}

func TestFuzzingServer_Answers(t *testing.T) {
	reports := 0
	f := &FuzzingServer{Options: Options{Cases: chosen(t, "1.1.*", "20.1.1", "9.7.1"), Messages: 7},
		Reports: func(all []Result) error {
			if reports++; reports > 1 {
				return errors.New("the disk is full")
			}
			if len(all) != 2 || all[0].Agent != "a" || all[1].Agent != "b" {
				t.Errorf("%d results", len(all))
			}
			return nil
		},
		Exclude: func(agent string) func(string) bool {
			if agent != "c" {
				return nil
			}
			return func(id string) bool { return id == "1.1.2" }
		}}
	tests := []struct{ path, status, said string }{
		{"/getCaseCount", "101", "9"},
		{"/getCaseInfo?case=1", "101", `{"description":"Sends a text message of 0 octets in one frame.","id":"1.1.1"}`},
		{"/getCaseInfo?casetuple=9.7.1", "101", ""},
		{"/getCaseInfo?case=0", "500", "There is no case number \"0\": write case=N, from 1 to 9, or casetuple=6.4.1.\n"},
		{"/getCaseInfo?case=10", "500", ""},
		{"/getCaseInfo", "500", ""},
		{"/getCaseInfo?casetuple=20.1.1", "500", "There is no case \"20.1.1\" here: write an id like 6.4.1.\n"},
		{"/runCase?case=1", "500", "Say who you are: add agent=NAME.\n"},
		{"/runCase?agent=a", "500", ""},
		{"/runCase?agent=a&case=1", "101", ""},
		{"/runCase?agent=b&casetuple=1.1.1", "101", ""},
		{"/runCase?agent=c&casetuple=1.1.2", "101", ""},
		{"/getCaseStatus?agent=a&case=1", "101", `{"behavior":"FAILED"}`},
		{"/getCaseStatus?case=1", "500", ""},
		{"/getCaseStatus?agent=a", "500", ""},
		{"/updateReports", "500", ""},
		{"/updateReports?agent=a", "101", ""},
		{"/updateReports?agent=a", "500", "The disk is full.\n"},
		{"/", "404", ""},
		{"x", "400", "The request names no path.\n"},
	}
	synctest.Test(t, func(t *testing.T) {
		l := startFuzzer(t, f)
		for _, tt := range tests {
			status, said := ask(t, l, tt.path)
			if status != tt.status || tt.said != "" && said != tt.said {
				t.Errorf("%s: %s %q, want %s %q", tt.path, status, said, tt.status, tt.said)
			}
		}
		if len(f.Results("c")) != 0 || len(f.Results("a")) != 1 || f.Results("a")[0].Case != 1 {
			t.Error("results of others")
		}
	})
}

func TestFuzzingServer_Stops(t *testing.T) {
	for _, path := range []string{"/stopServer", "/updateReports?agent=a&shutdownOnComplete=true"} {
		synctest.Test(t, func(t *testing.T) {
			l := newPipeListener()
			f := &FuzzingServer{Options: Options{Cases: chosen(t, "1.1.1")}}
			done := make(chan error)
			go func() { done <- f.Serve(l) }()
			waiting := make(chan string)
			go func() {
				status, _ := ask(t, l, "/getCaseStatus?agent=a&case=1")
				waiting <- status
			}()
			synctest.Wait()
			if status, _ := ask(t, l, path); status != "101" {
				t.Errorf("%s: %s", path, status)
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
			if status := <-waiting; status != "500" {
				t.Errorf("who waited for a result got %s", status)
			}
			f.Close()
		})
	}
}

// Everything is in order, whatever comes instead of a request.
func TestFuzzingServer_Refuses_BadRequests(t *testing.T) {
	tests := []struct{ name, request, want string }{
		{"no HTTP", "swan\r\n\r\n", "names no path"},
		{"no headers", "GET /runCase?case=1&agent=a HTTP/1.1\r\n\r\n", "There is no header Host"},
		{"bad header", "GET / HTTP/1.1\r\nswan\r\n\r\n", "no name and colon"},
		{"too much", "GET / HTTP/1.1\r\nX: " + strings.Repeat("x", maxHead+4096), "more than 65536 octets"},
		{"half", "GET / HT", "not complete"},
		{"bad offer", "GET /runCase?case=2&agent=a HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " + nonce +
			"\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate; x\r\n\r\n", "unknown parameter"},
	}
	synctest.Test(t, func(t *testing.T) {
		f := &FuzzingServer{Options: Options{Cases: chosen(t, "1.1.*"), Wrap: func(c net.Conn) net.Conn { return c }}}
		l := startFuzzer(t, f)
		for _, tt := range tests {
			conn, _ := l.dial(t.Context())
			go conn.Write([]byte(tt.request))
			var got strings.Builder
			for b := make([]byte, 1000); ; {
				n, err := conn.Read(b)
				got.Write(b[:n])
				if err != nil {
					break
				}
			}
			if !strings.Contains(got.String(), tt.want) {
				t.Errorf("%s: %q, want %q", tt.name, got.String(), tt.want)
			}
			conn.Close()
		}
		if results := f.Results("a"); len(results) != 2 || results[0].Behavior != Failed || !strings.Contains(results[0].Result, "there is no header Host") {
			t.Errorf("%v", results)
		}
	})
}

func TestFuzzingServer_Says_WhatIsWrong(t *testing.T) {
	l := newPipeListener()
	f := &FuzzingServer{Options: Options{Cases: []Case{parse(t, beginning+"for server\nbytewise\n< open\nend us 1000")}}}
	if err := f.Serve(l); err == nil || !strings.Contains(err.Error(), "none of those chosen is for clients") {
		t.Error(err)
	}
	l = newPipeListener()
	l.Close()
	f = &FuzzingServer{Options: Options{Cases: chosen(t, "1.1.1")}}
	if err := f.Serve(l); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

// A client that is closed upon ends at once, and its case has no result.
func TestFuzzingServer_Close_EndsCases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &FuzzingServer{Options: Options{Cases: chosen(t, "9.1.1")}}
		l := startFuzzer(t, f)
		begin := time.Now()
		ended := make(chan error)
		go func() { ended <- dialEcho(t.Context(), l.dial, "/runCase?agent=a&case=1", saysNothing) }()
		synctest.Wait()
		f.Close()
		<-ended
		if took := time.Since(begin); took > time.Second || len(f.Results("a")) > 0 {
			t.Errorf("after %v there are %d results", took, len(f.Results("a")))
		}
		if _, err := l.dial(context.Background()); err == nil {
			t.Error("somebody still listens")
		}
	})
}

func TestFuzzingServer_Results_AreInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var finished []string
		f := &FuzzingServer{Options: Options{Cases: chosen(t, "1.*", "2.*"), OnResult: func(r Result) { finished = append(finished, r.ID) }}}
		l := startFuzzer(t, f)
		for _, c := range slices.Backward(f.Cases) {
			if err := dialEcho(t.Context(), l.dial, "/runCase?agent=a&casetuple="+c.ID, wellBehaved); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		results := f.Results("a")
		for i, r := range results {
			if r.ID != f.Cases[i].ID || r.Case != i+1 || !r.IsServer {
				t.Errorf("%d: %s", i, r.ID)
			}
			wantVerdict(t, r, "OK/OK")
		}
		if len(results) != len(f.Cases) || len(finished) != len(results) || finished[0] != "2.11" {
			t.Errorf("%d results, finished %v", len(results), finished)
		}
	})
}
