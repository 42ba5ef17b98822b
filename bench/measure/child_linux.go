package measure

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"syscall"

	"github.com/swan-ws/websocket/bench"
	"github.com/swan-ws/websocket/bench/servers"
)

// child is the environment variable that makes a process a server: its value is the
// library's name and how messages are compressed, separated by a comma.
const child = "WEBSOCKET_BENCH_SERVER"

// Child serves, and does not return, in a process that Start has made; in others it
// does nothing. Call it first in main and in TestMain.
func Child() {
	name, d, asked := strings.Cut(os.Getenv(child), ",")
	if !asked {
		return
	}
	list, err := servers.Find(name)
	if err != nil {
		log.Fatal(err)
	}
	at, serve, err := list[0].Listen("127.0.0.1:0", bench.Deflate(d))
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(serve()) }()
	fmt.Println(at)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		if in.Text() == collect {
			runtime.GC() // twice, so that pools are empty
			debug.FreeOSMemory()
		}
		u, err := self()
		if err != nil {
			log.Fatal(err)
		}
		json.NewEncoder(os.Stdout).Encode(u)
	}
	os.Exit(0) // the parent has ended
}

// What a child is asked for.
const (
	usage   = "usage"
	collect = "collect" // usage, after all garbage has been given back
)

// A Usage is what a server has used since it began, or has now.
type Usage struct {
	CPU        int64  // nanoseconds on a processor, in user space and in the kernel
	Allocs     uint64 // on the heap, so far
	Goroutines int
	Resident   int64 // bytes of memory
}

func self() (u Usage, err error) {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return u, os.NewSyscallError("getrusage", err)
	}
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return u, err
	}
	var size, resident int64
	if _, err := fmt.Sscan(string(statm), &size, &resident); err != nil {
		return u, err
	}
	allocs := []metrics.Sample{{Name: "/gc/heap/allocs:objects"}, {Name: "/gc/heap/tiny/allocs:objects"}}
	metrics.Read(allocs)
	return Usage{
		CPU:        r.Utime.Nano() + r.Stime.Nano(),
		Allocs:     allocs[0].Value.Uint64() + allocs[1].Value.Uint64(),
		Goroutines: runtime.NumGoroutine(),
		Resident:   resident * int64(os.Getpagesize()),
	}, nil
}
