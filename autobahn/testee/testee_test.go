package testee_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/swan-ws/websocket"
	"github.com/swan-ws/websocket/autobahn"
	"github.com/swan-ws/websocket/autobahn/testee"
	"github.com/swan-ws/websocket/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// fuzzingServer runs the cases of a section, and counts the reports it writes.
func fuzzingServer(t *testing.T, section string) (server *autobahn.FuzzingServer, url string, reports *int) {
	t.Helper()
	cases, err := autobahn.Select(autobahn.Cases(), []string{section}, nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	reports = new(int)
	server = &autobahn.FuzzingServer{
		Options: autobahn.Options{Cases: cases},
		Reports: func([]autobahn.Result) error { *reports++; return nil },
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.Serve(l)
	}()
	t.Cleanup(func() {
		server.Close()
		<-done
	})
	return server, "ws://" + l.Addr().String(), reports
}

func TestClient_RunsAllCasesAndAsksForTheReport(t *testing.T) {
	server, url, reports := fuzzingServer(t, "1.*")
	var told []int
	err := testee.Client(t.Context(), url, "", testee.Options{OnCase: func(number, all int) {
		if all != 16 {
			t.Errorf("case %d of %d, want 16", number, all)
		}
		told = append(told, number)
	}})
	if err != nil {
		t.Fatal(err)
	}
	results := server.Results(testee.Agent)
	if len(results) != 16 || len(told) != 16 || told[0] != 1 || told[15] != 16 || *reports != 1 {
		t.Errorf("%d results, told of %v, %d reports, want 16 of each and 1 report", len(results), told, *reports)
	}
	for _, r := range results {
		if r.Behavior != autobahn.OK || r.BehaviorClose != autobahn.OK {
			t.Errorf("%s: %s, close %s", r.ID, r.Behavior, r.BehaviorClose)
		}
	}
}

// Cases in which the client has to refuse the server's answer do not stop it.
func TestClient_GoesOnAfterRefusals(t *testing.T) {
	server, url, _ := fuzzingServer(t, "21.5.*")
	if err := testee.Client(t.Context(), url, "swan"); err != nil {
		t.Fatal(err)
	}
	if results := server.Results("swan"); len(results) < 2 {
		t.Errorf("%d results", len(results))
	}
}

func TestClient_EndsWithItsContext(t *testing.T) {
	server, url, reports := fuzzingServer(t, "1.*")
	ctx, cancel := context.WithCancel(t.Context())
	err := testee.Client(ctx, url, "swan", testee.Options{OnCase: func(number, _ int) {
		if number == 3 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) || len(server.Results("swan")) > 3 || *reports != 0 {
		t.Errorf("%v after %d cases and %d reports", err, len(server.Results("swan")), *reports)
	}
}

func TestClient_SaysWhatToDo(t *testing.T) {
	says := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			c, err := websocket.Accept(w, r, nil)
			if err != nil {
				return
			}
			if text != "" {
				c.WriteText(r.Context(), text)
			}
			c.Close(websocket.CloseNormal, "")
		}
	}
	for _, test := range []struct {
		name    string
		url     string // or that of a server with handler
		handler http.HandlerFunc
		want    string
	}{
		{"no URL", "ws://%", nil, "want the ws://HOST:PORT of a fuzzing server"},
		{"another scheme", "ftp://localhost", nil, "want the ws://HOST:PORT of a fuzzing server that runs"},
		{"nobody there", "ws://127.0.0.1:1", nil, "want the ws://HOST:PORT of a fuzzing server that runs"},
		{"no WebSocket", "", http.NotFound, "404"},
		{"no number", "", says(""), "is it a fuzzing server?"},
		{"something else", "", says("swan"), `"swan" for the number of cases`},
	} {
		t.Run(test.name, func(t *testing.T) {
			url := test.url
			if test.handler != nil {
				s := httptest.NewServer(test.handler)
				defer s.Close()
				url = "ws" + strings.TrimPrefix(s.URL, "http")
			}
			if err := testee.Client(t.Context(), url, "swan"); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want something with %q", err, test.want)
			}
		})
	}
}

// A server that goes away in the middle is not taken for one that refuses.
func TestClient_SaysThatTheServerIsGone(t *testing.T) {
	server, url, _ := fuzzingServer(t, "1.*")
	err := testee.Client(t.Context(), url, "swan", testee.Options{OnCase: func(number, _ int) {
		if number == 3 {
			server.Close()
		}
	}})
	if err == nil || !strings.Contains(err.Error(), "does the fuzzing server still run?") {
		t.Error(err)
	}
}

func TestHandler_LeavesOtherRequestsToHTTP(t *testing.T) {
	s := httptest.NewServer(testee.Handler())
	defer s.Close()
	response, err := http.Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if io.Copy(io.Discard, response.Body); response.StatusCode != http.StatusUpgradeRequired {
		t.Error(response.Status)
	}
}
