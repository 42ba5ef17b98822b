// Package quick makes system calls that are over soon: it reads and writes sockets that
// never block, as those of package net are, and accepts, waits for and closes them.
//
// The runtime is not told of such a call. It need not be, and a goroutine that makes one
// after the other without a pause is not taken for one that is stuck in a call, whose
// place is given to another thread. Nor does the call go through what the system does
// for files of all kinds.
//
// But it is by the calls it is told of that the runtime's monitor, which rests with the
// program, learns that there is work again; until then a goroutine that computes is not
// interrupted for others. So those calls that come first after a rest see to it that the
// monitor is awake: see monitor_linux.go.
package quick
