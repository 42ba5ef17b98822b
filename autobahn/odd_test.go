package autobahn_test

import (
	"flag"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/swan-ws/websocket/autobahn"
	"github.com/swan-ws/websocket/autobahn/internal/oddpeer"
)

// The table of faults, and of the cases that see them: testdata/odd.golden. The
// test runs these cases only; with -odd it looks for them anew and writes the
// table.
var findOdd = flag.Bool("odd", false, "write testdata/odd.golden")

const (
	oddTable    = "testdata/odd.golden"
	oddMessages = 4  // in a series
	oddNamed    = 4  // cases in the table, for each fault and role
	oddFaults   = 32 // at once
	oddCases    = 16 // of each, at once
)

// The peer without a fault is the control: what it fails, the suite has wrong.
func TestOdd_PeerWithoutFaultPassesEverything(t *testing.T) {
	if !*full {
		t.Skip("all cases: run this with -full")
	}
	for _, role := range oddRoles {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			cases := forRole(autobahn.Cases(), role)
			for _, r := range runOdd(t, role, "", cases) {
				if verdict := caught(r); verdict != "" {
					t.Errorf("%s: %s/%s: %s %s", r.ID, r.Behavior, r.BehaviorClose, r.Result, r.ResultClose)
				}
			}
		})
	}
}

func TestOdd_EveryFaultIsCaught(t *testing.T) {
	if !*full && !*findOdd {
		t.Skip("hundreds of peers: run this with -full")
	}
	table := readOdd(t)
	var mu sync.Mutex
	found := map[string][]string{}
	try := func(f oddpeer.Fault, role string) {
		include := f.Look
		if !*findOdd {
			include = ids(table[role+" "+f.Name])
		}
		by := catch(t, role, f.Name, quickFirst(forRole(selected(t, include), role)))
		mu.Lock()
		defer mu.Unlock()
		found[role+" "+f.Name] = by
	}
	eachFault(try)
	if *findOdd {
		writeOdd(t, found)
		return
	}
	// What is a matter of time may escape among so many: once more, alone.
	for _, f := range oddpeer.Faults {
		for _, role := range oddRoles {
			if row := role + " " + f.Name; inRole(f, role) && !overlap(table[row], found[row]) {
				if try(f, role); !overlap(table[row], found[row]) {
					t.Errorf("%s is not caught by %q, but by %q: run this test with -odd", row, table[row], found[row])
				}
			}
		}
	}
	for row := range table {
		if _, ok := found[row]; !ok {
			t.Errorf("%s: there is no such fault: run this test with -odd", row)
		}
	}
}

// selected are the cases with these ids. A peer that cannot even be tested is told
// by any.
func selected(t *testing.T, include []string) []autobahn.Case {
	cases := autobahn.Cases()
	include = existing(cases, include)
	if len(include) == 0 {
		include = []string{"1.1.1"}
	}
	cases, err := autobahn.Select(cases, include, nil)
	if err != nil {
		t.Error(err)
	}
	return cases
}

// overlap reports whether a case is in both rows.
func overlap(want, got []string) bool {
	return slices.ContainsFunc(ids(want), func(id string) bool { return slices.Contains(ids(got), id) })
}

var oddRoles = []string{"server", "client"}

// eachFault calls f for each fault and role, some at once.
func eachFault(f func(fault oddpeer.Fault, role string)) {
	var running sync.WaitGroup
	slots := make(chan bool, oddFaults)
	for _, fault := range oddpeer.Faults {
		for _, role := range oddRoles {
			if inRole(fault, role) {
				slots <- true
				running.Go(func() {
					defer func() { <-slots }()
					f(fault, role)
				})
			}
		}
	}
	running.Wait()
}

func inRole(f oddpeer.Fault, role string) bool {
	return role == "server" && f.Server || role == "client" && f.Client
}

func forRole(cases []autobahn.Case, role string) []autobahn.Case {
	return slices.DeleteFunc(slices.Clone(cases), func(c autobahn.Case) bool {
		return c.Side == autobahn.ForServer && role == "client" || c.Side == autobahn.ForClient && role == "server"
	})
}

// quickFirst has the cases of section 9, which wait 100 seconds for an echo, come last.
func quickFirst(cases []autobahn.Case) []autobahn.Case {
	patient := func(c autobahn.Case) bool { return strings.HasPrefix(c.ID, "9.") }
	return append(slices.DeleteFunc(slices.Clone(cases), patient),
		slices.DeleteFunc(cases, func(c autobahn.Case) bool { return !patient(c) })...)
}

