package measure

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// cores are those that this process may use.
var cores = func() (list []int) {
	var set unix.CPUSet
	if unix.SchedGetaffinity(0, &set) != nil {
		return nil
	}
	for i := range len(set) * 64 {
		if set.IsSet(i) {
			list = append(list, i)
		}
	}
	return list
}()

// Apart reports whether the clients can have a core of their own beside a server on
// procs of them.
func Apart(procs int) bool { return procs < len(cores) }

// serverCores are for a server; the last one is for the clients.
func serverCores(procs int) []int {
	if !Apart(procs) {
		return cores
	}
	return cores[:procs]
}

// clientCores are for the clients of such a server.
func clientCores(procs int) []int {
	if !Apart(procs) {
		return cores
	}
	return cores[len(cores)-1:]
}

// onCores calls f on a thread that runs on the cores given, as does a process that f
// starts.
func onCores(list []int, f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var set, before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return err
	}
	for _, i := range list {
		set.Set(i)
	}
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return err
	}
	defer unix.SchedSetaffinity(0, &before)
	return f()
}
