//go:build unix

// Command swan is an echo server for load generators of all kinds: it sends every
// message back, and to the text bcast:<messages>:<size> it answers by sending that
// many binary messages of that size to all connections. On SIGUSR1 it gives all
// garbage back, so that its memory can be read.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"runtime/debug"
	"runtime/pprof"
	"syscall"

	"github.com/swan-ws/websocket/bench"
	"github.com/swan-ws/websocket/bench/servers"
)

var (
	addr    = flag.String("addr", "localhost:9001", "the address to listen on")
	mode    = flag.String("mode", "", "how messages are read: \"\" by a loop, service by callbacks, with a hub for what goes to all, loop by callbacks in an event loop")
	deflate = flag.String("deflate", "off", "permessage-deflate: off, noctx or ctx, without or with context takeover")
	profile = flag.String("profile", "", "a file for the CPU profile, written on SIGTERM or SIGINT")
)

func main() {
	flag.Parse()
	log.SetFlags(0)
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	d, known := map[string]bench.Deflate{"off": bench.Off, "noctx": bench.NoTakeover, "ctx": bench.Takeover}[*deflate]
	if !known {
		return fmt.Errorf("-deflate %s: use off, noctx or ctx", *deflate)
	}
	_, serve, err := servers.Swan(*mode)(*addr, d)
	if err != nil {
		return err
	}
	onSignal(debug.FreeOSMemory, syscall.SIGUSR1)
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		onSignal(func() { pprof.StopCPUProfile(); f.Close(); os.Exit(0) }, syscall.SIGTERM, syscall.SIGINT)
	}
	return serve()
}

// onSignal calls f for each of the signals that comes.
func onSignal(f func(), signals ...os.Signal) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, signals...)
	go func() {
		for range c {
			f()
		}
	}()
}
