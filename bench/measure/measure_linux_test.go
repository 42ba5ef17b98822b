package measure

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/swan-ws/websocket/bench"
	"github.com/swan-ws/websocket/bench/load"
	"github.com/swan-ws/websocket/bench/servers"
)

func TestMain(m *testing.M) {
	Child()
	os.Exit(m.Run())
}

func swan() servers.Library { return servers.Libraries[0] }

func TestOne_MeasuresEveryKind(t *testing.T) {
	for _, text := range []string{"echo-32:conns=4", "cast-16:conns=5", "takeover-1k:conns=2", "dial:conns=2"} {
		t.Run(text, func(t *testing.T) {
			x := one(t, text)
			if x.Count == 0 || x.CPU <= 0 || x.Rate <= 0 || x.Wire <= 2 || x.Allocs < 0 {
				t.Errorf("got %+v", x)
			}
		})
	}
}

func TestOne_MeasuresTheMemoryOfIdleConnections(t *testing.T) {
	x := one(t, "idle:conns=300")
	if x.Count != 300 || x.Touched < 500 || x.Touched > 1<<20 || x.Collected < 500 || x.Goroutines < 0.9 || x.Goroutines > 3.1 {
		t.Errorf("got %+v", x)
	}
}

func one(t *testing.T, text string) bench.Sample {
	t.Helper()
	list, err := bench.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	x, err := One(swan(), list[0], 3*time.Millisecond, 1)
	if err != nil {
		t.Fatal(err)
	}
	if x.Scenario != text || x.Library != swan().Name {
		t.Errorf("the sample is of %s in %s", x.Library, x.Scenario)
	}
	return x
}

// A server's time is its own, not its clients'.
func TestRun_CountsTheServerAlone(t *testing.T) {
	r, err := Open(swan(), bench.Scenarios[0], 1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	before, err := self()
	if err != nil {
		t.Fatal(err)
	}
	x, err := r.Run(load.Limit{Messages: 2000})
	if err != nil {
		t.Fatal(err)
	}
	after, err := self()
	if err != nil {
		t.Fatal(err)
	}
	usage, err := r.server.Usage()
	if err != nil {
		t.Fatal(err)
	}
	if x.Count != 2000 || int64(x.CPU*2000) > usage.CPU {
		t.Errorf("%d messages of %.0f ns are more than the %d ns of the server", x.Count, x.CPU, usage.CPU)
	}
	if after.CPU == before.CPU {
		t.Error("the clients have taken no time")
	}
}

func TestRun_NoticesThatTheServerHasEnded(t *testing.T) {
	r, err := Open(swan(), bench.Scenarios[0], 1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	r.server.Close()
	_, err = r.Run(load.Limit{Messages: 1})
	if err == nil || !strings.Contains(err.Error(), "echo-32, swan: ") {
		t.Errorf("the error is %v", err)
	}
}

func TestServer_ThatSaysNothing_IsEnded(t *testing.T) {
	s, err := Start(swan(), bench.Off, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	defer func(p time.Duration) { patience = p }(patience)
	patience = time.Millisecond
	if err := s.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Usage(); err == nil || !strings.Contains(err.Error(), "has ended") {
		t.Errorf("the error is %v", err)
	}
}

func TestStart_SaysWhichServerDoesNotStart(t *testing.T) {
	_, err := Start(servers.Library{Name: "goose"}, bench.Off, 1)
	if err == nil || !strings.Contains(err.Error(), "the server of goose does not start") {
		t.Errorf("the error is %v", err)
	}
}

func TestCores_TheClientsHaveOneOfTheirOwn_IfThereIsOne(t *testing.T) {
	defer func(all []int) { cores = all }(cores)
	cores = []int{2, 5, 7}
	for _, c := range []struct {
		procs           int
		server, clients []int
	}{
		{1, []int{2}, []int{7}},
		{2, []int{2, 5}, []int{7}},
		{3, []int{2, 5, 7}, []int{2, 5, 7}},
	} {
		if got := serverCores(c.procs); len(got) != len(c.server) || got[0] != c.server[0] {
			t.Errorf("a server on %d cores is on %v, want %v", c.procs, got, c.server)
		}
		if got := clientCores(c.procs); len(got) != len(c.clients) || got[0] != c.clients[0] {
			t.Errorf("its clients are on %v, want %v", got, c.clients)
		}
	}
}
