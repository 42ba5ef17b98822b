package bench_test

import (
	"os"
	"testing"

	"github.com/swan-ws/websocket/bench"
	"github.com/swan-ws/websocket/bench/load"
	"github.com/swan-ws/websocket/bench/measure"
	"github.com/swan-ws/websocket/bench/servers"
)

func TestMain(m *testing.M) {
	measure.Child()
	os.Exit(m.Run())
}

func BenchmarkEcho(b *testing.B) {
	forEach(b, func(s bench.Scenario) bool { return s.Kind == bench.Echo && s.Deflate == bench.Off })
}

func BenchmarkDeflate(b *testing.B) {
	forEach(b, func(s bench.Scenario) bool { return s.Kind == bench.Echo && s.Deflate != bench.Off })
}

func BenchmarkBroadcast(b *testing.B) {
	forEach(b, func(s bench.Scenario) bool { return s.Kind == bench.Broadcast })
}

func BenchmarkDial(b *testing.B) {
	forEach(b, func(s bench.Scenario) bool { return s.Kind == bench.Dial })
}

func BenchmarkIdle(b *testing.B) {
	forEach(b, func(s bench.Scenario) bool { return s.Kind == bench.Idle })
}

// forEach runs a benchmark for each of the scenarios wanted and each library.
func forEach(b *testing.B, wanted func(bench.Scenario) bool) {
	for _, s := range bench.Scenarios {
		for _, l := range servers.Libraries {
			switch {
			case !wanted(s) || !l.Takes(s):
			case s.Kind == bench.Idle:
				b.Run(s.Name+"/"+l.Name, func(b *testing.B) { idle(b, s, l) })
			default:
				traffic(b, s, l)
			}
		}
	}
}

// traffic is one benchmark, on one server for all values of b.N.
func traffic(b *testing.B, s bench.Scenario, l servers.Library) {
	var r *measure.Run
	defer func() {
		if r != nil {
			r.Close()
		}
	}()
	b.Run(s.Name+"/"+l.Name, func(b *testing.B) {
		var err error
		if r == nil {
			if r, err = measure.Open(l, s, 1); err != nil {
				b.Fatal(err)
			}
		}
		if s.Kind == bench.Echo {
			b.SetBytes(int64(s.Size))
		}
		b.ResetTimer()
		x, err := r.Run(load.Limit{Messages: b.N})
		if err != nil {
			b.Fatal(err)
		}
		unit := map[bench.Kind]string{bench.Echo: "msg", bench.Broadcast: "delivery", bench.Dial: "dial"}[s.Kind]
		b.ReportMetric(x.CPU, "cpu-ns/"+unit)
		b.ReportMetric(x.Rate, unit+"/s")
		b.ReportMetric(x.Allocs, "allocs/"+unit)
		if s.Deflate != bench.Off {
			b.ReportMetric(x.Wire, "wire-B/"+unit)
		}
	})
}

func idle(b *testing.B, s bench.Scenario, l servers.Library) {
	for b.Loop() {
		x, err := measure.One(l, s, 0, 1)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(x.Touched, "B/conn")
		b.ReportMetric(x.Collected, "B-collected/conn")
		b.ReportMetric(x.Goroutines, "goroutines/conn")
	}
}
