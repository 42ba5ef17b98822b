package measure

import (
	"fmt"
	"time"

	"github.com/swan-ws/websocket/bench"
	"github.com/swan-ws/websocket/bench/load"
	"github.com/swan-ws/websocket/bench/servers"
)

// One measures lib in s for about t, after a third of that to get warm, on a server
// with procs cores.
func One(lib servers.Library, s bench.Scenario, t time.Duration, procs int) (bench.Sample, error) {
	r, err := Open(lib, s, procs)
	if err != nil {
		return bench.Sample{}, err
	}
	defer r.Close()
	if s.Kind == bench.Idle {
		return r.Idle()
	}
	if _, err := r.Run(load.Limit{Time: t / 3}); err != nil {
		return bench.Sample{}, err
	}
	return r.Run(load.Limit{Time: t})
}

// A Run is a server and its clients.
type Run struct {
	lib    servers.Library
	s      bench.Scenario
	procs  int
	server *Server
	load   *load.Load
	before Usage // the clients
}

// Open starts lib's server and connects the clients of s to it. The caller must
// Close it.
func Open(lib servers.Library, s bench.Scenario, procs int) (*Run, error) {
	r := &Run{lib: lib, s: s, procs: procs}
	var err error
	if r.server, err = Start(lib, s.Deflate, procs); err != nil {
		return nil, err
	}
	if r.before, err = r.server.Collected(); err == nil {
		err = onCores(clientCores(procs), func() (err error) {
			r.load, err = load.New(r.server.Addr, s)
			return err
		})
	}
	if err != nil {
		r.Close()
		return nil, r.wrap(err)
	}
	return r, nil
}

func (r *Run) wrap(err error) error {
	if err != nil {
		err = fmt.Errorf("%s, %s: %w", r.s.Name, r.lib.Name, err)
	}
	return err
}

// Close ends both.
func (r *Run) Close() {
	if r.load != nil {
		r.load.Close()
	}
	r.server.Close()
}

// Run has the clients do what they are for and measures the server meanwhile.
func (r *Run) Run(limit load.Limit) (bench.Sample, error) {
	x := bench.Sample{Scenario: r.s.Name, Library: r.lib.Name}
	before, err := r.server.Usage()
	if err != nil {
		return x, r.wrap(err)
	}
	count, err := r.clients(limit)
	if err != nil {
		return x, r.wrap(err)
	}
	after, err := r.server.Usage()
	if err != nil {
		return x, r.wrap(err)
	}
	n := float64(count.Messages)
	x.Count = count.Messages
	x.CPU = float64(after.CPU-before.CPU) / n
	x.Rate = n / count.Time.Seconds()
	x.Allocs = float64(after.Allocs-before.Allocs) / n
	x.Wire = float64(count.Bytes) / n
	return x, nil
}

func (r *Run) clients(limit load.Limit) (count load.Count, err error) {
	err = onCores(clientCores(r.procs), func() (err error) {
		count, err = r.load.Run(limit)
		return err
	})
	return count, err
}

// Idle measures what the server has for each connection.
func (r *Run) Idle() (bench.Sample, error) {
	x := bench.Sample{Scenario: r.s.Name, Library: r.lib.Name, Count: r.s.Conns}
	if _, err := r.clients(load.Limit{}); err != nil {
		return x, r.wrap(err)
	}
	touched, err := r.server.Usage()
	if err != nil {
		return x, r.wrap(err)
	}
	collected, err := r.server.Collected()
	if err != nil {
		return x, r.wrap(err)
	}
	n := float64(r.s.Conns)
	x.Touched = float64(touched.Resident-r.before.Resident) / n
	x.Collected = float64(collected.Resident-r.before.Resident) / n
	x.Goroutines = float64(collected.Goroutines-r.before.Goroutines) / n
	return x, nil
}