// existing leaves out patterns that no case has, which Select objects to.
func existing(cases []autobahn.Case, patterns []string) []string {
	return slices.DeleteFunc(slices.Clone(patterns), func(p string) bool {
		_, err := autobahn.Select(cases, []string{p}, nil)
		return err != nil
	})
}

// catch returns the first cases that see a fault, and how each does. Of what is
// found only that counts which is seen twice.
func catch(t *testing.T, role, fault string, cases []autobahn.Case) (by []string) {
	for some := range slices.Chunk(cases, oddCases) {
		first := runOdd(t, role, fault, some)
		if *findOdd {
			some = slices.DeleteFunc(slices.Clone(some), func(c autobahn.Case) bool {
				return !slices.ContainsFunc(first, func(r autobahn.Result) bool { return r.ID == c.ID && caught(r) != "" })
			})
			if len(some) == 0 {
				continue
			}
			first = runOdd(t, role, fault, some)
		}
		for _, r := range first {
			if verdict := caught(r); verdict != "" && len(by) < oddNamed {
				by = append(by, r.ID+" "+verdict)
			}
		}
		if len(by) == oddNamed {
			break
		}
	}
	return by
}

// caught returns "" if the peer did well, else what the table says of it.
func caught(r autobahn.Result) string {
	switch {
	case r.Behavior == autobahn.NonStrict || !r.Behavior.Good():
		return strings.ToLower(string(r.Behavior))
	case !r.BehaviorClose.Good():
		return "close " + strings.ToLower(string(r.BehaviorClose))
	}
	return ""
}

// runOdd runs cases against the peer with a fault, which "" is none.
func runOdd(t *testing.T, role, fault string, cases []autobahn.Case) []autobahn.Result {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Error(err)
		return nil
	}
	o := autobahn.Options{Cases: cases, Messages: oddMessages, Parallel: oddCases}
	if fault == "" {
		o.Patience = 5 // all of them at once keep a machine busy
	}
	if role == "server" {
		return runOddServer(t, l, oddpeer.New(fault), o)
	}
	return runOddClient(t, l, oddpeer.New(fault), o)
}

func runOddServer(t *testing.T, l net.Listener, peer oddpeer.Peer, o autobahn.Options) []autobahn.Result {
	var running sync.WaitGroup
	running.Go(func() { peer.Serve(l) })
	defer running.Wait()
	defer l.Close()
	results, err := (&autobahn.FuzzingClient{Options: o}).Run(t.Context(), "ws://"+l.Addr().String())
	if err != nil { // it is no WebSocket server, which is to say that it has been caught
		results = []autobahn.Result{{ID: "start", Behavior: autobahn.Failed}}
	}
	return results
}

func runOddClient(t *testing.T, l net.Listener, peer oddpeer.Peer, o autobahn.Options) []autobahn.Result {
	return runClient(t, l, l.Addr().String(), o, func(at string) { peer.Echo(t.Context(), "ws://"+at) })
}

// readOdd reads the table: for each role and fault, the cases that catch it.
func readOdd(t *testing.T) map[string][]string {
	text, err := os.ReadFile(oddTable)
	if err != nil && !*findOdd {
		t.Fatal(err)
	}
	table := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		if row, cases, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && row[0] != '#' {
			table[row] = strings.Split(cases, ", ")
		}
	}
	return table
}

func writeOdd(t *testing.T, table map[string][]string) {
	b := []byte("# Faults of an echo peer (internal/oddpeer/faults.txt), and the first cases that see them.\n" +
		"# Written by go test ./autobahn -run Odd -odd.\n\n")
	for _, row := range slices.Sorted(maps.Keys(table)) {
		if len(table[row]) == 0 {
			t.Errorf("%s: no case catches it", row)
			continue
		}
		b = fmt.Appendf(b, "%s: %s\n", row, strings.Join(table[row], ", "))
	}
	if err := os.WriteFile(oddTable, b, 0o644); err != nil {
		t.Error(err)
	}
}

// ids are the cases of a row of the table.
func ids(row []string) (list []string) {
	for _, entry := range row {
		id, _, _ := strings.Cut(entry, " ")
		list = append(list, id)
	}
	return list
}
