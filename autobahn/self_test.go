package autobahn_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"log/slog"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/swan-ws/websocket"
	"github.com/swan-ws/websocket/autobahn"
	"github.com/swan-ws/websocket/autobahn/testee"
)

// With -full the series are as long as in the original suite, where a connection
// is plain or a stream of HTTP/2: 1000 messages, up to 16 MiB.
var full = flag.Bool("full", false, "run all cases in full")

// A setting is a way for the suite and our peers to be connected.
type setting struct {
	name      string
	options   autobahn.Options
	secure    bool
	chopped   bool // at both ends
	proxied   bool
	events    bool     // the server is a Service in an event loop
	only      []string // sections, if it is not all of them
	without   []string // sections that are left out
	nonStrict []string // sections where NON-STRICT is good enough
}

var settings = []setting{
	{name: "plain", options: autobahn.Options{Patience: 5, Messages: 10}},
	{name: "TLS", options: autobahn.Options{Patience: 5, Messages: 3, Largest: 1 << 18}, secure: true},
	{
		name: "chopped", options: autobahn.Options{Patience: 5, Messages: 2, Largest: 1 << 12}, chopped: true,
		// Floods, and frames of 64 KiB by the dozen, which take their time so.
		without: []string{"23.4.", "25.4."},
		// net/http leaves the rest of a malformed request unread, so that a reset can
		// overtake its answer.
		nonStrict: []string{"20.7.", "20.8."},
	},
	{name: "event loop", options: autobahn.Options{Patience: 5, Messages: 10}, events: true},
	{name: "proxied", options: autobahn.Options{Patience: 5, Messages: 3, Largest: 1 << 18}, proxied: true},
}

// Our server and client do the best that a case knows of, however they are
// connected.
func TestSelf_PassesEverything(t *testing.T) {
	if testing.Short() {
		t.Skip("all cases, in all settings and both roles")
	}
	for _, s := range settings {
		if *full && s.name == "plain" {
			s.options.Messages = 0
		}
		for role, run := range map[string]func(*testing.T) []autobahn.Result{"server": s.testServer, "client": s.testClient} {
			if s.events && role == "client" {
				continue
			}
			t.Run(s.name+"/"+role, func(t *testing.T) {
				t.Parallel() // they wait most of the time
				s.judge(t, role, run(t))
			})
		}
	}
}

// informational are the cases in which everything is well.
var informational = []string{"7.1.6", "7.13.1", "7.13.2"}

const originals = 517 // cases that the original suite has

// judge wants OK of every case, and of every end.
func (s setting) judge(t *testing.T, role string, results []autobahn.Result) {
	t.Helper()
	if all := len(s.cases(role)); len(results) != all {
		t.Errorf("%d results, want %d", len(results), all)
	}
	counts := map[autobahn.Behavior]int{}
	for _, r := range results {
		want := autobahn.OK
		switch {
		case slices.Contains(informational, r.ID):
			want = autobahn.Informational
		case r.Behavior == autobahn.NonStrict && named(s.nonStrict, r.ID):
			r.Behavior = autobahn.OK
		}
		if r.Behavior != want || r.BehaviorClose != want {
			t.Errorf("%s: %s, close %s, want %s of both: %s %s", r.ID, r.Behavior, r.BehaviorClose, want, r.Result, r.ResultClose)
		}
		if section, _, _ := strings.Cut(r.ID, "."); len(section) == 1 || section < "20" {
			counts[r.Behavior]++
		}
	}
	if good := originals - len(informational); s.only == nil && (counts[autobahn.OK] != good || counts[autobahn.Informational] != len(informational)) {
		t.Errorf("of the original's cases %v, want %d OK and %d INFORMATIONAL", counts, good, len(informational))
	}
}

// cases are those that a role is tested with.
func (s setting) cases(role string) []autobahn.Case {
	return slices.DeleteFunc(forRole(autobahn.Cases(), role), func(c autobahn.Case) bool {
		return named(s.without, c.ID) || s.only != nil && !named(s.only, c.ID)
	})
}

// named reports whether one of the sections given has the case.
func named(sections []string, id string) bool {
	return slices.ContainsFunc(sections, func(s string) bool { return strings.HasPrefix(id, s) })
}

func (s setting) testServer(t *testing.T) []autobahn.Result {
	l := listen(t)
	address, scheme := l.Addr().String(), "ws://"
	if s.proxied {
		address = proxy(t, address)
	}
	if s.chopped {
		l, s.options.Wrap = choppedListener{l}, chop
	}
	srv := &websocket.Server{Handler: testee.Handler(), Logger: slog.New(slog.DiscardHandler)}
	if s.events {
		service := testee.Service()
		service.EventLoop = true
		srv.Handler = service
	}
	serve := func() error { return srv.Serve(l) }
	if s.secure {
		scheme = "wss://"
		srv.TLSConfig, s.options.TLS = certificate(t)
		serve = func() error { return srv.ServeTLS(l, "", "") }
	}
	during(t, srv.Close, serve)
	s.options.Cases = s.cases("server")
	results, err := (&autobahn.FuzzingClient{Options: s.options}).Run(t.Context(), scheme+address)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

func (s setting) testClient(t *testing.T) []autobahn.Result {
	l := listen(t)
	address, scheme := l.Addr().String(), "ws://"
	if s.proxied {
		address = proxy(t, address)
	}
	var o testee.Options
	if s.chopped {
		s.options.Wrap = chop
		o.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			nc, err := new(net.Dialer).DialContext(ctx, network, addr)
			return chop(nc), err
		}
	}
	if s.secure {
		scheme = "wss://"
		s.options.TLS, o.TLS = certificate(t)
		l = tls.NewListener(l, s.options.TLS)
	}
	s.options.Cases = s.cases("client")
	return runClient(t, l, address, s.options, func(at string) { o.Echo(t.Context(), scheme+at) })
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// during runs serve until the end of the test.
func during(t *testing.T, stop, serve func() error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		serve()
	}()
	t.Cleanup(func() {
		stop()
		<-done
	})
}

// certificate returns what a server on this machine needs, and a client of it.
func certificate(t *testing.T) (server, client *tls.Config) {
	s := httptest.NewTLSServer(nil)
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates}, &tls.Config{RootCAs: roots}
}
